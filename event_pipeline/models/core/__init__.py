"""Core models: the star schema."""

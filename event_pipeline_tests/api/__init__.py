"""The REST API over a real, small warehouse."""

"""Tests; the tree mirrors ``event_pipeline``."""

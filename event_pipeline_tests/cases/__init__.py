"""Faults that people reported of such data, each with the right value."""

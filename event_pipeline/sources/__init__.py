"""Readers of the outside world. Each yields ``ChangeBatch``es and knows its own cursor; none knows Dagster or tables."""

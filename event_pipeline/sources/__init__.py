"""Readers of the outside world: each yields ``ChangeBatch``es and knows its own cursor; none knows Dagster."""

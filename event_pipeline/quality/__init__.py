"""Data quality: what contracts promise, checked inside the database and kept as plain records; knows no Dagster."""

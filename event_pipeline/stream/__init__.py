"""The stream worker: follows every source live and makes each change visible within seconds; knows no Dagster."""

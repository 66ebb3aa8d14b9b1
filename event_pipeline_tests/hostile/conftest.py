"""Fixtures of the hostile corpus."""

from event_pipeline_tests.warehouse.fixtures import memory_pipeline, pipeline

__all__ = ["memory_pipeline", "pipeline"]

"""Fixtures of the cases."""

from __future__ import annotations

from event_pipeline_tests.warehouse.fixtures import memory_pipeline, pipeline

__all__ = ["memory_pipeline", "pipeline"]

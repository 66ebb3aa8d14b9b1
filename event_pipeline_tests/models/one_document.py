"""Takes one document through staging and says what became of it."""

from __future__ import annotations

from typing import Any

from event_pipeline.contracts.quarantine import QUARANTINE
from event_pipeline_tests.warehouse.documents import changed
from event_pipeline_tests.warehouse.pipelines import MemoryPipeline


def staged(pipeline: MemoryPipeline, collection: str, document: Any, document_id: str = "d1") -> dict[str, Any] | None:
    """The row of one document; None when it was rejected."""
    pipeline.commit(changed(collection, document_id, document))
    pipeline.refresh({f"staging.{collection}"})
    pipeline.assert_nothing_lost([collection])
    return pipeline.by_key(f"staging.{collection}").get(document_id)


def quarantine(pipeline: MemoryPipeline) -> list[tuple[str, str, str | None]]:
    """Rule, consequence and shown value of everything in quarantine."""
    return [(row["rule"], row["consequence"], row["offending_value"]) for row in pipeline.rows(QUARANTINE.name)]

"""Registrations of an event that are in quarantine, so that a page does not say that nobody registered."""

from __future__ import annotations

from event_pipeline.api.problems import Problem
from event_pipeline.api.services import Services
from event_pipeline.contracts import staging
from event_pipeline.contracts.quarantine import QUARANTINE
from event_pipeline.contracts.raw import RAW_FIREBASE

_RAW = RAW_FIREBASE["registrations"]
_EVENT_PATH = f"$.{staging.REGISTRATIONS.column('event_id').path}"
_TABLES = f"""
SELECT count(*) AS tables FROM duckdb_tables() WHERE database_name = 'lake'
AND (schema_name, table_name) IN (('{QUARANTINE.layer}', '{QUARANTINE.table}'), ('{_RAW.layer}', '{_RAW.table}'))
"""
_REJECTED = f"""
SELECT count(DISTINCT rejected.document_id) AS documents
FROM {QUARANTINE.qualified} rejected JOIN {_RAW.qualified} document USING (source, document_id, version)
WHERE rejected.table_name = '{staging.REGISTRATIONS.table}' AND rejected.consequence = 'rejected'
AND TRY(json_extract_string(document.payload, '{_EVENT_PATH}')) = $event_id
"""


def refused_registrations(services: Services, event_id: str) -> int:
    """How many documents that name the event are in quarantine only; 0 while that cannot be read.

    Reads raw documents: ask it only where a page has no registration to show.
    """
    try:
        with services.private.session() as session:
            found = session.row(_TABLES)
            is_there = found is not None and found["tables"] == 2
            counted = session.row(_REJECTED, {"event_id": event_id}) if is_there else None
    except Problem:
        return 0
    return counted["documents"] if counted else 0

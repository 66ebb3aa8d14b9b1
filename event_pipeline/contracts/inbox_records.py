"""The fields of inbox records that the platform itself writes: its door, its webhooks, and what staging reads of them."""

from __future__ import annotations

from collections.abc import Mapping

from event_pipeline.contracts.staging_inbox import EMAIL_EVENT_ROWS, PAYMENT_EVENT_ROWS, SCANS

_ENVELOPE = frozenset({"type", "provider_event_id", "event_key", "received_at", "raw"})
"""What says of a record where it came from; its content is in the columns that staging reads."""

WRITTEN_FIELDS: Mapping[str, frozenset[str]] = {
    contract.table: _ENVELOPE | {column.path.split(".")[0] for column in contract.columns if column.path}
    for contract in (SCANS, EMAIL_EVENT_ROWS, PAYMENT_EVENT_ROWS)
}
"""By collection, the fields that a writer of the platform's own may write, or leave out."""

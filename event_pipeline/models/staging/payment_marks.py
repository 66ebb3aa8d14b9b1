"""Staging model of marks made by hand: since when a document has stood marked as paid."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from event_pipeline.models.locale import Locale
from event_pipeline.models.parsers import instant, plausible_instant, trimmed
from event_pipeline.models.staging.firebase import version_instant
from event_pipeline.models.staging.mark_runs import mark_runs

_IN_REGISTRATIONS = ["$.payment_status", "$.updated_at", "$.registration_date", "$.created_at"]
_IN_SHEET_ROWS = ["$.fields.payment_verified"]


def payment_verifications(raw_registrations: ir.Table, raw_sheets_rows: ir.Table, locale: Locale) -> ir.Table:
    """One row per document of several versions whose latest ones say paid, with when the first of these was written.

    From raw.firebase_registrations and raw.sheets_rows.
    """
    registrations = mark_runs(raw_registrations, _IN_REGISTRATIONS, ["verified"])
    rows = mark_runs(raw_sheets_rows, _IN_SHEET_ROWS, ["yes", "verified"])
    # In steps, so that the database computes each once.
    places = range(1, len(_IN_REGISTRATIONS))
    tidied = registrations.mutate(**{f"_text{place}": trimmed(registrations.texts[place]) for place in places})
    read = tidied.mutate(**{f"_at{place}": instant(tidied[f"_text{place}"], locale.time_zone) for place in places})
    accepted = read.mutate(**{f"_at{place}": plausible_instant(read[f"_at{place}"]) for place in places})
    written = [accepted[f"_at{place}"] for place in places]
    return ibis.union(
        accepted.select(
            collection=ibis.literal("registrations"),
            document_id=accepted.document_id,
            verified_at=ibis.coalesce(*written, version_instant(accepted.version)),
        ),
        rows.select(
            collection=ibis.literal("sheet_rows"),
            document_id=rows.document_id,
            verified_at=version_instant(rows.version),
        ),
    )

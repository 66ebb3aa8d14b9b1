"""Staging models of organisers' sheets: rows as typed, and what they say that the app does not know."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from event_pipeline.contracts import staging_inbox
from event_pipeline.models.identity import keyed_hash
from event_pipeline.models.locale import Locale
from event_pipeline.models.staging.firebase import stage_documents

REGISTRATIONS_WORKSHEET = "Registrations"


def sheet_rows(raw_sheets_rows: ir.Table, events: ir.Table, locale: Locale) -> ir.Table:
    """One row per sheet row. From raw.sheets_rows and staging.events.

    The event is the one settings name for the spreadsheet, else the one whose google_sheet_id it is.
    """
    staged = stage_documents(raw_sheets_rows, staging_inbox.SHEET_ROWS, locale)
    owners = (
        events.filter(events.google_sheet_id.notnull())
        .group_by(spreadsheet_id=events.google_sheet_id)
        .agg(_owner=events.event_id.min())
    )
    joined = staged.left_join(owners, "spreadsheet_id").drop("spreadsheet_id_right")
    return joined.mutate(
        event_id=ibis.coalesce(joined.event_id, joined._owner),
        is_export_error=joined.is_export_error.fill_null(False),
    ).drop("_owner")


def sheet_corrections(sheet_rows: ir.Table, registrations: ir.Table, absent_registrations: ir.Table) -> ir.Table:
    """One row per thing an organiser typed. From staging.sheet_rows, registrations and absent_registrations.

    A row matches the registration of its event and e-mail; one that matches none, not even one that was deleted or is
    in quarantine, is a walk-in.
    """
    rows = sheet_rows.filter(
        (sheet_rows.worksheet == REGISTRATIONS_WORKSHEET) & ~sheet_rows.is_export_error & sheet_rows.event_id.notnull()
    )
    first = _first_registration(registrations)
    absent = absent_registrations.select("event_id", "participant_email").distinct()
    absent = absent.mutate(_is_absent=ibis.literal(True))
    keys = ["event_id", "participant_email"]
    matched = rows.left_join(first, keys).drop("event_id_right", "participant_email_right")
    matched = matched.left_join(absent, keys).drop("event_id_right", "participant_email_right")
    is_walk_in = matched._matched_id.isnull() & matched._is_absent.isnull()
    known = matched.mutate(
        _is_walk_in=is_walk_in,
        registration_id=ibis.ifelse(is_walk_in, "sheet:" + keyed_hash(matched.sheet_row_id), matched._matched_id),
    )
    known = known.filter(known.registration_id.notnull())
    is_paid = known.payment_mark.isin(["yes", "verified"])
    return ibis.union(
        _corrections(known.filter(known._is_walk_in), "walk_in", known.participant_name, known.registered_at),
        _corrections(
            known.filter((known.attendance_status == "attended") & ~known._is_app_attended.fill_null(False)),
            "attendance", known.attendance_status, known.attended_at,
        ),
        _corrections(
            known.filter(is_paid & (known._payment_status.fill_null("pending") == "pending")),
            "payment", known.amount_minor.cast("string"), ibis.null("timestamp('UTC')"),
        ),
        _corrections(known.filter(known.notes.notnull()), "note", known.notes, ibis.null("timestamp('UTC')")),
    )  # fmt: skip


def _corrections(rows: ir.Table, correction: str, value: ir.StringValue, occurred_at: ir.TimestampValue) -> ir.Table:
    return rows.select(
        sheet_row_id=rows.sheet_row_id,
        correction=ibis.literal(correction),
        registration_id=rows.registration_id,
        event_id=rows.event_id,
        corrected_value=value,
        occurred_at=ibis.coalesce(occurred_at, rows.version_at),
        version=rows.version,
    )


def _first_registration(registrations: ir.Table) -> ir.Table:
    """Of each event and e-mail the registration a sheet row means: not cancelled before cancelled, earliest first."""
    candidates = registrations.filter(registrations.participant_email.notnull())
    order = ibis.row_number().over(
        group_by=["event_id", "participant_email"],
        order_by=[candidates.registration_status == "cancelled", candidates.registered_at, candidates.registration_id],
    )
    ranked = candidates.mutate(_rank=order)
    return ranked.filter(ranked._rank == 0).select(
        event_id=ranked.event_id,
        participant_email=ranked.participant_email,
        _matched_id=ranked.registration_id,
        _is_app_attended=(ranked.attendance_status == "attended") | (ranked.registration_status == "attended"),
        _payment_status=ranked.payment_status,
    )

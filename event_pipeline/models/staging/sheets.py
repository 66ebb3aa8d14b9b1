"""Staging models of organisers' sheets: rows as typed, and what they say that the app does not know."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from event_pipeline.contracts import staging_inbox
from event_pipeline.models.database_functions import extract_list, extract_text, json_keys, merge_json
from event_pipeline.models.documents import PREPARED
from event_pipeline.models.identity import keyed_hash
from event_pipeline.models.locale import Locale
from event_pipeline.models.staging.firebase import stage_documents, version_instant
from event_pipeline.models.staging.mark_runs import mark_runs
from event_pipeline.models.staging.sheet_matches import absent_rows, with_registrations

REGISTRATIONS_WORKSHEET = "Registrations"
_QUESTIONABLE = {
    "payment_verified": "payment_mark",
    "payment_amount": "amount_minor",
    "payment_screenshot": None,
    "notes": "notes",
}
"""Fields of organisers whose header a question of the event may have, and their columns here."""


def sheet_rows(raw_sheets_rows: ir.Table, events: ir.Table, locale: Locale) -> ir.Table:
    """One row per sheet row. From raw.sheets_rows and staging.events.

    The event is the one settings name for the spreadsheet, else the one whose google_sheet_id it is. A column under the
    label of one of its questions is an answer, not an organiser's word.
    """
    staged = stage_documents(raw_sheets_rows, staging_inbox.SHEET_ROWS, locale)
    owners = (
        events.filter(events.google_sheet_id.notnull())
        .group_by(spreadsheet_id=events.google_sheet_id)
        .agg(_owner=events.event_id.min())
    )
    joined = staged.left_join(owners, "spreadsheet_id").drop("spreadsheet_id_right")
    owned = joined.mutate(
        event_id=ibis.coalesce(joined.event_id, joined._owner),
        is_export_error=joined.is_export_error.fill_null(False),
        is_person=joined[PREPARED + "row_doubt"].isnull(),
    ).drop("_owner")
    return _dated(_with_questions_apart(owned, events), raw_sheets_rows)


def _dated(rows: ir.Table, raw_sheets_rows: ir.Table) -> ir.Table:
    """Adds when somebody was entered and came, where nobody typed it: an edit or a sorted sheet moves neither."""
    upserts = raw_sheets_rows.filter(raw_sheets_rows.operation == "upsert")
    first = upserts.group_by(_document=upserts.document_id).agg(_first=upserts.version.min())
    runs = mark_runs(raw_sheets_rows, ["$.fields.attendance_status"], ["attended"])
    attended = runs.select(_attended=runs.document_id, _since=runs.version)
    entered = rows.left_join(first, rows.document_id == first._document)
    joined = entered.left_join(attended, entered.document_id == attended._attended)
    since = ibis.coalesce(version_instant(joined._since), joined.version_at)
    return joined.mutate(
        entered_at=ibis.ifelse(
            joined[PREPARED + "registered_at"].isnull(), version_instant(joined._first), joined.registered_at
        ),
        came_at=ibis.ifelse(joined[PREPARED + "attended_at"].isnull(), since, joined.attended_at),
    ).drop("_document", "_first", "_attended", "_since")


def _with_questions_apart(rows: ir.Table, events: ir.Table) -> ir.Table:
    """Moves what stands under the label of a question of the event to ``custom_fields``."""
    asked = events.filter(events.custom_fields.notnull())
    asked = asked.select(_event=asked.event_id, _labels=_labels(asked.custom_fields))
    joined = rows.left_join(asked, rows.event_id == asked._event)
    can_be = joined.questions.notnull() & joined._labels.notnull()
    answers = {
        field: ibis.ifelse(can_be, extract_text(joined.questions, f"$.{field}"), ibis.null("string"))
        for field in _QUESTIONABLE
    }
    read = joined.mutate(**{f"_answer_{field}": answer for field, answer in answers.items()})
    custom_fields, emptied = read.custom_fields, {}
    for field, column in _QUESTIONABLE.items():
        answer = read[f"_answer_{field}"]
        is_asked = read._labels.contains("|" + _plain(json_keys(answer)[0]) + "|").fill_null(False)
        merged = merge_json(custom_fields.fill_null("{}"), answer).cast("string")
        custom_fields = ibis.ifelse(is_asked, merged, custom_fields)
        for name in (column, PREPARED + column) if column else ():
            emptied[name] = ibis.ifelse(is_asked, ibis.null(read[name].type()), read[name])
    moved = read.mutate(custom_fields=custom_fields, **emptied)
    return moved.drop("_event", "_labels", *(f"_answer_{field}" for field in _QUESTIONABLE))


def _labels(custom_fields: ir.StringValue) -> ir.StringValue:
    """The labels of an event's questions as ``|tshirtsize|remarks|``."""
    listed = extract_list(custom_fields, "$[*].label")
    labels = ibis.ifelse(custom_fields.startswith("{"), extract_list(custom_fields, "$.*.label"), listed)
    # What a label is compared by has no separator in it, so the separators can only be those put in here.
    return "|" + labels.map(_plain).join("|") + "|"


def _plain(text: ir.StringValue) -> ir.StringValue:
    """A header or label as compared: letters and digits only, in lower case."""
    return text.lower().re_replace(r"[^\pL\pM\pN]+", "")


def sheet_corrections(sheet_rows: ir.Table, registrations: ir.Table, absent_registrations: ir.Table) -> ir.Table:
    """One row per thing an organiser typed. From staging.sheet_rows, registrations and absent_registrations.

    A row matches the registration of its event and person, as ``with_registrations`` says; one that matches none, not
    even one that was deleted or is in quarantine, is a walk-in. What several rows say of a registration counts once.
    """
    rows = sheet_rows.filter(
        (sheet_rows.worksheet == REGISTRATIONS_WORKSHEET)
        & sheet_rows.is_person
        & ~sheet_rows.is_export_error
        & sheet_rows.event_id.notnull()
    )
    matched = with_registrations(rows, registrations)
    absent = absent_rows(matched.filter(matched._matched_id.isnull()), absent_registrations)
    matched = matched.left_join(absent, "sheet_row_id").drop("sheet_row_id_right")
    is_walk_in = matched._matched_id.isnull() & (matched._is_absent.isnull() | matched._is_stranger)
    known = matched.mutate(
        _is_walk_in=is_walk_in,
        registration_id=ibis.ifelse(is_walk_in, "sheet:" + keyed_hash(matched._walk_in_row), matched._matched_id),
    )
    known = known.filter(known.registration_id.notnull())
    is_paid = known.payment_mark.isin(["yes", "verified"])
    typed = ibis.union(
        _corrections(
            known.filter(known._is_walk_in & (known.sheet_row_id == known._walk_in_row)),
            "walk_in", known.participant_name, known.entered_at,
        ),
        _corrections(
            known.filter((known.attendance_status == "attended") & ~known._is_app_attended.fill_null(False)),
            "attendance", known.attendance_status, known.came_at,
        ),
        _corrections(
            known.filter(is_paid & (known._payment_status.fill_null("pending") == "pending")),
            "payment", known.amount_minor.cast("string"), known.version_at,
        ),
        _corrections(known.filter(known.notes.notnull()), "note", known.notes, known.version_at),
    )  # fmt: skip
    repeats = ibis.row_number().over(
        group_by=[
            typed.correction,
            typed.registration_id,
            ibis.ifelse(typed.correction == "note", typed.corrected_value, ibis.null("string")),
        ],
        order_by=[typed.occurred_at, typed.sheet_row_id],
    )
    numbered = typed.mutate(_repeat=repeats)
    return numbered.filter(numbered._repeat == 0).drop("_repeat")


def _corrections(rows: ir.Table, correction: str, value: ir.StringValue, occurred_at: ir.TimestampValue) -> ir.Table:
    return rows.select(
        sheet_row_id=rows.sheet_row_id,
        correction=ibis.literal(correction),
        registration_id=rows.registration_id,
        event_id=rows.event_id,
        corrected_value=value,
        occurred_at=occurred_at,
        version=rows.version,
    )

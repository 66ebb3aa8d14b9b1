"""What changed in a spreadsheet: its worksheets' rows against the rows known before. Pure: no I/O of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from event_pipeline.errors import PermanentError
from event_pipeline.settings import Spreadsheet
from event_pipeline.sources.change import Change, KnownVersions, drop_unchanged, later_than_known
from event_pipeline.sources.documents import encode_document
from event_pipeline.sources.sheet_claims import Cells
from event_pipeline.sources.sheet_columns import REGISTRATIONS, TEAM_MEMBERS, Worksheet
from event_pipeline.sources.sheet_dates import SheetLocale
from event_pipeline.sources.sheet_layout import SheetRow, read_rows
from event_pipeline.sources.sheet_readings import read_cells

SOURCE = "google_sheets"
COLLECTION = "sheet_rows"


@dataclass(slots=True)
class Difference:
    """New and changed rows and tombstones; worksheets that could not be read; whether one was suddenly without rows.

    The app empties a worksheet before it writes it anew, so rows that are all gone count as deleted only when the next
    reading finds the same.
    """

    changes: list[Change] = field(default_factory=list)
    problems: list[PermanentError] = field(default_factory=list)
    is_emptied: bool = False


def compare(
    spreadsheet: Spreadsheet,
    values: Mapping[Worksheet, Sequence[Cells]],
    known: KnownVersions,
    observed_at: datetime,
    was_emptied: bool,
    locale: SheetLocale,
) -> Difference:
    """The difference between these worksheets and ``known``. ``was_emptied`` is ``is_emptied`` of the last reading."""
    prefix = f"{spreadsheet.spreadsheet_id}/"
    # "0" follows "/", so this range is exactly the documents of this spreadsheet.
    before = set(known.in_range(COLLECTION, after=prefix, until=f"{spreadsheet.spreadsheet_id}0"))
    difference = Difference()
    for worksheet, rows in values.items():
        try:
            records = read_rows(rows, worksheet)
            gone = sorted(_of(worksheet, before, prefix) - {prefix + row.key for row in records})
            _refuse_lost_identity(worksheet, records, gone, prefix)
        except PermanentError as error:
            difference.problems.append(error)
            continue
        if gone and not records and not was_emptied:
            difference.is_emptied = True
            continue
        for row, (fields, typed) in zip(records, read_cells(records, locale), strict=True):
            payload = _payload(spreadsheet, worksheet, row, fields, typed)
            difference.changes.append(Change.upsert(SOURCE, COLLECTION, prefix + row.key, payload, observed_at))
        difference.changes += [Change.delete(SOURCE, COLLECTION, document_id, observed_at) for document_id in gone]
    difference.changes = later_than_known(drop_unchanged(difference.changes, known), known)
    return difference


def _of(worksheet: Worksheet, document_ids: set[str], prefix: str) -> set[str]:
    """Those of ``document_ids`` that are rows of ``worksheet``."""
    members = {item for item in document_ids if item.startswith(prefix + TEAM_MEMBERS.key_prefix)}
    return document_ids - members if worksheet is REGISTRATIONS else members


def _refuse_lost_identity(worksheet: Worksheet, records: Sequence[SheetRow], gone: Sequence[str], prefix: str) -> None:
    """A header that lost its Email would turn every row into another one: that is no delete."""
    by_email = f"{prefix}{worksheet.key_prefix}email:"
    if records and not any("email" in row.fields for row in records) and any(i.startswith(by_email) for i in gone):
        raise PermanentError(
            f"worksheet '{worksheet.title}' has no e-mails any more, though its rows had them; nothing was read from "
            f"it. Put the header {worksheet.columns['email'][0]} back over the column of e-mail addresses"
        )


def _payload(
    spreadsheet: Spreadsheet, worksheet: Worksheet, row: SheetRow, fields: dict[str, str], typed: dict[str, str]
) -> str:
    document: dict[str, object] = {
        "spreadsheet_id": spreadsheet.spreadsheet_id,
        "event_id": spreadsheet.event_id,
        "worksheet": worksheet.title,
        "row_number": row.row_number,
        "fields": fields,
        "custom_fields": row.custom_fields,
    }
    if typed:
        document["typed"] = typed
    if row.headers:
        document["questions"] = {name: {label: row.fields[name]} for name, label in row.headers.items()}
    if row.is_export_error:
        document["is_export_error"] = True
    if row.doubt:
        document["doubt"] = row.doubt
    return encode_document(document)

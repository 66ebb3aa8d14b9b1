"""Google Sheets that organisers edit: what they typed comes back as records, one a row.

A spreadsheet is read only when it has changed: by Drive's modified time where Drive may be asked, else by a hash of its
values. A row that is gone becomes a tombstone only when its worksheet was read whole and its header was found.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import tenacity

from event_pipeline.errors import PermanentError, PipelineError, TransientError
from event_pipeline.settings import Organisation, Settings, Spreadsheet
from event_pipeline.sources.change import ChangeBatch, KnownVersions
from event_pipeline.sources.documents import encode_document
from event_pipeline.sources.sheet_changes import COLLECTION, SOURCE, compare
from event_pipeline.sources.sheet_columns import WORKSHEETS, Worksheet, normalise_header
from event_pipeline.sources.sheet_dates import SheetLocale
from event_pipeline.sources.sheet_layout import is_empty
from event_pipeline.sources.sheet_numbers import number_columns, with_numbers
from event_pipeline.sources.sheets_client import ReadQuota, SheetsClient, SpreadsheetDescription

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

_READ_ONLY = (
    "https://www.googleapis.com/auth/spreadsheets.readonly",
    "https://www.googleapis.com/auth/drive.metadata.readonly",
)
_SPREADSHEET_ID = re.compile(r"[A-Za-z0-9_-]+")
_READING = 3
"""How rows are read: a spreadsheet that was read in another way before is read again, changed or not."""
_Values = dict[Worksheet, list[list[Any]]]


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one spreadsheet gave: a batch unless nothing changed, and what went wrong with single worksheets."""

    batch: ChangeBatch | None = None
    problems: Sequence[PipelineError] = ()


class GoogleSheetsSource:
    """Reads the worksheets ``Registrations`` and ``Team Members`` of spreadsheets.

    A record is ``{spreadsheet_id, event_id, worksheet, row_number, fields, custom_fields}``; its id is
    ``{spreadsheet_id}/{row key}``. ``sheet_layout`` says how rows are read and keyed. Where there is reason to, it also
    has ``is_export_error``, ``doubt`` (why it is no person), ``questions`` (fields under headers that may be questions
    of the event) and ``typed`` (the texts of fields that were read as something else, as dates and ticks are).
    """

    name = SOURCE

    def __init__(
        self,
        settings: Settings,
        *,
        endpoint: str | None = None,
        credentials: Credentials | None = None,
        quota: ReadQuota | None = None,
        timeout_seconds: float = 60.0,
        sleep: Callable[[float], None] = tenacity.nap.sleep,
    ) -> None:
        """``endpoint`` is a local server's address in Google's place; it is spoken to without credentials."""
        self._settings = settings
        self._endpoint, self._credentials = endpoint, credentials
        self._quota = quota or ReadQuota(settings.sheets.reads_per_minute)
        self._timeout_seconds, self._sleep = timeout_seconds, sleep

    def poll(
        self, spreadsheets: Sequence[Spreadsheet], cursors: Mapping[str, object], known: KnownVersions
    ) -> Iterator[ChangeBatch]:
        """One batch for each spreadsheet that changed since its cursor ``{modified_time, values_hash, event_id}``.

        One that fails does not stop the others. After the last batch one error names all that failed: PermanentError
        when no retry can mend any of them, else TransientError. A failed spreadsheet keeps its cursor, so it is read
        again next time; of a spreadsheet with one garbled worksheet the other's changes still come, without a cursor.
        """
        wanted: dict[str, Spreadsheet] = {}
        for spreadsheet in spreadsheets:
            wanted.setdefault(spreadsheet.spreadsheet_id, spreadsheet)
        if not wanted:
            return
        client = self._connect()
        problems: list[tuple[str, PipelineError]] = []
        for spreadsheet_id, spreadsheet in wanted.items():
            try:
                reading = _read(client, spreadsheet, cursors.get(spreadsheet_id), known, self._settings.organisation)
            except PipelineError as error:
                reading = _Reading(problems=(error,))
            problems += [(spreadsheet_id, problem) for problem in reading.problems]
            if reading.batch:
                yield reading.batch
        if problems:
            raise _summary(problems, len(wanted))

    def _connect(self) -> SheetsClient:
        return SheetsClient(
            self._credentials or self._load_credentials(),
            self._quota,
            endpoint=self._endpoint,
            timeout_seconds=self._timeout_seconds,
            sleep=self._sleep,
        )

    def _load_credentials(self) -> Credentials:
        import google.auth
        from google.auth.credentials import AnonymousCredentials
        from google.auth.exceptions import DefaultCredentialsError
        from google.oauth2.service_account import Credentials as ServiceAccount

        if self._endpoint:
            return AnonymousCredentials()
        path = self._settings.sheets.credentials_path or self._settings.firebase.credentials_path
        try:
            if path:
                return ServiceAccount.from_service_account_file(str(path), scopes=_READ_ONLY)
            return google.auth.default(scopes=_READ_ONLY)[0]
        except (OSError, ValueError, DefaultCredentialsError) as error:
            raise PermanentError(
                f"no Google credentials for the spreadsheets: {path or 'the default credentials'} cannot be used "
                f"({type(error).__name__}); set sheets.credentials_path to a service account's JSON key"
            ) from error


def _read(
    client: SheetsClient, spreadsheet: Spreadsheet, cursor: object, known: KnownVersions, home: Organisation
) -> _Reading:
    """The spreadsheet's changes since ``cursor``; without changes at most a cursor that moved."""
    before: Mapping[str, Any] = cursor if isinstance(cursor, Mapping) else {}
    if before.get("event_id") != spreadsheet.event_id or before.get("reading") != _READING:
        before = {"is_emptied": before.get("is_emptied")}  # any of its records may change
    spreadsheet_id = spreadsheet.spreadsheet_id
    if not _SPREADSHEET_ID.fullmatch(spreadsheet_id):  # anyone may have written it into an event
        raise PermanentError("this is no spreadsheet id; take the part between /d/ and /edit of the sheet's address")
    # Asked before the values: an edit in between shows as a later time at the next poll.
    modified_time = client.modified_time(spreadsheet_id)
    if modified_time is not None and before.get("modified_time") == modified_time:
        return _Reading()
    observed_at = datetime.now(UTC)
    description = client.description(spreadsheet_id)
    values, missing = _values(client, spreadsheet_id, description.titles)
    state = {
        "modified_time": modified_time,
        "values_hash": _hash(values, description),
        "event_id": spreadsheet.event_id,
        "reading": _READING,
    }
    was_emptied = bool(before.get("is_emptied"))
    if not missing and not was_emptied and before.get("values_hash") == state["values_hash"]:
        moved = before.get("modified_time") != modified_time
        return _Reading(ChangeBatch.of(SOURCE, COLLECTION, [], {spreadsheet_id: state}) if moved else None)
    locale = SheetLocale.of(description.locale, description.time_zone, home.country, home.time_zone)
    difference = compare(spreadsheet, values, known, observed_at, was_emptied, locale)
    if difference.is_emptied:
        state |= {"modified_time": None, "is_emptied": True}  # so that the next poll looks again
    problems = [*missing, *difference.problems]
    if problems and not difference.changes:
        return _Reading(problems=problems)
    cursors = {} if problems else {spreadsheet_id: state}
    return _Reading(ChangeBatch.of(SOURCE, COLLECTION, difference.changes, cursors), problems)


def _values(client: SheetsClient, spreadsheet_id: str, titles: Sequence[str]) -> tuple[_Values, list[PipelineError]]:
    """The rows of the worksheets there are; an error for one that must be there and is not.

    In one request, and a second one for the numbers where a display may have cut a date or an amount.
    """
    from gspread.utils import absolute_range_name

    present = {sheet: title for sheet in WORKSHEETS if (title := _title_of(sheet, titles)) is not None}
    missing: list[PipelineError] = [
        PermanentError(
            f"worksheet '{sheet.title}' is missing; the spreadsheet has: {', '.join(titles) or 'none'}. "
            f"Rename the worksheet of registrations to '{sheet.title}'"
        )
        for sheet in WORKSHEETS
        if sheet.required and sheet not in present
    ]
    if not present:
        return {}, missing
    ranges = [absolute_range_name(title) for title in present.values()]
    found = dict(zip(present, client.values(spreadsheet_id, ranges), strict=True))
    columns = {sheet: number_columns(rows, sheet) for sheet, rows in found.items()}
    if any(columns.values()):
        exact = client.values(spreadsheet_id, ranges, is_formatted=False)
        pairs = zip(found.items(), exact, strict=True)
        found = {sheet: with_numbers(rows, numbers, columns[sheet]) for (sheet, rows), numbers in pairs}
    # An optional worksheet without a single cell says nothing, least of all that its rows were deleted.
    return {sheet: rows for sheet, rows in found.items() if sheet.required or not is_empty(rows)}, missing


def _title_of(worksheet: Worksheet, titles: Sequence[str]) -> str | None:
    """The title under which the spreadsheet has the worksheet: its own before another, the first of several."""
    own = normalise_header(worksheet.title)
    others = [title for title in titles if re.fullmatch(worksheet.other_titles, normalise_header(title))]
    return next((title for title in titles if normalise_header(title) == own), next(iter(others), None))


def _hash(values: _Values, description: SpreadsheetDescription) -> str:
    content = {worksheet.title: rows for worksheet, rows in values.items()}
    content |= {"(locale)": [[description.locale, description.time_zone]]}
    return hashlib.sha256(encode_document(content).encode()).hexdigest()


def _summary(problems: Sequence[tuple[str, PipelineError]], total: int) -> PipelineError:
    failed = len({spreadsheet_id for spreadsheet_id, _ in problems})
    lines = [f"{failed} of {total} spreadsheets could not be read fully:"]
    lines += [f"spreadsheet {spreadsheet_id}: {problem}" for spreadsheet_id, problem in problems]
    passing = [problem for _, problem in problems if isinstance(problem, TransientError)]
    if not passing:
        return PermanentError("\n".join(lines))
    waits = [problem.retry_after_seconds for problem in passing if problem.retry_after_seconds is not None]
    return TransientError("\n".join(lines), max(waits, default=None))

"""Spreadsheets as organisers keep them: the list of people, and everything else that stands beside and below it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from event_pipeline.settings import Spreadsheet
from event_pipeline.sources.change import Change, ChangeBatch
from event_pipeline.sources.documents import encode_document
from event_pipeline.sources.sheet_changes import compare
from event_pipeline.sources.sheet_columns import REGISTRATIONS
from event_pipeline.sources.sheet_dates import SheetLocale
from event_pipeline_tests.oracle.history import History, Names, Told, document_of
from event_pipeline_tests.oracle.organisations import Writing
from event_pipeline_tests.sources.memory_lake import MemoryLake
from event_pipeline_tests.warehouse.documents import SEEN

Cells = list[Any]
Person = dict[str, tuple[Any, str | None]]
"""What is typed about a person and what it means, by field; None for a cell that means nothing."""

_choose = st.sampled_from
_HEADERS = {
    "serial_number": ("S.No.", "Sl. No."),
    "name": ("Name", "Full Name", "Participant"),
    "email": ("Email", "E-mail", "Mail ID"),
    "phone": ("Phone", "Mobile No."),
    "department": ("Department", "Branch"),
    "attendance_status": ("Attendance Status", "Attendance"),
    "attendance_time": ("Attendance Time", "Check-in time"),
    "registration_date": ("Registration Date", "Registered on", "Timestamp"),
    "payment_verified": ("Payment Verified", "Payment Status"),
    "payment_amount": ("Payment Amount", "Amount paid"),
    "notes": ("Notes", "Remarks"),
}
_ORGANISERS = ("attendance_status", "payment_verified", "payment_amount", "notes")
_ATTENDANCE = (
    ("", None), ("Attended", "attended"), ("Attended", "attended"), ("present", "attended"), (True, "attended"),
    ("✓", "attended"), (False, "not_attended"), ("absent", "not_attended"), ("maybe", "maybe"),
)  # fmt: skip
_PAID = (("", None), ("Yes", "yes"), ("Paid", "yes"), (True, "yes"), ("no", "no"), (False, "no"), ("later", "later"))


def _instants(writing: Writing) -> st.SearchStrategy[tuple[Any, str | None]]:
    """A time as the sheet's clocks show it: a serial number, a text of the app's or of the locale's, or no date."""
    zone = ZoneInfo(writing.settings["time_zone"])

    def typed(minutes: int, form: str) -> tuple[Any, str]:
        at = datetime(2025, 6, 7, 22, 30, tzinfo=zone) + timedelta(minutes=minutes)
        clock = at.replace(tzinfo=None)
        days = (clock - datetime(1899, 12, 30)) / timedelta(days=1)  # noqa: DTZ001
        noon = f"{clock.hour % 12 or 12}:{clock:%M:%S} {'am' if clock.hour < 12 else 'pm'}"
        text = {
            "serial": days,
            "app": f"{clock.day}/{clock.month}/{clock.year}, {noon}",
            "day first": f"{clock.day:02}/{clock.month:02}/{clock.year} {clock:%H:%M:%S}",
            "dots": f"{clock.day}.{clock.month}.{clock.year} {clock:%H:%M:%S}",
        }[form]
        return text, at.isoformat()

    steps = st.integers(0, 60).map(lambda step: 30 * step)
    read = st.builds(typed, steps, _choose(["serial", "app", "day first", "dots"]))
    return st.one_of(st.just(("", None)), read, st.just(("31/02/2025", "unreadable")))


@st.composite
def _people(draw: st.DrawFn, names: Names, writing: Writing) -> Person:
    """Somebody with an identity: an address, or a name with a number."""
    who: Person = draw(
        _choose(
            [
                {"name": ("Asha Rao", "Asha Rao"), "email": (names.email("asha"), names.email("asha"))},
                {"name": ("", None), "email": (names.email("ravi"), names.email("ravi"))},
                {"name": ("Sibling Rao", "Sibling Rao"), "email": (names.email("asha"), names.email("asha"))},
                {"name": ("Total Stranger", "Total Stranger"), "email": (names.email("new"), names.email("new"))},
                {"name": ("Walk In", "Walk In"), "email": ("", None)},
            ]
        )
    )
    phone = draw(_choose([text for text in writing.phones if isinstance(text, str) and len(text) > 6]))
    amount = draw(_choose(["", *writing.amounts]))
    return who | {
        "phone": (phone, phone) if who["email"][1] is None else draw(_choose([("", None), (phone, phone)])),
        "department": draw(_choose([("CSE", "CSE"), ("N/A", None), ("", None)])),
        "attendance_status": draw(_choose(_ATTENDANCE)),
        "attendance_time": draw(_instants(writing)),
        "registration_date": draw(_instants(writing)),
        "payment_verified": draw(_choose(_PAID)),
        "payment_amount": (amount, _text(amount)),
        "notes": draw(_choose([("", None), ("vegetarian", "vegetarian")])),
    }


def _text(cell: Any) -> str | None:
    """A cell as text; whole numbers have no decimal point."""
    return None if cell == "" else str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


@st.composite
def _layouts(draw: st.DrawFn) -> tuple[list[str], dict[str, str], bool]:
    """Fields in the order of their columns, their headers, and whether another table stands beside the list."""
    optional = [name for name in _HEADERS if name not in ("name", "email", "phone")]
    fields = draw(
        st.permutations(["name", "email", "phone", *draw(st.lists(_choose(optional), min_size=3, unique=True))])
    )
    headers = {name: draw(_choose(_HEADERS[name])) for name in fields}
    if headers.get("registration_date") == "Timestamp":
        # Whatever else the answers of a form have for a header, people answered.
        headers |= {name: _HEADERS[name][0] for name in _ORGANISERS if name in fields}
    return fields, headers, draw(st.booleans())


@st.composite
def _nobody(draw: st.DrawFn, fields: Sequence[str], headers: dict[str, str]) -> list[Cells]:
    """Rows below the list that are nobody: totals, tick boxes, formulas that failed, the header again, other tables."""

    def row(**cells: Any) -> Cells:
        return [cells.get(name, "") for name in fields]

    return draw(
        st.lists(
            _choose(
                [
                    row(name="Total", payment_amount="₹450"),
                    row(name="Grand total: 3"),
                    row(attendance_status=False, payment_verified=False),
                    row(name="#REF!", email="#REF!", payment_amount="#N/A"),
                    [headers[name] for name in fields],
                    row(),
                    row(name="Day 2:"),
                    row(serial_number=7),
                ]
            ),
            max_size=4,
        )
    )


@st.composite
def spreadsheets(draw: st.DrawFn, names: Names, writing: Writing) -> History:
    """One event's spreadsheet as it was read up to three times, while people were added, changed and taken out."""
    fields, headers, has_side_table = draw(_layouts())
    book = names.id("book")
    event_id = draw(_choose([names.id("e1"), names.id("e1"), None]))
    locale = SheetLocale.of("en_IN", None, writing.settings["country"], writing.settings["time_zone"])
    # A sheet in which no address is left any more is not believed, so one stays.
    first: Person = {"email": (names.email("helper"), names.email("helper"))}
    people: list[Person] = [first, *draw(st.lists(_people(names, writing), min_size=1, max_size=3))]
    lake, before, found = MemoryLake(), dict[str, str](), History()
    for number in range(draw(st.integers(1, 3))):
        at = SEEN + timedelta(hours=number)
        if number:
            others = [person for person in people if person is not first]
            people = [first, *[*others, draw(_people(names, writing))][-draw(st.integers(1, len(people))) :]]
            people = people if draw(st.booleans()) else people[::-1]
        cells = [["Robo Wars - Event Registrations"], [], [headers[name] for name in fields]]
        cells += [[person[name][0] if name in person else "" for name in fields] for person in people]
        cells += draw(_nobody(fields, headers))
        if has_side_table:
            cells = _with_side_table(cells, len(fields))
        sheet = Spreadsheet.model_construct(spreadsheet_id=book, event_id=event_id)
        changes = compare(sheet, {REGISTRATIONS: cells}, lake, at, False, locale).changes
        if changes:
            lake.commit(ChangeBatch.of("google_sheets", "sheet_rows", changes))
        meant = _meant(book, event_id, fields, people, writing)
        found += _told(changes, before, meant, at)
        before = meant
    return found


def _with_side_table(cells: list[Cells], width: int) -> list[Cells]:
    """A summary to the right of the list, beyond an empty column."""
    side = [[], [], ["Summary", "Count"], ["Total", 3], ["Name", "Amount"], ["T-shirts", 12]]
    rows = zip_longest(cells, side, fillvalue=[])
    return [[*row, *[""] * (width + 1 - len(row)), *beside] if beside else list(row) for row, beside in rows]


def _meant(
    book: str, event_id: str | None, fields: Sequence[str], people: Sequence[Person], writing: Writing
) -> dict[str, str]:
    """What the sheet says of people, by the id of their rows."""
    found, seen = dict[str, str](), Counter[str]()
    for person in people:
        said = {name: person[name][1] for name in fields if name in person and person[name][1] is not None}
        key = _key(said)
        seen[key] += 1
        key += f"#{seen[key]}" if seen[key] > 1 else ""
        content = {"spreadsheet_id": book, "event_id": event_id, "worksheet": "Registrations", "fields": said}
        found[f"{book}/{key}"] = encode_document(content)
    return found


def _key(said: dict[str, str | None]) -> str:
    """What names a row: the address, else name and number."""
    if said.get("email"):
        return f"email:{said['email']}"
    digits = "".join(char for char in said["phone"] or "" if char.isdecimal())[-10:]
    named = f"{(said['name'] or '').casefold()}\x1f{digits}"
    return "name:" + hashlib.sha1(named.encode(), usedforsecurity=False).hexdigest()


def _told(changes: Sequence[Change], before: dict[str, str], meant: dict[str, str], at: datetime) -> History:
    """What the product read, and what it means: what is new, what is another, and what is gone."""
    now = [
        *(Change.upsert("google_sheets", "sheet_rows", key, payload, at) for key, payload in meant.items()
          if before.get(key) != payload),
        *(Change.delete("google_sheets", "sheet_rows", key, at) for key in before if key not in meant),
    ]  # fmt: skip
    means = {change.document_id: (document_of(change),) for change in now}
    told = [Told(change, means.pop(change.document_id, ()), change.document_id) for change in changes]
    return [*told, *(Told(None, documents, key) for key, documents in means.items())]

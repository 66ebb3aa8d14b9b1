"""The hand-written SQL is a fair peer only while every table it makes equals the models', cell by cell."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from benchmarks.handwritten_sql import handwritten_name, run_handwritten
from event_pipeline.contracts.quarantine import QUARANTINE
from event_pipeline.demo import DEFAULT_AS_OF, generate_demo
from event_pipeline.models.registry import MODELS
from event_pipeline.sources.change import Change
from event_pipeline.warehouse.ingest import ingest_exports, ingest_inbox
from event_pipeline.warehouse.refresh import refresh_tables
from event_pipeline.warehouse.table_contracts import CONTRACTS
from event_pipeline_tests.inbound.stripe_story import stripe_changes
from event_pipeline_tests.models.stripe_stories import STORIES, numbered
from event_pipeline_tests.warehouse.documents import (
    changed,
    email_event,
    event,
    payment_event,
    qr_code,
    registration,
    scan,
    sheet_row,
)
from event_pipeline_tests.warehouse.pipelines import Pipeline, real_pipeline

TIMES = (
    "2025-06-01T02:55:00.000Z", "2025-06-01T08:25:00+05:30", "2025-06-01 08:25:00.123456 +0530", "1748746500",
    "1748746500123", '{"_seconds": 1748746500, "_nanoseconds": 123456789}', "01/06/2025, 8:25:00 am", "1-6-2025",
    "2025-06-01 08:25", "2025-06-01 02:55:00 UTC", " 2025-06-01 ", "1850-01-01", "9999-12-31", "31/02/2025", "soon", "",
    '{"seconds": "1748746500"}', '{"timestampValue": "2025-06-01T02:55:00Z"}', "1748746500123456",
    "1748746500123456789", "1.7487465E12", "Sun, 01 Jun 2025 02:55:00 GMT", "Sun, 31 Feb 2025 02:55:00 GMT",
)  # fmt: skip
EMAILS = (
    "Asha@Example.org ", "mailto:asha@example.org", "asha\u200b@example.org", "asha at example", "a@b", "", None, 5,
    "ASHA@MÜNCHEN.example", "asha@xn--mnchen-3ya.example", "ａｓｈａ＠ｅｘａｍｐｌｅ．ｏｒｇ",
    "straße@example.org", "asha@example.org.",
    "asha@\U0001f600.org",
)  # fmt: skip
PHONES = (
    "+91 98765-43210", "09876543210", "9876543210", "00919876543210", "+14155550123", "12345", "९८७६५४३२१०", "",
    "+44 (0)20 7946 0958", "tel:9876543210;ext=12", "9876543210.0", "9.87654321E9", "98765 43210 x12", "98765.43210",
)  # fmt: skip
AMOUNTS = (
    "₹1,150", "Rs. 150/-", "150.005", "inr 99", "-5", "1e3", "free", "99999999999999999999", 150, 150.5, None,
    "1.234,56 ₹", "12,50", "$150", "१५०", " ₹ ", "N/A", 1.234, 12.500000000000002, "1,23,456.78",
)  # fmt: skip
TEAMS = (
    [], [{"name": "B"}, {"name": "C"}], "B, C", {"0": {"name": "B"}}, None, [None, {"name": "B"}], ["B", ""],
    [{"name": "Team7", "email": "team7@example.org"}, {"name": "B"}], {"name": "B", "team_members": [{"name": "C"}]},
)  # fmt: skip
STATUSES = ("registered", "Cancelled", " ATTENDED ", "not-attended", "no-show", "lost", None, {"a": 1})


def _untidy_registrations() -> Iterator[Change]:
    """Every spelling of every kind of value that the models read, good and bad."""
    for number, value in enumerate(TIMES):
        yield changed("registrations", f"time-{number}", registration(f"t{number}", registration_date=value))
        yield changed("registrations", f"seen-{number}", registration(f"s{number}", updated_at=value))
    for number, value in enumerate(EMAILS):
        yield changed("registrations", f"email-{number}", registration(participant_email=value))
    for number, value in enumerate(PHONES):
        yield changed("registrations", f"phone-{number}", registration(f"p{number}", participant_phone=value))
    for number, (amount, paid) in enumerate(product(AMOUNTS, ("verified", "pending", "Rejected", None))):
        document = registration(f"a{number}", event_id="e2", payment_amount=amount, payment_status=paid)
        yield changed("registrations", f"amount-{number}", document)
    for number, (status, attendance) in enumerate(product(STATUSES, STATUSES)):
        document = registration(f"st{number % 40}", status=status, attendance_status=attendance)
        yield changed("registrations", f"status-{number}", document)
    for number, team in enumerate(TEAMS):
        document = registration(f"team{number}", additional_info={"team_members": team, "department": "CSE"})
        yield changed("registrations", f"team-{number}", document)


def _history() -> Iterator[Change]:
    """Edits, deletes, dangling references and what helpers report, told late and twice."""
    yield changed(
        "events", "e1", event(google_sheet_id="sheet-of-event-e1", max_participants=10, custom_fields=QUESTIONS)
    )
    yield changed("registrations", "unmailed", registration("nobody", participant_email=None))
    yield changed("events", "e2", event(requires_payment=True, payment_amount=150, status="ongoing"))
    yield changed("events", "e3", None)
    yield changed("events", "e4", event(start_date="whenever", club_id="nobody", category_id=None))
    for number in range(12):
        yield changed("registrations", f"h{number}", registration(f"h{number}", attendance_status="attended"))
        again = registration(f"h{number}", attendance_status="not_attended" if number % 2 else "attended")
        yield changed("registrations", f"h{number}", again if number % 3 else None, after=60)
    for number in range(8):
        code = qr_code(f"h{number}", f"h{number}")
        yield changed("scans", f"scan-{number}", scan(code, f"2025-06-08T04:{10 + number}:00.000Z"))
        yield changed("scans", f"scan-again-{number}", scan(code, "2025-06-08T05:00:00.000Z", "gate-2"))
    for number, status in enumerate(("succeeded", "pending", "failed", "refunded")):
        yield changed("payment_events", f"razorpay:{number}", payment_event("amount-0", status))
        yield changed("payment_events", f"razorpay:b{number}", payment_event(None, status, currency="USD"))
    for number, (events, *_) in enumerate(STORIES.values()):
        yield from stripe_changes(numbered(events, str(number)))
    for number, status in enumerate(("verified", "pending", "verified", "verified")):
        document = registration("edited", payment_status=status, updated_at=f"2025-06-0{2 + number}T00:00:00.000Z")
        yield changed("registrations", "edited", document, after=number)
        yield changed(
            "sheet_rows", "s/edited", sheet_row("unedited", payment_verified="Yes", notes=str(number)), after=number
        )
    yield changed("payment_events", "own:state", payment_event("edited", "paid?", object="parcel", captured_minor=-1))
    for number, what in enumerate(("sent", "delivered", "open", "click", "bounce", "unheard of")):
        yield changed("email_events", f"sendgrid:{number}", email_event("h1", "h1", what))
        yield changed("email_events", f"sendgrid:b{number}", email_event(None, "stranger", what, event_id="e9"))
    yield changed("unreadable", "line-1-0", "{not json")


QUESTIONS = [{"id": "p", "label": "Payment  status"}, {"id": "r", "label": "Remarks:"}]


def _sheet_rows() -> Iterator[Change]:
    """Rows as organisers leave them: matched, walk-ins, errors, other worksheets."""
    rows: dict[str, dict[str, Any]] = {
        "noted": sheet_row("h1", notes="veg", attendance_status="Attended", attendance_time="08/06/2025 9:59"),
        "paid": sheet_row("t1", payment_verified="Yes", payment_amount="₹150"),
        "walk-in": sheet_row("walker", registration_date="08/06/2025", payment_verified="no", department="ECE"),
        "walk-in-paid": sheet_row("walker2", payment_verified="verified", payment_amount="Rs. 99"),
        "deleted": sheet_row("h0", notes="came back"),
        "nobody": sheet_row(None, name="No Mail"),
        "error": {**sheet_row("broken"), "is_export_error": True},
        "member": sheet_row("member", worksheet="Team Members"),
        "found-by-sheet": {**sheet_row("t2", notes="late"), "event_id": None},
        "homeless": {**sheet_row("t3", notes="?"), "event_id": None, "spreadsheet_id": "other"},
        "garbled": sheet_row("t4", payment_amount="ERROR", registration_date="N/A"),
        "label": {**sheet_row(None, name="Veg"), "doubt": "a name alone"},
        "asked": {
            **sheet_row("asked", payment_verified="Gold", notes="veg"),
            "questions": {"payment_verified": {"Payment Status": "Gold"}, "notes": {"Remarks": "veg"}},
        },
        "stranger": sheet_row("h1", name="Somebody Else", notes="?"),
        "same-second": sheet_row("h4", attendance_status="Attended", attendance_time="2025-06-08T04:14:00Z"),
        "undated": sheet_row("t5", registration_date="6/8/2025 (day or month first?)", attendance_status="attended",
                             attendance_time="soon"),
        "copy/name:1": sheet_row(None, name="Copied", phone="9876500001"),
        "copy/name:2": sheet_row(None, name="copied", phone="09876500001", notes="twice", attendance_status="attended"),
        "unmailed": sheet_row(None, name="Nobody", notes="found by name"),
    }  # fmt: skip
    for key, row in rows.items():
        yield changed("sheet_rows", f"sheet-of-event-e1/{key}", row)


@pytest.fixture(scope="module")
def both_made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A demo organisation and more dirt, as tables of the models and of the hand-written SQL."""
    folder = tmp_path_factory.mktemp("organisation")
    generate_demo(folder, 400, 7)
    with real_pipeline(folder) as pipeline:
        ingest_exports(pipeline.lake, pipeline.settings)
        ingest_inbox(pipeline.lake, pipeline.settings)
        pipeline.commit(*_untidy_registrations(), *_history(), *_sheet_rows())
        refresh_tables(pipeline.backend, pipeline.settings, DEFAULT_AS_OF)
        run_handwritten(pipeline.connection, pipeline.settings, DEFAULT_AS_OF)
        yield pipeline


@pytest.mark.parametrize("name", [*MODELS, QUARANTINE.name])
def test_handwritten_sql_makes_the_table_that_the_model_makes(both_made: Pipeline, name: str) -> None:
    contract = CONTRACTS[name]
    columns = ", ".join(f'"{column}"' for column in contract.column_names)
    ours, theirs = f"SELECT {columns} FROM {contract.qualified}", f"SELECT {columns} FROM {handwritten_name(contract)}"

    def described(query: str) -> list[tuple[str, str]]:
        return [row[:2] for row in both_made.connection.execute(f"DESCRIBE {query}").fetchall()]

    def missing(query: str, other: str) -> list[tuple[Any, ...]]:
        return both_made.connection.execute(f"({query}) EXCEPT ALL ({other}) ORDER BY ALL LIMIT 5").fetchall()

    assert described(theirs) == described(ours)
    assert {"missing": missing(ours, theirs), "too much": missing(theirs, ours)} == {"missing": [], "too much": []}


def test_no_table_compared_is_empty(both_made: Pipeline) -> None:
    """Two empty tables are equal, which would prove nothing; lines that are no records all go to quarantine."""
    empty = {name for name in [*MODELS, QUARANTINE.name] if not both_made.rows(name)}
    assert empty == {"staging.unreadable"}
    assert both_made.rejected("unreadable")

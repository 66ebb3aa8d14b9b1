"""Staging: which version of a document counts, and how it is normalised once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from event_pipeline_tests.models.one_document import quarantine, staged
from event_pipeline_tests.warehouse.documents import ABSENT, changed, event, registration, scan, sheet_row
from event_pipeline_tests.warehouse.pipelines import MemoryPipeline


def test_a_registration_is_normalised_once(pipeline: MemoryPipeline) -> None:
    document = registration(
        participant_name="  Asha Rao ",
        participant_email=" Asha@Example.ORG",
        participant_phone="098765 43210",
        payment_status="Verified",
        payment_amount="₹1,150",
        registration_date="1/6/2025, 8:25:00 am",
        additional_info={
            "department": "CSE",
            "year": 3,
            "team_name": "Bolts",
            "team_members": [{"name": "Ravi"}, {"name": "Mina"}],
            "custom_fields": {"f1": ["M", "L"]},
        },
    )
    row = staged(pipeline, "registrations", document)
    assert row is not None
    assert quarantine(pipeline) == []
    expected = {
        "registration_id": "d1",
        "event_id": "e1",
        "participant_name": "Asha Rao",
        "participant_email": "asha@example.org",
        "participant_phone": "+919876543210",
        "payment_status": "verified",
        "amount_minor": 115_000,
        "registered_at": datetime(2025, 6, 1, 2, 55, tzinfo=UTC),
        "department": "CSE",
        "year_of_study": "3",
        "team_name": "Bolts",
        "custom_fields": '{"f1":["M","L"]}',
        "team_size": 3,
        "source": "firestore",
        "version_at": datetime(2025, 6, 20, tzinfo=UTC),
    }
    assert {name: row[name] for name in expected} == expected


def test_an_event_is_normalised_once(pipeline: MemoryPipeline) -> None:
    document = event(requires_payment="yes", payment_amount=99.5, max_participants="60", start_date=1_749_357_000_000)
    row = staged(pipeline, "events", document)
    assert row is not None
    assert (row["is_paid"], row["fee_minor"], row["capacity"]) == (True, 9_950, 60)
    assert row["starts_at"] == datetime(2025, 6, 8, 4, 30, tzinfo=UTC)


def test_registration_time_is_creation_time_where_the_app_forgot_it(pipeline: MemoryPipeline) -> None:
    row = staged(pipeline, "registrations", registration(registration_date=ABSENT))
    assert row is not None
    assert row["registered_at"] == row["created_at"] == datetime(2025, 6, 1, 2, 55, tzinfo=UTC)


def test_a_garbled_registration_time_is_not_hidden_by_the_creation_time(pipeline: MemoryPipeline) -> None:
    row = staged(pipeline, "registrations", registration(registration_date="some day"))
    assert row is not None
    assert row["registered_at"] is None
    assert quarantine(pipeline) == [("registered_at.garbled", "noted", "some day")]


@pytest.mark.parametrize(
    ("field", "value", "column", "rule"),
    [
        ("title", ["Hack", "Night"], "title", "title.garbled"),
        ("location", "x" * 1_001, "location", "location.too_long"),
        ("start_date", "in spring", "starts_at", "starts_at.garbled"),
        ("end_date", "32/13/2025", "ends_at", "ends_at.garbled"),
        ("registration_deadline", "soon", "registration_deadline_at", "registration_deadline_at.garbled"),
        ("max_participants", "about fifty", "capacity", "capacity.garbled"),
        ("max_participants", -3, "capacity", "capacity.range"),
        ("registration_open", "perhaps", "is_registration_open", "is_registration_open.garbled"),
        ("requires_payment", "donation", "is_paid", "is_paid.garbled"),
        ("club_id", "x" * 201, "club_id", "club_id.too_long"),
    ],
)
def test_an_event_with_an_unreadable_field_stays_without_it(
    pipeline: MemoryPipeline, field: str, value: object, column: str, rule: str
) -> None:
    row = staged(pipeline, "events", event(**{field: value}))
    assert row is not None
    assert row[column] is None
    assert [(found, consequence) for found, consequence, _ in quarantine(pipeline)] == [(rule, "noted")]


def test_an_event_of_a_nested_document_is_its_parent(pipeline: MemoryPipeline) -> None:
    message = {"message": "doors are open", "timestamp": "2025-06-08T04:00:00Z", "is_pinned": True}
    row = staged(pipeline, "event_live_updates", message, "e1/-Nx")
    assert row is not None
    assert row["event_id"] == "e1"
    pipeline.clear()
    assert staged(pipeline, "event_live_updates", message, "-Nx") is None
    assert quarantine(pipeline) == [("event_id.required", "rejected", None)]


@pytest.mark.parametrize("document", [registration(), registration(status="maybe")], ids=["good", "bad"])
def test_a_deleted_document_is_in_neither(pipeline: MemoryPipeline, document: Any) -> None:
    pipeline.commit(changed("registrations", "d1", document), changed("registrations", "d1", None, after=60))
    pipeline.refresh({"staging.registrations"})
    assert pipeline.rows("staging.registrations") == []
    assert quarantine(pipeline) == []


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_latest_version_wins_whatever_arrives_last(pipeline: MemoryPipeline, order: tuple[int, ...]) -> None:
    versions = [
        changed("registrations", "d1", registration(status="cancelled"), after=1),
        changed("registrations", "d1", None, after=2),
        changed("registrations", "d1", registration(status="attended"), after=3),
    ]
    for number in order:
        pipeline.commit(versions[number])
    pipeline.refresh({"staging.registrations"})
    (row,) = pipeline.rows("staging.registrations")
    assert row["registration_status"] == "attended"
    assert row["version"] == versions[2].version


@pytest.mark.parametrize("order", [("firestore", "export"), ("export", "firestore")])
def test_one_version_from_two_sources_is_one_row(pipeline: MemoryPipeline, order: tuple[str, ...]) -> None:
    for source in order:
        pipeline.commit(changed("registrations", "d1", registration(), source=source))
    pipeline.refresh({"staging.registrations"})
    (row,) = pipeline.rows("staging.registrations")
    assert row["source"] == "firestore"


def test_a_scan_that_nobody_can_read_is_staged_all_the_same(pipeline: MemoryPipeline) -> None:
    row = staged(pipeline, "scans", scan("a poster on the wall"))
    assert row is not None
    assert (row["is_readable"], row["is_checksum_valid"], row["claimed_registration_id"]) == (False, False, None)
    assert row["qr_text"] == "a poster on the wall"


def test_a_scan_whose_time_is_none_is_staged_all_the_same_and_noted(pipeline: MemoryPipeline) -> None:
    row = staged(pipeline, "scans", scan("a poster on the wall", scanned_at="1970-01-01T00:03:00Z"))
    assert row is not None
    assert row["scanned_at"] is None
    assert quarantine(pipeline) == [("scanned_at.garbled", "noted", "1970-01-01T00:03:00Z")]


def test_a_code_with_a_nul_in_it_claims_nothing_that_databases_cannot_hold(pipeline: MemoryPipeline) -> None:
    code = '{"type":"NITS_EVENT_ATTENDANCE","registrationId":"r\\u00001","eventId":"e1","email":"a","timestamp":1}'
    row = staged(pipeline, "scans", scan(code))
    assert row is not None
    assert row["claimed_registration_id"] == "r\ufffd1"


def test_a_sheet_row_belongs_to_the_event_that_names_its_spreadsheet(pipeline: MemoryPipeline) -> None:
    row = {**sheet_row("asha", notes="vegetarian"), "event_id": None}
    pipeline.commit(
        changed("events", "e7", event(google_sheet_id=row["spreadsheet_id"])),
        changed("sheet_rows", f"{row['spreadsheet_id']}/email:asha", row),
    )
    pipeline.refresh({"staging.events", "staging.sheet_rows"})
    (found,) = pipeline.rows("staging.sheet_rows")
    assert (found["event_id"], found["notes"]) == ("e7", "vegetarian")

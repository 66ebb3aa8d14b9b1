"""From Firestore's emulator, an organiser's sheet and the inbox, through real sensors and runs, into the warehouse.

Each run takes seconds, so what one run brings in is a fixture that several tests look at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest

from event_pipeline_tests.end_to_end.organisation import PEOPLE, Organisation, Row
from event_pipeline_tests.warehouse.documents import ABSENT, qr_code, scan

pytestmark = [pytest.mark.emulator, pytest.mark.slow]

LATE_SCAN = scan(qr_code("r-meera", "meera"), "2025-06-08T04:42:10.000Z", "a-phone-that-was-offline")


@dataclass(frozen=True)
class Seen:
    """The tables as one run left them."""

    registrations: dict[str, Row]
    quarantined: list[Row]

    @classmethod
    def now(cls, organisation: Organisation) -> Seen:
        facts = {row["registration_id"]: row for row in organisation.rows("core.fact_registrations")}
        organisation.assert_numbers_agree()
        return cls(facts, organisation.rows("quarantine.rows"))


@pytest.fixture(scope="module")
def edited(organisation: Organisation) -> Seen:
    """The app cancelled asha's registration, garbled divya's and made one for tara; the Firestore sensor saw it."""
    organisation.write_registration("asha", status="cancelled")
    organisation.write_registration("divya", payment_amount="a hundred and a bit")
    organisation.write_registration("tara")
    organisation.follow("firestore")
    return Seen.now(organisation)


@pytest.fixture(scope="module")
def reconciled(organisation: Organisation, edited: Seen) -> Seen:
    """Ravi's registration was deleted, and divya's corrected by hand, which sets no updated_at; then the night came."""
    organisation.delete_registration("ravi")
    organisation.write_registration("divya", updated_at=ABSENT)
    organisation.come_due("reconciliation")
    return Seen.now(organisation)


@pytest.fixture(scope="module")
def scanned(organisation: Organisation) -> Seen:
    """A phone that was offline at the door delivered its scan."""
    organisation.drop("late", LATE_SCAN)
    organisation.follow("inbox")
    return Seen.now(organisation)


@pytest.fixture(scope="module")
def typed(organisation: Organisation) -> Seen:
    """An organiser marked kabir as attended and added nila, who had not registered."""
    organisation.type_into_sheet("kabir", Attendance_Status="Attended", Notes="lost his phone")
    organisation.type_into_sheet("nila", Attendance_Status="Attended")
    organisation.follow("sheets")
    return Seen.now(organisation)


def test_an_organisations_documents_are_in_the_warehouse(organisation: Organisation) -> None:
    registrations = {row["registration_id"]: row for row in organisation.rows("core.fact_registrations")}
    event = organisation.row("core.dim_events", "e1")

    assert registrations["r-farhan"]["event_id"] == "e1"
    assert registrations["r-farhan"]["registered_date"] == date(2025, 6, 1)
    assert registrations["r-lost"]["event_id"] == "unknown"
    assert event is not None
    assert (event["club_id"], event["category_id"], event["start_date"]) == ("c1", "k1", date(2025, 6, 8))
    assert event["starts_at"] == datetime(2025, 6, 8, 4, 30, tzinfo=UTC)
    assert [row["tag_name"] for row in organisation.rows("core.bridge_event_tags")] == ["robots"]
    assert [row["email_event"] for row in organisation.rows("core.fact_email_events")] == ["delivered"]
    assert [row["event_id"] for row in organisation.rows("staging.event_chat")] == ["e1"]
    assert organisation.row("staging.club_requests", "q1") is not None
    organisation.assert_numbers_agree()


def test_nobody_can_be_named_from_the_warehouse(organisation: Organisation) -> None:
    warehouse = {name: rows for name, rows in organisation.contents().items() if name.startswith(("core.", "marts."))}

    assert {f"{person}@example.org" for person in PEOPLE} <= {
        row["email"] for row in organisation.rows("people.people")
    }
    assert [name for name, rows in warehouse.items() if "@example.org" in repr(rows) or "98765" in repr(rows)] == []


def test_an_edited_document_changes_its_fact_and_keeps_its_history(organisation: Organisation, edited: Seen) -> None:
    fact = edited.registrations["r-asha"]

    assert (fact["is_cancelled"], fact["is_counted"]) == (True, False)
    assert [row["operation"] for row in organisation.versions("r-asha")] == ["upsert", "upsert"]


def test_a_garbled_document_goes_to_quarantine_and_the_rest_goes_on(edited: Seen) -> None:
    (found,) = edited.quarantined

    assert (found["document_id"], found["table_name"]) == ("r-divya", "registrations")
    assert (found["field"], found["consequence"]) == ("amount_minor", "rejected")
    assert found["offending_value"] == "a hundred and a bit"
    assert found["what_to_do"]
    assert "r-divya" not in edited.registrations
    assert edited.registrations["r-tara"]["is_counted"]


def test_a_corrected_document_leaves_quarantine_by_itself(edited: Seen, reconciled: Seen) -> None:
    assert reconciled.quarantined == []
    assert reconciled.registrations["r-divya"]["is_counted"]


def test_a_deleted_document_becomes_a_tombstone_and_leaves_the_facts(
    organisation: Organisation, edited: Seen, reconciled: Seen
) -> None:
    assert edited.registrations["r-ravi"]["is_counted"]
    assert "r-ravi" not in reconciled.registrations
    assert organisation.row("staging.registrations", "r-ravi") is None
    assert [row["operation"] for row in organisation.versions("r-ravi")] == ["upsert", "delete"]


def test_a_scan_that_comes_late_counts_at_the_time_it_was_made(organisation: Organisation, scanned: Seen) -> None:
    (arrival,) = [r for r in organisation.rows("core.fact_attendance") if r["registration_id"] == "r-meera"]
    buckets = {row["bucket_at"]: row["check_ins"] for row in organisation.rows("marts.agg_arrivals")}

    assert (arrival["method"], arrival["is_counted"]) == ("qr_scan", True)
    assert arrival["occurred_at"] == datetime(2025, 6, 8, 4, 42, 10, tzinfo=UTC)
    assert scanned.registrations["r-meera"]["attended_at"] == arrival["occurred_at"]
    assert buckets[datetime(2025, 6, 8, 4, 40, tzinfo=UTC)] == 1


def test_what_an_organiser_types_into_the_sheet_is_a_correction(organisation: Organisation, typed: Seen) -> None:
    corrections = organisation.rows("staging.sheet_corrections")
    of_kabir = {row["correction"]: row["corrected_value"] for row in corrections if row["registration_id"] == "r-kabir"}
    (arrival,) = [r for r in organisation.rows("core.fact_attendance") if r["registration_id"] == "r-kabir"]
    (walk_in,) = [row for row in typed.registrations.values() if row["is_walk_in"]]

    assert of_kabir == {"attendance": "attended", "note": "lost his phone"}
    assert (arrival["method"], arrival["is_counted"]) == ("sheet_mark", True)
    assert typed.registrations["r-kabir"]["is_attended"]
    assert (walk_in["event_id"], walk_in["is_attended"]) == ("e1", True)


@pytest.mark.usefixtures("edited", "reconciled", "scanned", "typed")
class TestAfterAllThat:
    def test_no_sensor_sees_anything_new(self, organisation: Organisation) -> None:
        sensors = ("firestore", "sheets", "inbox", "exports")

        assert {organisation.sees(sensor) for sensor in sensors} == {"nothing new"}

    def test_another_run_over_the_same_scan_and_documents_changes_nothing(self, organisation: Organisation) -> None:
        before = organisation.contents()
        organisation.drop("the-same-scan-from-another-phone", LATE_SCAN)
        organisation.follow("inbox")

        assert organisation.contents() == before
        assert [name for name, rows in before.items() if len(rows) != len(set(map(repr, rows)))] == []

"""Registrations: who counts, what is a duplicate, what a sheet corrects, whose a mail is."""

from __future__ import annotations

from datetime import date

import pytest

from event_pipeline.contracts.contract import UNKNOWN
from event_pipeline_tests.models.story import user_of
from event_pipeline_tests.warehouse.pipelines import Row


@pytest.fixture(scope="module")
def facts(told: dict[str, list[Row]]) -> dict[str, Row]:
    return {row["registration_id"]: row for row in told["core.fact_registrations"]}


@pytest.mark.parametrize(
    ("registration_id", "is_cancelled", "is_duplicate"),
    [
        ("twice-a", False, False), ("twice-b", False, True), ("twice-c", False, True), ("same-a", False, False),
        ("same-b", False, True), ("early-cancelled", True, False), ("late-valid", False, False),
        ("timeless-later", False, False), ("timeless", False, True), ("other-event", False, False),
        ("nobody-1", False, False), ("nobody-2", False, False),
    ],
)  # fmt: skip
def test_the_earliest_registration_that_is_not_cancelled_counts(
    facts: dict[str, Row], registration_id: str, is_cancelled: bool, is_duplicate: bool
) -> None:
    row = facts[registration_id]
    assert (row["is_cancelled"], row["is_duplicate"]) == (is_cancelled, is_duplicate)
    assert row["is_counted"] is not (is_cancelled or is_duplicate)


@pytest.mark.parametrize("registration_id", ["dangling", "literally-unknown"])
def test_a_registration_of_no_known_event_stays_on_the_unknown_event(
    facts: dict[str, Row], registration_id: str
) -> None:
    row = facts[registration_id]
    assert (row["event_id"], row["lead_time_days"], row["is_counted"]) == (UNKNOWN, None, True)
    assert row["source_event_id"] == {"dangling": "e-gone", "literally-unknown": UNKNOWN}[registration_id]


def test_team_size_is_the_lead_and_the_members(facts: dict[str, Row]) -> None:
    assert (facts["team"]["team_size"], facts["twice-a"]["team_size"]) == (3, 1)


def test_a_registration_without_a_status_is_registered(facts: dict[str, Row]) -> None:
    assert facts["no-status"]["registration_status"] == "registered"


def test_days_are_the_organisations(facts: dict[str, Row]) -> None:
    assert (facts["same-day"]["registered_date"], facts["same-day"]["lead_time_days"]) == (date(2025, 6, 8), 0)
    assert (facts["after"]["registered_date"], facts["after"]["lead_time_days"]) == (date(2025, 6, 9), -1)
    assert facts["twice-a"]["lead_time_days"] == 7


def test_rows_are_the_accepted_documents_and_the_walk_ins(told: dict[str, list[Row]], facts: dict[str, Row]) -> None:
    walk_ins = [row for row in facts.values() if row["is_walk_in"]]
    assert len(walk_ins) == 3
    assert all(row["registration_id"].startswith("sheet:") for row in walk_ins)
    assert len(facts) == len(told["staging.registrations"]) + 3
    assert {"bad", "deleted"}.isdisjoint(facts)


def test_a_hand_added_row_is_a_walk_in_once_per_person(facts: dict[str, Row]) -> None:
    rows = [row for row in facts.values() if row["user_id"] == user_of("walk-in")]
    assert sorted(row["is_duplicate"] for row in rows) == [False, True]
    assert {row["event_id"] for row in rows} == {"e1"}
    assert {row["department"] for row in rows} == {"ECE", None}


def test_what_organisers_typed_is_a_correction_with_its_provenance(told: dict[str, list[Row]]) -> None:
    found = {(row["sheet_row_id"], row["correction"]): row for row in told["staging.sheet_corrections"]}
    assert set(found) == {
        ("s/walk-in", "walk_in"),
        ("s/walk-in", "payment"),
        ("s/walk-in", "note"),
        ("s/walk-in-again", "walk_in"),
        ("s/nameless-walk-in", "walk_in"),
        ("s/paid", "payment"),
        ("s/noted", "note"),
    }
    said = {key: (row["registration_id"], row["corrected_value"]) for key, row in found.items()}
    assert (said["s/paid", "payment"], said["s/noted", "note"]) == (("paid", "10000"), ("noted", "vegetarian"))
    versions = {row["sheet_row_id"]: row["version"] for row in told["staging.sheet_rows"]}
    assert all(row["version"] == versions[row["sheet_row_id"]] for row in found.values())


def test_mail_events_find_person_and_event_by_registration_else_as_reported(told: dict[str, list[Row]]) -> None:
    mails = {row["email_event_id"]: row for row in told["core.fact_email_events"]}
    assert set(mails) == {"m1", "m2", "m3"}
    found = {key: (row["registration_id"], row["event_id"], row["user_id"]) for key, row in mails.items()}
    assert found == {
        "m1": ("twice-a", "e1", user_of("twice")),
        "m2": (None, UNKNOWN, user_of("only-mailed")),
        "m3": (None, "e1", user_of("only-mailed")),
    }

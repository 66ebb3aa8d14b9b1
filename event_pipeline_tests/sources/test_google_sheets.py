"""What organisers typed arrives once, and a broken worksheet never looks like deleted rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from event_pipeline.errors import PermanentError
from event_pipeline_tests.sheets_server import SheetsServer
from event_pipeline_tests.sources.memory_lake import ids_of
from event_pipeline_tests.sources.sheets_organiser import ASHA, HEADER, MEMBER_HEADER, QUIZ, RAVI, Organiser


@pytest.fixture
def server() -> Iterator[SheetsServer]:
    with SheetsServer() as running:
        yield running


@pytest.fixture
def organiser(server: SheetsServer) -> Organiser:
    return Organiser(server)


def test_rows_become_records_with_one_batch_read(organiser: Organiser) -> None:
    organiser.write(
        ["Quiz - Event Registrations"], [], HEADER, ASHA, RAVI,
        Team_Members=[MEMBER_HEADER, ["1", "Alpha", "asha@x.in", "Mina"]],
        Dashboard=[["Total", "2"]],
    )  # fmt: skip
    before = datetime.now(UTC)
    changes = organiser.poll()
    first_values = next(when for when, address in organiser.server.requests if "batchGet" in address)
    assert organiser.server.asked("batchGet") == 1
    assert [change["document_id"] for change in changes[:2]] == [f"{QUIZ}/email:asha@x.in", f"{QUIZ}/email:ravi@x.in"]
    assert changes[2]["document_id"].startswith(f"{QUIZ}/member:name:")
    assert {(change["source"], change["collection"]) for change in changes} == {("google_sheets", "sheet_rows")}
    assert all(before <= change["observed_at"] <= first_values for change in changes)
    assert json.loads(changes[1]["payload"]) == {
        "spreadsheet_id": QUIZ,
        "event_id": "event-1",
        "worksheet": "Registrations",
        "row_number": 5,
        "fields": {
            "serial_number": "2",
            "name": "Ravi",
            "email": "ravi@x.in",
            "phone": "986",
            "attendance_status": "Not Attended",
            "notes": "came late",
        },
        "custom_fields": {},
    }
    assert json.loads(changes[2]["payload"])["worksheet"] == "Team Members"


def test_unchanged_spreadsheet_costs_one_drive_request(organiser: Organiser) -> None:
    organiser.write(HEADER, ASHA)
    organiser.poll()
    organiser.server.requests.clear()
    assert organiser.poll() == []
    assert [address.split("/")[1] for _, address in organiser.server.requests] == ["drive"]


def test_edit_brings_only_the_edited_row(organiser: Organiser) -> None:
    organiser.write(HEADER, ASHA, RAVI)
    organiser.poll()
    organiser.write(HEADER, ASHA, [*RAVI[:4], "Attended"], at="2025-06-08T01:00:00.000Z")
    [change] = organiser.poll()
    assert (change["document_id"], change["operation"]) == (f"{QUIZ}/email:ravi@x.in", "upsert")


def test_touched_but_unedited_spreadsheet_only_moves_its_cursor(organiser: Organiser) -> None:
    organiser.write(HEADER, ASHA)
    organiser.poll()
    organiser.write(HEADER, ASHA, at="2025-06-08T01:00:00.000Z")
    assert organiser.poll() == []
    assert organiser.lake.cursors[QUIZ]["modified_time"] == "2025-06-08T01:00:00.000Z"


def test_without_drive_the_values_tell_what_changed(organiser: Organiser) -> None:
    organiser.server.drive_is_permitted = False
    organiser.write(HEADER, ASHA)
    assert len(organiser.poll()) == 1
    assert organiser.lake.cursors[QUIZ]["modified_time"] is None
    assert organiser.poll() == []
    organiser.write(HEADER, ASHA, RAVI)
    assert ids_of(organiser.poll()) == [f"{QUIZ}/email:ravi@x.in"]


def test_spreadsheet_tied_to_another_event_is_read_again(organiser: Organiser) -> None:
    organiser.write(HEADER, ASHA)
    organiser.poll(event_id=None)
    [change] = organiser.poll(event_id="event-2")
    assert json.loads(change["payload"])["event_id"] == "event-2"


def test_deleted_row_becomes_a_tombstone_of_its_own_spreadsheet_only(organiser: Organiser) -> None:
    members = [MEMBER_HEADER, ["1", "Alpha", "asha@x.in", "Mina"]]
    for spreadsheet_id in (QUIZ, QUIZ + "0", QUIZ + "-2"):
        organiser.server.put(spreadsheet_id, "1", Registrations=[HEADER, ASHA, RAVI], Team_Members=members)
    organiser.poll(QUIZ, QUIZ + "0", QUIZ + "-2")
    organiser.write(HEADER, RAVI, Team_Members=members)
    deleted = [change for change in organiser.poll() if change["operation"] == "delete"]
    assert ids_of(deleted) == [f"{QUIZ}/email:asha@x.in"]
    assert len(organiser.rows()) == 8


def test_reordered_columns_and_rows_keep_their_identity(organiser: Organiser) -> None:
    organiser.write(HEADER, ASHA, RAVI)
    organiser.poll()
    organiser.write(["Title"], HEADER[::-1], RAVI[::-1], ASHA[::-1], at="2")
    assert {change["operation"] for change in organiser.poll()} == {"upsert"}
    assert organiser.rows() == [f"{QUIZ}/email:asha@x.in", f"{QUIZ}/email:ravi@x.in"]


@pytest.mark.parametrize(
    ("sheets", "message"),
    [
        ({"Registrations": []}, "'Registrations' has no header row"),
        ({"Registrations": [["Quiz - Event Registrations"]]}, "'Registrations' has no header row"),
        ({"Registrations": [[], ASHA, RAVI]}, "'Registrations' has no header row"),
        ({"Sheet1": [HEADER, ASHA, RAVI]}, "'Registrations' is missing; the spreadsheet has: Sheet1"),
        ({"Registrations": [["S.No.", "Name", "", "Phone"], ASHA]}, "'Registrations' has no e-mails any more"),
    ],
)
def test_broken_worksheet_never_looks_like_deletes(
    organiser: Organiser, sheets: dict[str, list[list[str]]], message: str
) -> None:
    organiser.write(HEADER, ASHA, RAVI)
    organiser.poll()
    cursors = dict(organiser.lake.cursors)
    organiser.server.put(QUIZ, "2", **sheets)
    with pytest.raises(PermanentError, match=message):
        organiser.poll()
    assert len(organiser.rows()) == 2
    assert organiser.lake.cursors == cursors
    organiser.write(HEADER, ASHA, at="3")
    assert [change["operation"] for change in organiser.poll()] == ["delete"]


def test_rows_that_are_all_gone_are_deleted_only_when_seen_twice(organiser: Organiser) -> None:
    organiser.write(HEADER, ASHA, RAVI)
    organiser.poll()
    organiser.write(HEADER, at="2")
    assert organiser.poll() == []
    assert len(organiser.rows()) == 2
    assert [change["operation"] for change in organiser.poll()] == ["delete", "delete"]
    assert organiser.poll() == []


def test_worksheet_that_is_being_written_anew_loses_nothing(organiser: Organiser) -> None:
    organiser.write(HEADER, ASHA, RAVI)
    organiser.poll()
    organiser.write(HEADER, at="2")
    organiser.poll()
    organiser.write(HEADER, ASHA, RAVI, at="3")
    assert organiser.poll() == []
    assert len(organiser.rows()) == 2


@pytest.mark.parametrize("team_members", [{}, {"Team_Members": []}])
def test_missing_or_empty_team_members_is_no_error_and_no_delete(
    organiser: Organiser, team_members: dict[str, list[list[str]]]
) -> None:
    organiser.write(HEADER, ASHA, Team_Members=[MEMBER_HEADER, ["1", "Alpha", "asha@x.in", "Mina"]])
    organiser.poll()
    organiser.write(HEADER, ASHA, RAVI, at="2", **team_members)
    assert [change["operation"] for change in organiser.poll()] == ["upsert"]
    assert len(organiser.rows()) == 3


def test_garbled_team_members_still_lets_registrations_through(organiser: Organiser) -> None:
    organiser.write(HEADER, ASHA, Team_Members=[["no header"], ["1", "Alpha"]])
    with pytest.raises(PermanentError, match="'Team Members' has no header row"):
        organiser.poll()
    assert organiser.rows() == [f"{QUIZ}/email:asha@x.in"]
    assert organiser.lake.cursors == {}


def test_worksheet_titles_are_compared_without_case_or_spaces(organiser: Organiser) -> None:
    organiser.server.put(QUIZ, "1", **{"registrations_": [HEADER, ASHA], "O'Neil's_notes": [["x"]]})
    assert ids_of(organiser.poll()) == [f"{QUIZ}/email:asha@x.in"]

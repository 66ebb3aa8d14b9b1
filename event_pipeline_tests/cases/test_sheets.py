"""Spreadsheets as organisers really leave them: who is in them, and what they say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from event_pipeline.settings import Settings, Spreadsheet
from event_pipeline.sources.change import Change
from event_pipeline.sources.google_sheets import GoogleSheetsSource
from event_pipeline_tests.sheets_server import SheetsServer
from event_pipeline_tests.sources.memory_lake import MemoryLake
from event_pipeline_tests.warehouse.documents import SEEN, changed, event, registration, sheet_row
from event_pipeline_tests.warehouse.pipelines import MemoryPipeline

CASES = Path(__file__).parent
SHEET = "spreadsheet-of-the-event"


@pytest.fixture
def server() -> Iterator[SheetsServer]:
    with SheetsServer() as running:
        yield running


def read(server: SheetsServer, worksheets: Mapping[str, Sequence[Sequence[Any]]], event_id: str) -> list[Change]:
    """The changes that a first reading of the spreadsheet brings."""
    server.put(SHEET, "2025-06-20T10:00:00.000Z", **{title.replace(" ", "_"): r for title, r in worksheets.items()})
    source = GoogleSheetsSource(Settings(), endpoint=server.endpoint)
    batches = source.poll([Spreadsheet(spreadsheet_id=SHEET, event_id=event_id)], {}, MemoryLake())
    return [Change(**row) for batch in batches for row in batch.changes.to_pylist()]


def loaded(pipeline: MemoryPipeline, *changes: Change) -> dict[str, list[dict[str, Any]]]:
    pipeline.clear()
    pipeline.commit(*changes)
    pipeline.refresh()
    names = ("core.fact_registrations", "core.fact_payments", "staging.sheet_corrections", "staging.sheet_rows",
             "people.people", "quarantine.rows")  # fmt: skip
    return {name: pipeline.rows(name) for name in names}


def test_totals_and_side_tables_are_nobody(server: SheetsServer, memory_pipeline: MemoryPipeline) -> None:
    worksheets = json.loads((CASES / "71-sheet-totals-and-side-table" / "worksheets.json").read_text())
    people = [
        changed("registrations", f"s71r{number}", registration(
            f"s71r{number}", participant_name="Test Person", participant_email=f"s71r{number}@ex.org"))
        for number in (1, 2, 3)
    ]  # fmt: skip
    tables = loaded(memory_pipeline, changed("events", "e1", event()), *people, *read(server, worksheets, "e1"))
    facts = tables["core.fact_registrations"]
    assert (len(facts), sum(row["is_walk_in"] for row in facts)) == (3, 0)
    assert {row["person_name"] for row in tables["people.people"]}.isdisjoint({"Total", "Grand total: 3"})
    assert tables["quarantine.rows"] == []


def test_an_answer_under_the_name_of_a_column_is_no_correction(
    server: SheetsServer, memory_pipeline: MemoryPipeline
) -> None:
    folder = CASES / "96-sheet-question-named-like-a-column"
    base = json.loads((folder / "base.json").read_text())
    worksheets = json.loads((folder / "worksheets.json").read_text())
    documents = [changed(name, key, document) for name, found in base.items() for key, document in found.items()]
    tables = loaded(memory_pipeline, *documents, *read(server, worksheets, "s96"))
    assert (tables["core.fact_payments"], tables["staging.sheet_corrections"]) == ([], [])
    (row,) = tables["staging.sheet_rows"]
    assert (row["payment_mark"], row["notes"]) == (None, None)
    assert json.loads(row["custom_fields"]) == {"Payment Status": "Yes", "Remarks": "vegetarian"}
    assert tables["quarantine.rows"] == []


def test_the_same_column_of_an_event_that_does_not_ask_so_is_an_organisers(
    server: SheetsServer, memory_pipeline: MemoryPipeline
) -> None:
    folder = CASES / "96-sheet-question-named-like-a-column"
    base = json.loads((folder / "base.json").read_text())
    base["events"]["s96"]["custom_fields"] = []
    worksheets = json.loads((folder / "worksheets.json").read_text())
    documents = [changed(name, key, document) for name, found in base.items() for key, document in found.items()]
    tables = loaded(memory_pipeline, *documents, *read(server, worksheets, "s96"))
    assert [row["correction"] for row in tables["staging.sheet_corrections"]] == ["payment"]


HEADER = ["S.No.", "Name", "Email", "Phone", "Attendance Status", "Registration Date", "Notes"]


def test_a_person_typed_twice_or_in_a_copy_counts_once(server: SheetsServer, memory_pipeline: MemoryPipeline) -> None:
    rows = [
        HEADER,
        ["1", "Ravi Kumar", "", "98765 43210", "", "8/6/2025", ""],
        ["2", "ravi kumar", "", "+91 9876543210", "✓", "8/6/2025", ""],
        ["3", "Mina", "mina@example.org", "", "", "8/6/2025", ""],
    ]
    first = read(server, {"Registrations": rows}, "e1")
    copies = [
        Change.upsert(c.source, c.collection, c.document_id.replace(SHEET, "a-copy"), c.payload or "", c.observed_at)
        for c in first
    ]
    facts = loaded(memory_pipeline, changed("events", "e1", event()), *first, *copies)["core.fact_registrations"]
    assert sorted((row["is_counted"], row["is_attended"]) for row in facts) == [
        (False, False), (True, False), (True, True),
    ]  # fmt: skip


def test_a_date_that_cannot_be_read_is_none_and_noted(server: SheetsServer, memory_pipeline: MemoryPipeline) -> None:
    rows = [
        HEADER,
        ["1", "Ravi", "ravi@example.org", "", "", "the other day", ""],
        ["2", "Mina", "mina@example.org", "", "", 45816.5, ""],
        ["", "Just A Name"],
    ]
    documents = [changed("events", "e1", event()), *read(server, {"Registrations": rows}, "e1")]
    tables = loaded(memory_pipeline, *documents)
    dates = {str(row["registered_date"]) for row in tables["core.fact_registrations"]}
    assert dates == {"None", "2025-06-08"}
    notes = {row["rule"]: row["what_to_do"] for row in tables["quarantine.rows"]}
    assert set(notes) == {"registered_at.garbled", "row_doubt.allowed"}
    assert notes["row_doubt.allowed"].startswith("nobody is counted for this row of the sheet")


def test_a_registration_without_an_address_is_no_walk_in_of_its_own_sheet(
    server: SheetsServer, memory_pipeline: MemoryPipeline
) -> None:
    rows = [
        HEADER,
        ["1", "Asha Rao", "N/A", "N/A", "Attended", "8/6/2025", ""],
        ["2", "Rao, Asha", "N/A", "98765 43210", "", "8/6/2025", "came late"],
        ["3", "Son Of Parent", "parent@example.org", "", "✓", "8/6/2025", ""],
    ]
    people = [
        changed("registrations", "r1", registration("a", participant_email=None, participant_name="Asha Rao",
                                                    participant_phone="9876543210")),
        changed("registrations", "r2", registration("parent", participant_name="Daughter Of Parent")),
        changed("registrations", "r3", registration("parent", participant_name="Son of Parent")),
    ]  # fmt: skip
    documents = [changed("events", "e1", event()), *people, *read(server, {"Registrations": rows}, "e1")]
    tables = loaded(memory_pipeline, *documents)
    assert len(tables["core.fact_registrations"]) == 3
    said = {(row["registration_id"], row["correction"]) for row in tables["staging.sheet_corrections"]}
    assert said == {("r1", "attendance"), ("r1", "note"), ("r3", "attendance")}


def test_a_mark_of_attendance_without_a_time_keeps_the_time_of_its_first_sighting(
    memory_pipeline: MemoryPipeline,
) -> None:
    def row(second: int, **fields: str) -> Change:
        return changed("sheet_rows", f"{SHEET}/email:asha@example.org", sheet_row("asha", **fields), after=second)

    states = [
        row(1, attendance_status="attended"),
        row(2),
        row(3, attendance_status="Attended"),
        row(4, attendance_status="Attended", notes="came with a friend"),
        row(5, attendance_status="attended", notes="came alone"),
    ]
    base = [changed("events", "e1", event()), changed("registrations", "r1", registration())]
    memory_pipeline.clear()
    memory_pipeline.commit(*base)
    for state in states:
        memory_pipeline.commit(state)
        memory_pipeline.refresh()
    (fact,) = memory_pipeline.rows("core.fact_registrations")
    assert (fact["is_attended"], fact["attended_at"]) == (True, SEEN + timedelta(seconds=3))


def test_a_deleted_registration_without_an_address_is_no_walk_in_of_its_sheet(
    server: SheetsServer, memory_pipeline: MemoryPipeline
) -> None:
    rows = [
        HEADER,
        ["1", "Asha Rao", "N/A", "N/A", "", "8/6/2025", ""],
        ["2", "Rao, Asha", "N/A", "+91 98765 43210", "Attended", "8/6/2025", ""],
        ["3", "Mina", "N/A", "98765 00000", "", "8/6/2025", ""],
        ["4", "Ravi", "N/A", "91234 56789", "", "8/6/2025", ""],
        ["5", "Old Address", "old@example.org", "", "", "8/6/2025", ""],
        ["6", "Mistyped", "not an address", "", "Attended", "8/6/2025", ""],
    ]
    gone = {
        "r1": registration("a", participant_email=None, participant_name="Asha Rao", participant_phone="9876543210"),
        "r2": registration("mina", participant_name="Mina", participant_phone="98765-00000"),
        "r3": registration("r", participant_email=None, participant_name="Ravi", participant_phone="9000000000"),
        "r4": registration("old"),
        "r5": registration("mistyped", participant_email="not an address"),
    }
    documents = [changed("events", "e1", event()), *(changed("registrations", key, said) for key, said in gone.items())]
    # The last one is refused, not deleted.
    deletes = [changed("registrations", key, None, after=1) for key in list(gone)[:-1]]
    tables = loaded(memory_pipeline, *documents, *deletes, *read(server, {"Registrations": rows}, "e1"))
    walk_ins = [row["sheet_row_id"] for row in tables["staging.sheet_corrections"] if row["correction"] == "walk_in"]
    names = {row["sheet_row_id"]: row["participant_name"] for row in tables["staging.sheet_rows"]}
    # Another phone number is another Ravi.
    assert [names[key] for key in walk_ins] == ["Ravi"]
    assert [row["is_walk_in"] for row in tables["core.fact_registrations"]] == [True]

"""An organisation whose documents are in Firestore, sheets and the inbox, and the pipeline that follows it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dagster import DagsterRunStatus
from dagster._core.scheduler.instigation import InstigatorTick

from event_pipeline.contracts.ops import DATA_QUALITY
from event_pipeline.contracts.progress import PROGRESS
from event_pipeline.contracts.quarantine import QUARANTINE
from event_pipeline.contracts.raw import CURSORS
from event_pipeline.contracts.source_state import SOURCE_STATE
from event_pipeline.contracts.stream import BATCHES, STREAM_STATUS
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect
from event_pipeline.warehouse.table_contracts import CONTRACTS
from event_pipeline_tests.definitions.daemon import Daemon
from event_pipeline_tests.sheets_server import SheetsServer
from event_pipeline_tests.sources.firestore_organisation import ago
from event_pipeline_tests.warehouse import documents

if TYPE_CHECKING:
    from google.cloud.firestore import Client

SHEET = "sheet-of-robo-wars"
HEADER = ["S.No.", "Name", "Email", "Phone", "Registration Status", "Attendance Status", "Notes"]
PEOPLE = ("asha", "ravi", "meera", "kabir", "divya", "farhan")
"""Each registered for event e1, their registration's id being r-{person}."""

_STATE_OF_THE_PIPELINE = {
    contract.name for contract in (CURSORS, SOURCE_STATE, DATA_QUALITY, *PROGRESS.values(), STREAM_STATUS, BATCHES)
}

Row = dict[str, Any]


class Organisation:
    """What people do in the app, at the door and in the sheet; what the pipeline makes of it."""

    def __init__(self, client: Client, sheets: SheetsServer, settings: Settings, daemon: Daemon) -> None:
        self._client, self._sheets, self._settings, self._daemon = client, sheets, settings, daemon
        self._sheet_rows = {person: self._sheet_row(person) for person in PEOPLE}

    @contextmanager
    def read(self) -> Iterator[None]:
        """While its tables may be read; they exist once a run has ended."""
        with connect(self._settings, read_only=True) as self._reader:
            yield

    def exist(self) -> None:
        """Everything there is before the pipeline is first started."""
        starts = datetime(2025, 6, 8, 4, 30, tzinfo=UTC)
        event = documents.event(start_date=starts, end_date=starts + timedelta(hours=8), google_sheet_id=SHEET)
        self._put("clubs", "c1", {"name": "Robotics", "created_at": ago(days=400)})
        self._put("categories", "k1", {"name": "Technical", "color": "#0000ff"})
        self._put("events", "e1", event)
        self._put("tags", "t1", {"name": "robots", "color": "#00ff00"})
        self._put("event_tags", "e1_t1", {"event_id": "e1", "tag_id": "t1"})
        self._put("club_requests", "q1", {"club_name": "Drama", "status": "pending"})
        self._put("event_chat/e1/messages", "m1", {"message": "See you there", "timestamp": ago(days=300)})
        for person in PEOPLE:
            self.write_registration(person, updated_at="2025-06-02T02:55:00.000Z")
        self._put("registrations", "r-lost", documents.registration("lost", event_id="an event deleted long ago"))
        self.drop("mails", documents.email_event("r-asha"))
        self._save_sheet()

    def write_registration(self, person: str, **fields: Any) -> None:
        """The whole document of the person's registration is written, at this moment unless ``updated_at`` is given."""
        document = documents.registration(person, **{"updated_at": ago(seconds=0), **fields})
        self._put("registrations", f"r-{person}", document)

    def delete_registration(self, person: str) -> None:
        self._client.collection("registrations").document(f"r-{person}").delete()

    def type_into_sheet(self, person: str, **cells: str) -> None:
        """An organiser fills cells, by header with _ for a space, of the person's row; a new one if there is none."""
        row = self._sheet_rows.setdefault(person, self._sheet_row(person))
        for header, text in cells.items():
            row[HEADER.index(header.replace("_", " "))] = text
        self._save_sheet()

    def drop(self, name: str, *records: Row) -> None:
        """A file of records arrives in the inbox."""
        self._settings.inbox_dir.mkdir(parents=True, exist_ok=True)
        lines = "".join(json.dumps(record) + "\n" for record in records)
        (self._settings.inbox_dir / f"{name}.ndjson").write_text(lines)

    def follow(self, sensor: str) -> None:
        """One tick of the sensor, which must start a run, and that run to its end."""
        tick = self._daemon.tick(sensor)
        assert len(tick.run_ids) == 1, tick.skip_reason
        self._assert_ended_well(tick)

    def come_due(self, schedule: str) -> None:
        """The schedule's time comes, and its run to its end."""
        self._assert_ended_well(self._daemon.come_due(schedule))

    def sees(self, sensor: str) -> str | None:
        """Why a tick of the sensor started nothing."""
        tick = self._daemon.tick(sensor)
        assert tick.run_ids == []
        return tick.skip_reason

    def rows(self, name: str) -> list[Row]:
        """A table's rows."""
        contract = CONTRACTS[name]
        return self._reader.execute(f"FROM {contract.qualified} ORDER BY ALL").to_arrow_table().to_pylist()

    def row(self, name: str, key: str) -> Row | None:
        """The row of a table whose first key column is ``key``."""
        return next((row for row in self.rows(name) if row[CONTRACTS[name].key[0]] == key), None)

    def versions(self, registration: str) -> list[Row]:
        """What the lake keeps of a registration's document, oldest first."""
        found = [row for row in self.rows("raw.firebase_registrations") if row["document_id"] == registration]
        return sorted(found, key=lambda row: row["version"])

    def quarantined(self, document_id: str) -> list[Row]:
        return [row for row in self.rows(QUARANTINE.name) if row["document_id"] == document_id]

    def assert_numbers_agree(self) -> None:
        """What is counted for event e1 is the same in the facts and by day."""
        by_day = [row for row in self.rows("marts.agg_event_metrics") if row["event_id"] == "e1"]
        for measure, fact, flag in (
            ("registrations", "core.fact_registrations", "is_counted"),
            ("cancellations", "core.fact_registrations", "is_cancelled"),
            ("walk_ins", "core.fact_registrations", "is_walk_in"),
            ("check_ins", "core.fact_attendance", "is_counted"),
        ):
            counted = [row for row in self.rows(fact) if row["event_id"] == "e1" and row[flag]]
            assert sum(row[measure] for row in by_day) == len(counted), measure

    def contents(self) -> dict[str, list[Any]]:
        """Every table that holds what people did, in no order of its own."""
        return {
            name: self._reader.execute(f"FROM {contract.qualified} ORDER BY ALL").fetchall()
            for name, contract in CONTRACTS.items()
            if name not in _STATE_OF_THE_PIPELINE
        }

    def _assert_ended_well(self, tick: InstigatorTick) -> None:
        (run,) = self._daemon.runs(run_ids=list(tick.run_ids))
        assert run.status == DagsterRunStatus.SUCCESS, self._daemon.errors(run.run_id)

    def _put(self, collection: str, document_id: str, document: Row) -> None:
        self._client.collection(collection).document(document_id).set(document)

    def _save_sheet(self) -> None:
        rows = [["Robo Wars 2025 - Event Registrations"], [], HEADER, *self._sheet_rows.values()]
        self._sheets.put(SHEET, ago(seconds=0) + str(len(self._sheets.requests)), Registrations=rows)

    def _sheet_row(self, person: str) -> list[str]:
        return ["1", person.title(), f"{person}@example.org", "N/A", "registered", "Not Attended", ""]

"""People of teams, amounts of a European organisation, and several people behind one address, from export files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from event_pipeline.warehouse.ingest import ingest_exports
from event_pipeline_tests.warehouse.documents import event, registration
from event_pipeline_tests.warehouse.pipelines import Pipeline, Row, real_pipeline

CASES = Path(__file__).parent
TABLES = (
    "staging.events", "staging.registrations", "staging.sheet_rows", "staging.absent_registrations",
    "staging.sheet_corrections", "staging.attendance_reversals", "staging.resolved_registrations", "staging.scans",
    "core.dim_events", "core.fact_attendance", "core.fact_registrations",
)  # fmt: skip


def loaded(pipeline: Pipeline) -> dict[str, Row]:
    """Everything in the exports folder, as registrations by id."""
    ingest_exports(pipeline.lake, pipeline.settings)
    pipeline.refresh(TABLES)
    return pipeline.by_key("core.fact_registrations")


def export(pipeline: Pipeline, name: str, document: Mapping[str, Any]) -> None:
    """Drops an export file into the folder that is read."""
    pipeline.settings.exports_dir.mkdir(parents=True, exist_ok=True)
    (pipeline.settings.exports_dir / name).write_text(json.dumps(document), encoding="utf-8")


def test_lists_with_holes_and_objects_of_members_are_people(tmp_path: Path) -> None:
    with real_pipeline(tmp_path) as pipeline:
        pipeline.settings.exports_dir.mkdir(parents=True, exist_ok=True)
        for name in ("numeric.json", "teams.json"):
            shutil.copy(CASES / "01-rtdb-numeric-keys" / name, pipeline.settings.exports_dir)
        found = loaded(pipeline)
    sizes = {key: row["team_size"] for key, row in found.items()}
    assert sizes == {"1": 1, "2": 1, "t1": 3, "t2": 3, "t3": 3}
    assert all(row["is_counted"] for row in found.values())


def test_a_european_organisations_amounts_are_those_written(tmp_path: Path) -> None:
    organisation = {"currency": "EUR", "country": "DE", "time_zone": "Europe/Berlin"}
    with real_pipeline(tmp_path, organisation=organisation) as pipeline:
        pipeline.settings.exports_dir.mkdir(parents=True, exist_ok=True)
        shutil.copy(CASES / "21-amounts-eur" / "eur.json", pipeline.settings.exports_dir)
        loaded(pipeline)
        amounts = {key: row["amount_minor"] for key, row in pipeline.by_key("staging.registrations").items()}
        assert pipeline.rejected("registrations") == set()
    assert amounts == {
        "a1": 1_250, "a2": 1_250, "a3": 1_250, "a4": 123_456, "a5": 123_456, "a6": 1_250, "a7": 1_250, "a8": 1_250,
        "a9": 123_456, "a10": 1_250, "a11": 999,
    }  # fmt: skip


def test_a_json_numbers_point_groups_no_thousands(tmp_path: Path) -> None:
    organisation = {"currency": "EUR", "country": "DE"}
    amounts: dict[str, Any] = {
        "number": 12.5,
        "float": 12.500000000000002,
        "fine": 1.234,
        "text": "1.234",
        "usd": "$12",
    }
    documents = {key: registration(key, payment_amount=amount) for key, amount in amounts.items()}
    with real_pipeline(tmp_path, organisation=organisation) as pipeline:
        export(pipeline, "amounts.json", {"registrations": documents})
        loaded(pipeline)
        found = {key: row["amount_minor"] for key, row in pipeline.by_key("staging.registrations").items()}
        assert pipeline.rejected("registrations") == {"fine", "usd"}
    assert found == {"number": 1_250, "float": 1_250, "text": 123_400}


def test_people_of_one_address_are_told_apart_by_name(tmp_path: Path) -> None:
    def shared(name: str | None, day: int, address: str = "ASHA@MÜNCHEN.example", **more: Any) -> dict[str, Any]:
        at = f"2025-06-0{day}T00:00:00.000Z"
        return registration(participant_name=name, participant_email=address, registration_date=at, **more)

    documents = {
        "asha": shared("Asha Rao", 1),
        "ravi": shared("Ravi Rao", 2, "asha@xn--mnchen-3ya.example", attendance_status="attended"),
        "asha-again": shared("RAO, Áshà", 3, "asha@mu\u0308nchen.example", attendance_status="attended"),
        "nameless": shared(None, 4),
        "elsewhere": shared("Ravi Rao", 5, event_id="e2"),
        "nobody": registration(participant_email=None),
    }
    with real_pipeline(tmp_path) as pipeline:
        export(pipeline, "shared.json", {"events": {"e1": event(), "e2": event()}, "registrations": documents})
        found = loaded(pipeline)
    assert len({found[key]["user_id"] for key in ("asha", "ravi", "asha-again", "nameless", "elsewhere")}) == 1
    assert {key for key, row in found.items() if row["is_duplicate"]} == {"asha-again", "nameless"}
    assert {key for key, row in found.items() if row["is_shared_address"]} == {"asha", "ravi", "asha-again", "nameless"}
    assert {key for key, row in found.items() if row["is_attended"]} == {"asha", "ravi"}
    assert found["nobody"]["registrant_key"] == "nobody"

"""Which sources are followed, by the settings, and under the names that sensors and cursors know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from event_pipeline.settings import Settings
from event_pipeline.stream.build import plan_sources
from event_pipeline.stream.known import committed_lake

FIRESTORE = {"backend": "firestore", "project_id": "p"}
REALTIME = {"backend": "realtime_database", "database_url": "https://p.firebaseio.com"}

SHEETS = {"follow_events": True}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["inbox"]),
        ({"firebase": FIRESTORE}, ["inbox", "firestore"]),
        ({"firebase": REALTIME}, ["inbox", "realtime_database"]),
        ({"sheets": SHEETS}, ["inbox", "google_sheets"]),
        ({"sheets": {"spreadsheets": [{"spreadsheet_id": "a-spreadsheet"}]}}, ["inbox", "google_sheets"]),
    ],
)
def test_the_sources_of_the_settings(tmp_path: Path, given: dict[str, Any], expected: list[str]) -> None:
    assert [source.name for source in plan_sources(Settings(data_dir=tmp_path, **given))] == expected


@pytest.mark.parametrize(
    "given", [{"firebase": FIRESTORE}, {"firebase": REALTIME}, {"sheets": {"follow_events": True}}]
)
def test_a_planned_source_is_made_anew_each_time_and_has_its_name(worked: Settings, given: dict[str, Any]) -> None:
    settings = Settings(**{**worked.model_dump(), **given})
    with committed_lake(settings) as lake:
        for planned in plan_sources(settings):
            one, other = planned.make(lake), planned.make(lake)
            assert (one.name, other.name) == (planned.name, planned.name)
            assert one is not other
            if planned.name != "inbox":
                assert one.collections == planned.collections

"""History as people really have it: the newest state wins, whatever spelling its update time has."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from event_pipeline.warehouse.ingest import ingest_exports
from event_pipeline.warehouse.load import load_file
from event_pipeline_tests.warehouse.fixtures import running
from event_pipeline_tests.warehouse.pipelines import Pipeline

__all__ = ["running"]

CASES = Path(__file__).parent
WRITTEN = datetime(2025, 6, 20, tzinfo=UTC).timestamp()


def test_the_newest_state_wins_in_every_spelling_of_its_update_time(running: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "states.ndjson"
    shutil.copy(CASES / "95-ndjson-update-time-spellings" / "states.ndjson", path)
    os.utime(path, (WRITTEN, WRITTEN))
    loaded = load_file(running.lake, running.settings, path)
    assert (loaded.documents, loaded.failure, loaded.notes) == (12, None, ())
    running.refresh(["staging.registrations"])
    rows = running.connection.execute(
        "SELECT registration_id, registration_status FROM lake.staging.registrations ORDER BY 1"
    ).fetchall()
    assert rows == [(f"u{number}", "cancelled") for number in range(1, 7)]


def test_a_line_leaves_quarantine_with_the_next_reading_of_its_mended_file(running: Pipeline, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    running.settings.exports_dir.mkdir(parents=True, exist_ok=True)
    here, there = running.settings.exports_dir / "tags.ndjson", elsewhere / "tags.ndjson"
    mended = '{"id": "t1", "data": {"name": "Arts"}}\n'
    for path in (here, there):
        path.write_text('{"id": "t1", "data": {"name": "Arts"}\n')
    ingest_exports(running.lake, running.settings)
    load_file(running.lake, running.settings, there)
    assert _waiting(running) == {"tags.ndjson", str(there.resolve())}
    here.write_text(mended)
    ingest_exports(running.lake, running.settings)
    assert _waiting(running) == {str(there.resolve())}
    there.write_text(mended)
    load_file(running.lake, running.settings, there)
    assert _waiting(running) == set()


def _waiting(pipeline: Pipeline) -> set[str]:
    """Files of the lines in quarantine."""
    pipeline.refresh(["staging.unreadable"])
    return {name.rsplit(":", 2)[0] for name in pipeline.rejected("unreadable")}

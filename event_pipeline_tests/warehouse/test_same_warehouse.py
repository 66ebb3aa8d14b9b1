"""Loading, refreshing and loading everything again make the same tables, through files and the real storage."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from event_pipeline.demo.generate import generate_demo
from event_pipeline.settings import Settings
from event_pipeline.warehouse.ingest import Ingested, ingest_exports, ingest_inbox
from event_pipeline_tests.models.story import STORY
from event_pipeline_tests.warehouse.pipelines import MemoryPipeline, Pipeline, real_pipeline

WRITTEN, LATER = (datetime(2026, 7, day, tzinfo=UTC).timestamp() for day in (1, 2))
SHEET_ROWS = [change for change in STORY if change.collection == "sheet_rows"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small organisation's export and inbox files, all written at one instant."""
    folder = tmp_path_factory.mktemp("demo")
    generate_demo(folder, registrations=150, seed=7)
    (folder / "inbox" / "torn.ndjson").write_text('{"type": "scan", "qr_code_da')
    for path in folder.rglob("*.*"):
        os.utime(path, (WRITTEN, WRITTEN))
    return folder


def drop_files(
    demo: Path, settings: Settings, written: float = WRITTEN, prefix: str = "", but: Sequence[str] = ()
) -> None:
    """Puts every file, ``but`` these, where the pipeline finds it."""
    for source in sorted(path for path in demo.rglob("*.*") if path.is_file() and path.name not in but):
        folder = settings.exports_dir if source.parent.name == "exports" else settings.inbox_dir
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{prefix}{source.name}"
        shutil.copy2(source, target)
        os.utime(target, (written, written))


def load(pipeline: Pipeline) -> Ingested:
    """Everything there is to load, through the doors it comes in by."""
    read = ingest_exports(pipeline.lake, pipeline.settings)
    read.add(ingest_inbox(pipeline.lake, pipeline.settings))
    read.changes["sheet_rows"] += pipeline.commit(*SHEET_ROWS)
    assert read.failures == []
    return read


def test_loading_everything_again_and_loading_it_elsewhere_make_the_same_tables(demo: Path, tmp_path: Path) -> None:
    with real_pipeline(tmp_path / "first") as first:
        drop_files(demo, first.settings)
        assert load(first).changes.total() > 500
        first.refresh()
        once = first.content_hashes()
        empty = {name for name, found in once.items() if found.startswith("0 rows")}
        assert empty == {"staging.attendance_reversals", "staging.payment_verifications", "staging.unreadable"}

        drop_files(demo, first.settings, LATER)
        # A line that nobody can read is known by its file and line, so under another name it would be another.
        drop_files(demo, first.settings, LATER, prefix="again-", but=["torn.ndjson"])
        assert load(first).changes.total() == 0
        first.refresh()
        assert first.content_hashes() == once

    second = MemoryPipeline(tmp_path / "second", batch_size=37)
    drop_files(demo, second.settings)
    load(second)
    second.refresh()
    assert second.content_hashes() == once

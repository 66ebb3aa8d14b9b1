"""The inbox followed live: every record once, no file moved before its records are committed."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from event_pipeline.settings import Stream
from event_pipeline.stream.sources.files_and_sheets import InboxWatch
from event_pipeline_tests.sources.memory_lake import MemoryLake
from event_pipeline_tests.stream.sources.following import Following, following

DAY = date(2025, 6, 8)


def watch(inbox: Path, batch_size: int = 1_000) -> InboxWatch:
    return InboxWatch(inbox, batch_size, Stream(inbox_milliseconds=10), done_days=30, today=lambda: DAY)


def scan(number: int) -> dict[str, Any]:
    at = f"2025-06-08T03:{number % 60:02d}:00Z"
    return {"type": "scan", "qr_code_data": f"code {number}", "scanned_at": at, "scanner_id": "gate", "received_at": at}


def drop(inbox: Path, name: str, *records: Any) -> Path:
    inbox.mkdir(exist_ok=True)
    part = inbox / f"{name}.part"
    part.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    return part.rename(inbox / name)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    return tmp_path / "inbox"


def commit_all(source: InboxWatch, run: Following) -> None:
    for batch in list(run.batches):
        source.committed(batch)


def test_records_come_as_files_appear_also_into_a_folder_that_was_not_there(inbox: Path, lake: MemoryLake):
    source = watch(inbox)
    with following(source, lake) as run:
        run.wait_state("live", "*")
        drop(inbox, "a.ndjson", scan(1), scan(2), {"type": "email_event", "provider": "p", "provider_event_id": "1"})
        run.wait(lambda: len(lake.ids("scans")) == 2 and len(lake.ids("email_events")) == 1)
        drop(inbox, "b.ndjson", scan(2), scan(3))
        run.wait(lambda: len(lake.ids("scans")) == 3)
    assert len(run.changes()) == 4


def test_a_file_is_moved_away_once_its_last_batch_is_committed(inbox: Path, lake: MemoryLake):
    source = watch(inbox, batch_size=2)
    path = drop(inbox, "a.ndjson", *map(scan, range(6)))
    with following(source, lake) as run:
        run.wait(lambda: len(lake.ids("scans")) == 6)
        drop(inbox, "b.ndjson", {"type": "payment_event", "provider": "p", "provider_event_id": "1"})
        run.wait(lambda: lake.ids("payment_events"))  # the file before it is read to its end
        *early, last = [batch for batch in run.batches if batch.collection == "scans"]
        for batch in early:
            source.committed(batch)
        assert path.exists()
        source.committed(last)
    assert len(early) == 2
    assert not path.exists()
    assert [item.name for item in (inbox / "done").rglob("*.ndjson")] == ["a.ndjson"]


def test_a_file_that_was_not_committed_is_read_again_after_a_crash(inbox: Path, lake: MemoryLake):
    drop(inbox, "a.ndjson", scan(1), scan(2))
    with following(watch(inbox), lake) as run:
        run.wait(lambda: len(lake.ids("scans")) == 2)
    assert (inbox / "a.ndjson").exists()
    source = watch(inbox)
    with following(source, lake) as run:
        run.wait_state("live", "*")
    assert run.changes() == []  # the lake had it already, so that nothing was left to commit
    assert not (inbox / "a.ndjson").exists()


def test_a_file_without_news_is_moved_at_once(inbox: Path, lake: MemoryLake):
    source = watch(inbox)
    drop(inbox, "a.ndjson", scan(1))
    with following(source, lake) as run:
        run.wait(lambda: lake.ids("scans"))
        commit_all(source, run)
        drop(inbox, "b.ndjson", scan(1))
        drop(inbox, "c.ndjson", scan(2))
        run.wait(lambda: len(lake.ids("scans")) == 2)
    assert [path.name for path in inbox.glob("*.ndjson")] == ["c.ndjson"]


def test_an_unreadable_file_goes_to_failed_and_keeps_no_other(
    inbox: Path, lake: MemoryLake, monkeypatch: pytest.MonkeyPatch
):
    from event_pipeline.errors import PermanentError
    from event_pipeline.sources import inbox as inbox_module

    whole = inbox_module.line_blocks

    def refusing(stream: Any, name: str):
        yield from whole(stream, name)
        if name == "bad.ndjson":
            raise PermanentError(f"{name} holds a line above the limit")

    monkeypatch.setattr(inbox_module, "line_blocks", refusing)
    source = watch(inbox)
    drop(inbox, "bad.ndjson", scan(1))
    drop(inbox, "good.ndjson", scan(2))
    with following(source, lake) as run:
        run.wait(lambda: len(lake.ids("scans")) == 2)
        assert (inbox / "bad.ndjson").exists()
        commit_all(source, run)
    assert [path.name for path in (inbox / "failed").rglob("*.ndjson")] == ["bad.ndjson"]
    assert "above the limit" in run.reports[0].message


def test_a_file_that_somebody_else_takes_is_no_failure(inbox: Path, lake: MemoryLake, monkeypatch: pytest.MonkeyPatch):
    source = watch(inbox)
    listings = iter([[inbox / "a.ndjson"]])
    monkeypatch.setattr(source._source, "files", lambda: next(listings, []))
    with following(source, lake) as run:
        run.wait_state("live", "*")
    assert run.states() == ["live"]
    assert source._files == {}


def test_a_file_that_cannot_be_moved_is_reported_and_not_read_over_and_over(
    inbox: Path, lake: MemoryLake, monkeypatch: pytest.MonkeyPatch
):
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    source = watch(inbox)
    monkeypatch.setattr(source._source, "mark_done", refuse)
    drop(inbox, "a.ndjson", scan(1))
    with following(source, lake) as run:
        run.wait(lambda: lake.ids("scans"))
        commit_all(source, run)
        run.wait_state("unavailable", "*")
    assert "make the inbox writable" in run.reports[-1].message
    assert len(run.batches) == 1


def test_a_worker_that_is_behind_holds_the_reading_back(inbox: Path, lake: MemoryLake):
    source = watch(inbox, batch_size=2)
    for number in range(5):
        drop(inbox, f"{number}.ndjson", scan(number))
    with following(source, lake, is_gated=True) as run:
        assert run.is_asked.wait(10)
        assert len(source._batches) == 1
        run.gate.set()
        run.wait(lambda: len(lake.ids("scans")) == 5)

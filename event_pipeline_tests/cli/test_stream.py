"""The stream worker as it is started: a process that follows the inbox, is stopped, killed, and goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from event_pipeline.contracts.stream import STREAM_STATUS
from event_pipeline.settings import Settings
from event_pipeline.stream.heartbeat import heartbeat_path
from event_pipeline.warehouse.connection import connect
from event_pipeline_tests.warehouse.documents import qr_code, scan

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "event_pipeline.cli", "stream"]


class Folder:
    """A data folder, and what scanners drop into it."""

    def __init__(self, path: Path) -> None:
        self.settings = Settings(data_dir=path)
        self.dropped: set[str] = set()

    @property
    def environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PIPELINE_")}
        return clean | {
            "PIPELINE_DATA_DIR": str(self.settings.data_dir),
            "PIPELINE_DAGSTER_URL": "http://127.0.0.1:9",
            "PIPELINE_STREAM__BATCH_CHANGES": "20",
            "PIPELINE_STREAM__INBOX_MILLISECONDS": "20",
            "PIPELINE_LOG_FORMAT": "json",
        }

    def drop(self, name: str, count: int) -> None:
        codes = [qr_code(f"{name}-{number}") for number in range(count)]
        self.dropped.update(codes)
        self.settings.inbox_dir.mkdir(parents=True, exist_ok=True)
        part = self.settings.inbox_dir / f"{name}.part"
        part.write_text("".join(f"{json.dumps(scan(code))}\n" for code in codes))
        part.rename(part.with_suffix(".ndjson"))

    def waiting(self) -> list[Path]:
        return sorted(self.settings.inbox_dir.glob("*.ndjson"))

    def query(self, text: str) -> list[tuple]:
        with connect(self.settings, read_only=True) as connection:
            return connection.execute(text).fetchall()

    def read_scans(self) -> list[str]:
        """Codes in the raw table, as often as they are there."""
        rows = self.query("SELECT payload ->> 'qr_code_data' FROM lake.raw.inbox_scans ORDER BY 1")
        return [code for (code,) in rows]

    @contextmanager
    def worker(self) -> Iterator[Worker]:
        with subprocess.Popen(
            COMMAND, cwd=self.settings.data_dir.parent, env=self.environment, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                yield Worker(process)
            finally:
                process.kill()


class Worker:
    """The process, by what it logs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def wait_for(self, event: str, **fields: object) -> dict:
        """The next log line of that event with these fields."""
        assert self.process.stderr
        seen = []
        for line in self.process.stderr:
            seen.append(line)
            said = json.loads(line) if line.startswith("{") else {}
            if said.get("event") == event and fields.items() <= said.items():
                return said
        raise AssertionError(f"it ended without {event} {fields}:\n{''.join(seen)}")

    def end(self, number: int = signal.SIGTERM) -> int:
        """The exit code after a signal."""
        self.process.send_signal(number)
        if self.process.stderr:
            self.process.stderr.read()
        return self.process.wait(60)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "data")


def test_records_are_in_the_tables_a_second_worker_is_refused_and_sigterm_ends_it_in_order(folder: Folder) -> None:
    with folder.worker() as worker:
        worker.wait_for("source_state", source="inbox", state="live")
        folder.drop("gate", 30)
        worker.wait_for("committed", sources=["inbox"])
        second = subprocess.run(COMMAND, env=folder.environment, capture_output=True, text=True, timeout=60)
        assert second.returncode == 1
        assert f"follows the data folder {folder.settings.data_dir} already (process {worker.process.pid})" in (
            second.stderr
        )
        assert worker.end() == 0
    assert folder.waiting() == []
    assert folder.read_scans() == sorted(folder.dropped)
    assert folder.query(f"SELECT source, state FROM {STREAM_STATUS.qualified}") == [("inbox", "stopped")]
    assert not heartbeat_path(folder.settings).exists()


def test_killed_and_stopped_at_bad_moments_it_loses_and_doubles_nothing(folder: Folder) -> None:
    for number in range(5):
        folder.drop(f"a{number}", 50)
    with folder.worker() as worker:
        worker.wait_for("committed", sources=["inbox"])
        assert worker.end(signal.SIGKILL) == -signal.SIGKILL
    for number in range(5):
        folder.drop(f"b{number}", 50)
    with folder.worker() as worker:
        worker.wait_for("committed", sources=["inbox"])
        folder.drop("c", 50)
        assert worker.end() == 0
    in_files = {json.loads(line)["qr_code_data"] for path in folder.waiting() for line in path.read_text().splitlines()}
    assert set(folder.read_scans()) | in_files == folder.dropped
    with folder.worker() as worker:
        folder.drop("last", 1)
        while "last.ndjson" in [path.name for path in folder.waiting()]:
            worker.wait_for("committed")
        assert worker.end(signal.SIGINT) == 0
    assert folder.waiting() == []
    assert folder.read_scans() == sorted(folder.dropped)

"""A catalog that another process holds and does not give back soon."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from event_pipeline.settings import Settings
from event_pipeline.stream.heartbeat import read_heartbeat
from event_pipeline.warehouse import connection
from event_pipeline.warehouse.connection import connect
from event_pipeline_tests.faults.verdict import wait_until
from event_pipeline_tests.stream.conftest import SharedCommits, _short_waits, shared, worked
from event_pipeline_tests.stream.live import FakeSource, running

__all__ = ["_short_waits", "shared", "worked"]

pytestmark = pytest.mark.usefixtures("_short_waits")

_LOCKS = """
import sqlite3, sys
catalog = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
catalog.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module", autouse=True)
def _locked_catalogs_are_not_waited_for() -> Iterator[None]:
    """Half a minute as it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "_BUSY_MILLISECONDS", 200)
        yield


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process writes to a catalog for as long as the block runs, and does not take turns."""
    with subprocess.Popen(
        [sys.executable, "-c", _LOCKS, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        yield
        process.communicate()


@pytest.mark.parametrize("catalog", ["lake", "warehouse"])
def test_a_catalog_that_somebody_locked_is_reported_and_tried_until_it_is_free(
    worked: Settings, shared: SharedCommits, catalog: str
) -> None:
    source, key = FakeSource(), f"locked-{catalog}"
    with running(worked, [source], open_commits=shared.open) as run:
        source.wait(lambda: source.cursors)
        with locked(worked.catalog_dir / f"{catalog}.sqlite"):
            source.brings(key)
            wait_until(lambda: run.worker._committing.failing_since, lambda: "it did not fail")
            run.worker._pulse.beat()
            beat = read_heartbeat(worked)
            assert beat is not None
            assert "locked" in beat.failure
        source.wait(lambda: source.done)
    assert run.is_whole
    with connect(worked, read_only=True) as opened:
        rows = opened.execute(
            "SELECT (SELECT count(*) FROM lake.raw.firebase_registrations WHERE document_id = $key), "
            "(SELECT count(*) FROM warehouse.core.fact_registrations WHERE registration_id = $key)",
            {"key": key},
        ).fetchall()
    assert rows == [(1, 1)]

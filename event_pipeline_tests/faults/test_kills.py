"""The worker, a run and both are killed at random moments: nothing is lost, doubled or wrong. See ``make faults``."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from event_pipeline.stream.heartbeat import covers
from event_pipeline_tests.faults.processes import WORKER, Folder
from event_pipeline_tests.faults.scenes import scripted_scene
from event_pipeline_tests.faults.verdict import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


def test_killed_at_any_moment_the_warehouse_equals_a_rebuild_from_the_truth(tmp_path: Path) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")  # noqa: T201 - shown when it fails
    with scripted_scene(tmp_path, seed) as killing:
        killing.round("both")
        assert_killed_it_is_believed_no_longer(killing.folder)
        for victim in ("worker", "run", "worker"):
            killing.round(victim)
        killing.settle()
        assert killing.kills["worker"] >= 3


def assert_killed_it_is_believed_no_longer(folder: Folder) -> None:
    """Sensors stand aside while the worker lives, and take over once it has been silent."""
    settings, worker = folder.settings, folder.start(*WORKER)
    wait_until(lambda: covers(settings, "firestore") and covers(settings, "inbox"), worker.said)
    assert worker.kill()
    later = datetime.now(UTC) + timedelta(seconds=settings.stream.heartbeat_seconds + 1)
    assert not covers(settings, "firestore", later)
    assert not covers(settings, "inbox", later)

"""The disk is full, or takes no byte more, while the worker commits: it says so, holds on, and loses nothing."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from event_pipeline_tests.faults.kills import Killing
from event_pipeline_tests.faults.processes import WORKER, Process
from event_pipeline_tests.faults.scenes import scripted_scene
from event_pipeline_tests.faults.verdict import assert_right, wait_until, wait_until_caught_up

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

_DISK = "48m"
_LONGEST_BYTES = 96 * 1024
"""Shorter than a catalog, longer than what the worker prints."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own that is soon full. Where none can be mounted, the data folder is on this machine's."""
    place = tmp_path / "data"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK}", "tmpfs", str(place)]
    is_mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0
    yield tmp_path
    if is_mounted:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_worker_that_cannot_write_says_so_and_catches_up_when_it_can(disk: Path) -> None:
    with scripted_scene(disk, seed=11) as scene:
        worker = scene.folder.start(*WORKER)
        wait_until_caught_up(scene.folder.settings, scene.truth)
        if (disk / "data").is_mount():
            _go_on_while_full(scene, worker)
        _go_on_while_no_file_grows_long(scene, worker)
        assert worker.end() == 0, worker.said()
        assert_right(scene.folder.settings, scene.truth, scene.oracle)


def _go_on_while_full(scene: Killing, worker: Process) -> None:
    """A file takes all the room there is, and gives it back."""
    ballast = scene.folder.settings.data_dir / "ballast"
    room = os.statvfs(ballast.parent)
    with ballast.open("wb") as file, suppress(OSError):
        os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize)
    _write_until_it_fails(scene, worker)
    ballast.unlink()
    wait_until_caught_up(scene.folder.settings, scene.truth)


def _go_on_while_no_file_grows_long(scene: Killing, worker: Process) -> None:
    """The system lets the catalogs grow no more, though it still lets the worker print."""
    before = resource.prlimit(worker.started.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(worker.started.pid, resource.RLIMIT_FSIZE, (_LONGEST_BYTES, before[1]))
    _write_until_it_fails(scene, worker)
    resource.prlimit(worker.started.pid, resource.RLIMIT_FSIZE, before)
    wait_until_caught_up(scene.folder.settings, scene.truth)


def _write_until_it_fails(scene: Killing, worker: Process) -> None:
    failures = worker.said().count('"commit_failed"')
    scene.truth.write("clubs", "c1", {"name": "Written to a full disk"})
    scene.truth.register()
    wait_until(lambda: worker.said().count('"commit_failed"') > failures, worker.said)
    scene.truth.register()
    assert worker.runs

"""The write lock: one writer at a time, and none that starves."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from event_pipeline.errors import TransientError
from event_pipeline.settings import Settings
from event_pipeline.warehouse import lock
from event_pipeline.warehouse.lock import write_lock

_HOLDS = """
import sys
from pathlib import Path
from event_pipeline.settings import Settings
from event_pipeline.warehouse.lock import write_lock
with write_lock(Settings(data_dir=Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_writer_that_comes_back_at_once_lets_the_one_that_waits_go_first(tmp_path: Path) -> None:
    settings, stop, turns = Settings(data_dir=tmp_path), threading.Event(), [0]

    def write_without_pause() -> None:
        while not stop.is_set():
            with write_lock(settings):
                turns[0] += 1
                stop.wait(0.02)

    busy = threading.Thread(target=write_without_pause)
    busy.start()
    waited = []
    try:
        for _ in range(10):
            before = turns[0]
            with write_lock(settings):
                waited.append(turns[0] - before)
    finally:
        stop.set()
        busy.join()
    # The write under way, one that was let in before the wait began, and no other.
    assert max(waited) <= 2


def test_a_writer_that_is_killed_lets_go(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDS, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.kill()
        holder.wait()
    with write_lock(settings):
        pass


def test_one_that_is_held_too_long_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "LOCK_TIMEOUT_SECONDS", 0.05)
    settings = Settings(data_dir=tmp_path)
    with write_lock(settings), pytest.raises(TransientError, match="see `event-pipeline status`"), write_lock(settings):
        pass

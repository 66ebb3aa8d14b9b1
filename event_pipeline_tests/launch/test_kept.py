"""A kept child comes back after it ends, and not after it is retired."""

from __future__ import annotations

import queue
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

from event_pipeline.launch.kept import KeptChild
from event_pipeline.launch.processes import Child, stop_children

_PATIENCE_SECONDS = 30


def _beginner(tmp_path: Path, begun: queue.SimpleQueue[Child], code: str) -> Callable[[], Child]:
    def begin() -> Child:
        child = Child("kept", Popen([sys.executable, "-c", code], start_new_session=True), tmp_path / "kept.log")
        begun.put(child)
        return child

    return begin


def test_a_child_that_ends_is_started_again_after_growing_pauses(tmp_path: Path) -> None:
    begun, pauses = queue.SimpleQueue[Child](), queue.SimpleQueue[float]()
    begin = _beginner(tmp_path, begun, "raise SystemExit(3)")
    kept = KeptChild(begin, lambda _, pause: pauses.put(pause), first_pause_seconds=0.01)
    kept.start()
    try:
        children = [begun.get(timeout=_PATIENCE_SECONDS) for _ in range(4)]
        waits = [pauses.get(timeout=_PATIENCE_SECONDS) for _ in range(3)]
    finally:
        kept.retire()
        kept.join(_PATIENCE_SECONDS)
    assert len({child.process.pid for child in children}) == 4
    assert [child.process.returncode for child in children[:3]] == [3, 3, 3]
    assert all(0.75 * 0.01 * 2**turn <= wait <= 1.25 * 0.01 * 2**turn for turn, wait in enumerate(waits))


def test_a_retired_child_is_handed_over_and_stays_ended(tmp_path: Path) -> None:
    begun, ends = queue.SimpleQueue[Child](), queue.SimpleQueue[Child]()
    begin = _beginner(tmp_path, begun, "import signal; signal.pause()")
    kept = KeptChild(begin, lambda child, _: ends.put(child), first_pause_seconds=0.01)
    kept.start()
    running = begun.get(timeout=_PATIENCE_SECONDS)
    assert kept.retire() == [running]
    stop_children([running])
    kept.join(_PATIENCE_SECONDS)
    assert not kept.is_alive()
    assert begun.empty()
    assert ends.empty()


def test_one_that_was_retired_before_it_began_never_begins(tmp_path: Path) -> None:
    begun = queue.SimpleQueue[Child]()
    kept = KeptChild(_beginner(tmp_path, begun, "pass"), lambda *_: None)
    assert kept.retire() == []
    kept.start()
    kept.join(_PATIENCE_SECONDS)
    assert begun.empty()

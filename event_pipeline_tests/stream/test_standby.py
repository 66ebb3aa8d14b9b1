"""Switched off, the worker stands by and follows nothing; switched on, a fresh one goes on."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from event_pipeline.control.worker_switch import is_worker_on, switch_worker
from event_pipeline.settings import Settings
from event_pipeline.stream.claim import AlreadyFollowingError, claim_worker
from event_pipeline.stream.heartbeat import heartbeat_path, read_heartbeat
from event_pipeline.stream.standby import SwitchedWorker

PATIENCE_SECONDS = 30


class _Follower:
    """Follows until it is stopped."""

    def __init__(self, *, is_whole: bool = True) -> None:
        self._is_whole, self._stopped = is_whole, threading.Event()

    def run(self) -> bool:
        assert self._stopped.wait(PATIENCE_SECONDS)
        return self._is_whole

    def stop(self) -> None:
        self._stopped.set()


class _Made:
    """What was made so far."""

    def __init__(self, *, is_whole: bool = True) -> None:
        self._is_whole = is_whole
        self.followers: queue.SimpleQueue[_Follower] = queue.SimpleQueue()

    def make(self) -> _Follower:
        follower = _Follower(is_whole=self._is_whole)
        self.followers.put(follower)
        return follower

    def next(self) -> _Follower:
        return self.followers.get(timeout=PATIENCE_SECONDS)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


@contextmanager
def _running(settings: Settings, made: _Made) -> Iterator[queue.SimpleQueue[bool]]:
    worker, ended = SwitchedWorker(settings, made.make, look_seconds=0.01), queue.SimpleQueue[bool]()
    thread = threading.Thread(target=lambda: ended.put(worker.run()))
    thread.start()
    try:
        yield ended
    finally:
        worker.stop()
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


def _wait_for_standby(settings: Settings) -> None:
    waiting = threading.Event()
    for _ in range(PATIENCE_SECONDS * 100):
        heartbeat = read_heartbeat(settings)
        if heartbeat is not None and heartbeat.phase == "switched_off":
            assert heartbeat.sources == {}
            return
        waiting.wait(0.01)
    raise AssertionError("it never stood by")


def test_switched_off_it_stands_by_and_switched_on_a_fresh_one_follows(settings: Settings) -> None:
    made = _Made()
    with _running(settings, made) as ended:
        first = made.next()
        assert switch_worker(settings, on=False).changed
        _wait_for_standby(settings)
        with pytest.raises(AlreadyFollowingError), claim_worker(settings):
            pass
        assert switch_worker(settings, on=True).changed
        assert made.next() is not first
    assert ended.get(timeout=PATIENCE_SECONDS) is True
    assert not heartbeat_path(settings).exists()


def test_the_switch_lasts_over_restarts(settings: Settings) -> None:
    switch_worker(settings, on=False)
    assert not switch_worker(settings, on=False).changed
    made = _Made()
    with _running(settings, made):
        _wait_for_standby(settings)
    assert made.followers.empty()
    assert not is_worker_on(settings)


def test_one_that_could_not_commit_what_it_held_ends_and_says_so(settings: Settings) -> None:
    made = _Made(is_whole=False)
    with _running(settings, made) as ended:
        made.next()
        switch_worker(settings, on=False)
        assert ended.get(timeout=PATIENCE_SECONDS) is False
    assert made.followers.empty()


def test_a_switch_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    from event_pipeline.errors import ControlError

    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(ControlError, match="could not be switched off: Not a directory"):
        switch_worker(Settings(data_dir=tmp_path / "data"), on=False)

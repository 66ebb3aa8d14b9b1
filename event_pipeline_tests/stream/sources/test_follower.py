"""Whatever ends the thread that reads a connection, the following thread hears of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from event_pipeline.errors import PipelineError
from event_pipeline.stream.sources import follower
from event_pipeline.stream.sources.follower import Follower
from event_pipeline.stream.sources.live_source import LiveReport
from event_pipeline.stream.sources.mailbox import Mailbox


class _Connection:
    def __init__(self, fault: BaseException | None) -> None:
        self._fault, self._closed = fault, threading.Event()

    def messages(self) -> Iterator[tuple[Any, int]]:
        yield "hello", 1
        if self._fault is not None:
            raise self._fault
        self._closed.wait(30)

    def close(self) -> None:
        self._closed.set()


class _Channel:
    collection, silent_seconds = "events", None

    def __init__(self, stop: threading.Event, *faults: BaseException) -> None:
        self._stop, self._faults = stop, list(faults)
        self.losses: list[str] = []

    def connect(self) -> _Connection:
        return _Connection(self._faults.pop(0) if self._faults else None)

    def receive(self, message: Any) -> bool:
        if not self._faults and self.losses:
            self._stop.set()
        return True

    def idle(self) -> None:
        return None

    def lost(self, error: PipelineError) -> None:
        self.losses.append(str(error))


@pytest.mark.parametrize("fault", [RuntimeError("odd"), MemoryError(), SystemExit(3)])
def test_an_unexpected_error_of_a_reading_thread_is_raised_where_the_source_is_followed(fault: BaseException) -> None:
    stop = threading.Event()
    following = Follower("firestore", lambda _: None, stop, 60)
    following.add(_Channel(stop, fault))
    with pytest.raises(type(fault)):
        following.run()
    stop.set()


def test_a_reading_thread_that_ends_without_a_word_is_noticed_and_its_connection_opened_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(follower, "_LOOKED_AFTER_SECONDS", 0.01)
    monkeypatch.setattr(follower, "_FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    put = Mailbox.put

    def cannot_tell_an_end(self: Mailbox[Any], item: Any, size: int, is_abandoned: Any) -> bool:
        if item.end is not None:
            raise MemoryError
        return put(self, item, size, is_abandoned)

    monkeypatch.setattr(Mailbox, "put", cannot_tell_an_end)
    stop, reports = threading.Event(), list[LiveReport]()
    following = Follower("firestore", reports.append, stop, 60)
    channel = _Channel(stop, MemoryError())
    following.add(channel)
    following.run()
    assert channel.losses[0] == "the thread that reads the connection ended without a word"
    assert [report.state for report in reports][:4] == ["connecting", "live", "connecting", "live"]

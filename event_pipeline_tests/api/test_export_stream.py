"""A file that is answered as it is made gives everything back, whoever ends it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from typing import Any

import anyio
import pytest

from event_pipeline.api.exports.streaming import ExportStream

SCOPE: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "headers": []}


class _File:
    """A file of so many chunks, whose resources and generator tell when they were given back."""

    def __init__(self, chunks: int = 5, fails_at: int | None = None) -> None:
        self.given_back: list[str] = []
        self._chunks, self._fails_at = chunks, fails_at

    def answer(self, seconds: float = 60) -> ExportStream:
        with ExitStack() as resources:
            resources.callback(self.given_back.append, "resources")
            return ExportStream(self._made(), resources, seconds, "text/csv", {})
        raise AssertionError

    def _made(self) -> Generator[bytes, None, None]:
        try:
            for number in range(self._chunks):
                if number == self._fails_at:
                    raise OSError("the disk is gone")
                yield str(number).encode()
        finally:
            self.given_back.append("chunks")


async def _stay() -> Any:
    await anyio.sleep_forever()


async def _leave() -> Any:
    return {"type": "http.disconnect"}


def test_everything_is_sent_then_given_back() -> None:
    file, sent = _File(), []

    async def send(message: Any) -> None:
        assert file.given_back == [] or not message.get("body")
        sent.append(message.get("body", b""))

    anyio.run(file.answer(), SCOPE, _stay, send)
    assert b"".join(sent) == b"01234"
    assert file.given_back == ["chunks", "resources"]


def test_a_reader_who_takes_nothing_is_cut_off() -> None:
    file = _File()

    async def send(_: Any) -> None:
        await anyio.sleep_forever()

    with pytest.raises(TimeoutError):
        anyio.run(file.answer(seconds=0.05), SCOPE, _stay, send)
    assert file.given_back == ["chunks", "resources"]


def test_a_reader_who_leaves_ends_it() -> None:
    file = _File()

    async def send(_: Any) -> None:
        await anyio.sleep_forever()

    anyio.run(file.answer(), SCOPE, _leave, send)
    assert file.given_back == ["chunks", "resources"]


def test_what_fails_later_is_raised_so_that_nobody_takes_it_for_whole() -> None:
    file = _File(fails_at=2)

    async def send(_: Any) -> None:
        return None

    with pytest.raises(BaseException) as raised:
        anyio.run(file.answer(), SCOPE, _stay, send)
    assert raised.group_contains(OSError) if isinstance(raised.value, BaseExceptionGroup) else raised.type is OSError
    assert file.given_back == ["chunks", "resources"]


def test_what_fails_first_is_raised_before_anything_is_answered() -> None:
    file = _File(fails_at=0)
    with pytest.raises(OSError, match="the disk is gone"):
        file.answer()
    assert file.given_back == ["chunks", "resources"]

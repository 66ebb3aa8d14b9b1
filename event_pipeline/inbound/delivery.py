"""A webhook's request as it came, and what is said of one that is not accepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import orjson

Refusal = Literal["bad-request", "invalid", "wrong-signature", "clock-off", "replayed"]
"""Why a request is not accepted; also the last part of its problem's type."""

Record = dict[str, Any]
"""One line of the inbox."""


class Refused(Exception):
    """Ends a delivery; ``detail`` says what was wrong and what to do, and holds no secret."""

    def __init__(self, kind: Refusal, detail: str) -> None:
        super().__init__(detail)
        self.kind, self.detail = kind, detail


@dataclass(frozen=True)
class Delivery:
    """The raw bytes, the headers by lower-case name, and when it came."""

    body: bytes
    headers: Mapping[str, str]
    received_at: datetime

    def header(self, name: str) -> str:
        """The header's value. Raises Refused when it is missing."""
        value = self.headers.get(name.lower())
        if not value:
            raise Refused("wrong-signature", f"the header {name} is missing")
        return value

    @property
    def text(self) -> str:
        """The body as text, for keeping: what is no UTF-8 shows as U+FFFD."""
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        """The body's content. Raises Refused when it is no JSON."""
        return parsed(self.body)

    def json_object(self) -> dict[str, Any]:
        """The body's content, an object. Raises Refused when it is none."""
        content = self.json()
        if not isinstance(content, dict):
            raise Refused("invalid", "the body must be a JSON object")
        return content


@dataclass(frozen=True)
class Accepted:
    """What a proven delivery holds. ``proof`` is of this one attempt: the same again is a replay; None where retries
    are signed alike. ``confirm`` is an address to be called before it is answered."""

    records: list[Record]
    proof: str | None = None
    confirm: str | None = None


def parsed(text: str | bytes) -> Any:
    """JSON's content. Raises Refused when it is none."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        # The error's own text quotes nothing of the document.
        raise Refused("bad-request", f"the body must be JSON: {error.msg} at character {error.pos}") from None


def text_of(value: Any) -> str | None:
    """A text or number as text; None for what is neither, and for an empty one."""
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def object_of(value: Any) -> dict[str, Any]:
    """An object; an empty one for whatever else stands there."""
    return value if isinstance(value, dict) else {}

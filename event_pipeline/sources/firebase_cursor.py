"""Where a Firebase poll stands: a resumable backfill by key, then sweeps over a time field, as JSON-able state.

The app's clients write the time field, so a collection mixes ISO texts, native timestamps and epoch milliseconds. A
database orders by type first, therefore every kind of value has its own watermark. Watermarks are instants.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from event_pipeline.errors import PermanentError
from event_pipeline.sources.change import epoch_micros

Kind = Literal["string", "timestamp", "number"]
Value = str | int | float
"""A value of the time field as JSON: the text itself, a native timestamp as ISO text, or a number."""

NESTED_COLLECTIONS = frozenset({"event_live_updates", "event_chat"})
"""Collections whose documents lie one level deeper, under an event; their ids are ``{event_id}/{push_id}``."""

CLOCK_TOLERANCE = timedelta(days=1)
"""Values this far ahead of now may be honest (wall clocks of other zones); beyond it a client's clock is wrong."""


@dataclass(frozen=True, slots=True)
class Backfill:
    """Reading everything by key since ``started_at``; ``after`` is the last key read in ``leaf``."""

    started_at: datetime
    leaf: tuple[str, ...] = ()
    after: str | None = None
    scan_until: datetime | None = None
    phase: Literal["backfill"] = "backfill"


@dataclass(frozen=True, slots=True)
class Progress:
    """An unfinished sweep: the last (value, key) read, and the newest instant met so far by kind of value."""

    started_at: datetime
    leaf: tuple[str, ...]
    kind: Kind
    after: tuple[Value, str]
    reached: Mapping[Kind, datetime]


@dataclass(frozen=True, slots=True)
class Sweep:
    """Everything up to the watermarks has been read. Until ``scan_until`` the database is known not to serve sweeps."""

    watermarks: Mapping[Kind, datetime]
    progress: Progress | None = None
    scan_until: datetime | None = None
    phase: Literal["sweep"] = "sweep"


State = Backfill | Sweep
_STATE: TypeAdapter[State] = TypeAdapter(State)


def read_cursor(collection: str, cursor: Mapping[str, object]) -> State:
    """The state that a cursor holds. Raises PermanentError for one that this version did not write."""
    try:
        return _STATE.validate_python(cursor)
    except ValidationError:
        raise PermanentError(
            f"the stored cursor of collection {collection} cannot be read; remove it to read the collection afresh"
        ) from None


def write_cursor(state: State) -> dict[str, Any]:
    """The state as JSON-able data."""
    return _STATE.dump_python(state, mode="json")


def time_field(collection: str) -> str:
    """The field that the app sets whenever it writes a document of this collection."""
    return "timestamp" if collection in NESTED_COLLECTIONS else "updated_at"


def utc_now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


def value_at(kind: Kind, instant: datetime) -> Value:
    """How the app writes this instant in a field of this kind."""
    if kind == "number":
        return epoch_micros(instant) // 1000
    precision = "milliseconds" if kind == "string" else "microseconds"
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def instant_of(kind: Kind, value: Value) -> datetime | None:
    """The instant that a value stands for, None for one that stands for none.

    Texts sort by their wall clock, so one with an offset counts as the earlier of its instant and its wall clock:
    a watermark must never overtake texts that sort behind it.
    """
    try:
        if kind == "number":
            return datetime.fromtimestamp(float(value) / 1000, UTC)
        parsed = datetime.fromisoformat(str(value))
        wall = parsed.replace(tzinfo=UTC)
        return wall if parsed.tzinfo is None else min(parsed.astimezone(UTC), wall)
    except (ValueError, OverflowError, OSError):
        return None


def is_far_future(kind: Kind, value: Value, now: datetime) -> bool:
    """Whether the value sorts behind every value that an honest clock writes now."""
    limit = value_at(kind, now + CLOCK_TOLERANCE)
    return str(value) > str(limit) if kind != "number" else float(value) > float(limit)

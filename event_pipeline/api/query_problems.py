"""Why a query has no answer, as problems."""

from __future__ import annotations

from collections.abc import Mapping

from event_pipeline.api.problems import FieldError
from event_pipeline.sql import (
    BusySandboxError,
    HeavyQueryError,
    InvalidQueryError,
    QueryError,
    RefusedQueryError,
    SlowQueryError,
    UnreadyWarehouseError,
)

_KINDS: tuple[tuple[type[QueryError], str], ...] = (
    (RefusedQueryError, "query-refused"),
    (InvalidQueryError, "query-invalid"),
    (HeavyQueryError, "query-too-heavy"),
    (SlowQueryError, "timeout"),
    (BusySandboxError, "busy"),
    (UnreadyWarehouseError, "warehouse-not-ready"),
)
_RETRY_AFTER: Mapping[str, str] = {"busy": "1", "warehouse-not-ready": "5"}


def kind_of(error: QueryError) -> str:
    """The problem that it is."""
    return next(kind for found, kind in _KINDS if isinstance(error, found))


def detail_of(error: QueryError) -> str:
    """What was wrong and, where it is known, in which line and column."""
    place = _place(error)
    return f"line {place[0]}, column {place[1]}: {error}" if place else str(error)


def errors_of(error: QueryError) -> list[FieldError]:
    """The place as programs read it: body.sql:2:7."""
    place = _place(error)
    return [FieldError(location=f"body.sql:{place[0]}:{place[1]}", message=str(error))] if place else []


def headers_of(error: QueryError) -> dict[str, str]:
    """When it may be tried again, where that helps."""
    wait = _RETRY_AFTER.get(kind_of(error))
    return {"Retry-After": wait} if wait else {}


def _place(error: QueryError) -> tuple[int, int] | None:
    if isinstance(error, InvalidQueryError) and error.line is not None and error.column is not None:
        return error.line, error.column
    return None

"""Why a query has no answer. Messages are fit for whoever wrote the query: they name no path and no secret."""

from __future__ import annotations

from event_pipeline.errors import PipelineError


class QueryError(PipelineError):
    """Base of all of them."""


class InvalidQueryError(QueryError):
    """It is no SQL, or names what is not there. ``line`` and ``column`` begin at 1 and are None where unknown."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.line, self.column = line, column


class RefusedQueryError(InvalidQueryError):
    """It would do something other than read the warehouse's tables."""


class HeavyQueryError(QueryError):
    """It needs more memory than it may have."""


class SlowQueryError(QueryError):
    """It was stopped at its deadline."""


class BusySandboxError(QueryError):
    """Every worker is taken and as many wait as may."""


class UnreadyWarehouseError(QueryError):
    """The warehouse cannot be read."""

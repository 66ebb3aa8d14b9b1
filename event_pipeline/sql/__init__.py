"""People's own SQL over the warehouse, run where it can do no harm.

A query runs in a worker, a process of its own that sees nothing but the warehouse, writes nothing, has so much memory
and is killed at its deadline. ``Sandbox`` keeps a few of them warm; ``gate`` says what a query may be made of.
"""

from event_pipeline.sql.errors import (
    BusySandboxError,
    HeavyQueryError,
    InvalidQueryError,
    QueryError,
    RefusedQueryError,
    SlowQueryError,
    UnreadyWarehouseError,
)
from event_pipeline.sql.query import Caps, Column, Dialect, Query
from event_pipeline.sql.sandbox import Result, Sandbox

__all__ = [
    "BusySandboxError",
    "Caps",
    "Column",
    "Dialect",
    "HeavyQueryError",
    "InvalidQueryError",
    "Query",
    "QueryError",
    "RefusedQueryError",
    "Result",
    "Sandbox",
    "SlowQueryError",
    "UnreadyWarehouseError",
]

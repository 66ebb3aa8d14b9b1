"""People's own queries as exports read them: in the sandbox, to their last row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from event_pipeline.api.answers.exports import QueryChoice
from event_pipeline.api.exports.source import OnStop, Source
from event_pipeline.api.problems import Problem
from event_pipeline.api.query_problems import detail_of, headers_of, kind_of
from event_pipeline.settings import Settings
from event_pipeline.sql import Caps, Query, QueryError, Sandbox


@contextmanager
def query_source(settings: Settings, choice: QueryChoice, on_stop: OnStop) -> Iterator[Source]:
    """Its rows, without the caps of an answer but for the time. Raises QueryError, also while they are read.

    The worker is this export's own: it may take long, and others' queries shall not wait for it.
    """
    sandbox = Sandbox(settings, workers=1)
    # A query may think for long before its first row.
    on_stop(sandbox.close)
    try:
        caps = Caps(seconds=settings.exports.job_seconds, rows=None, bytes=None)
        with sandbox.stream(query_of(choice), caps, "arrow") as result:
            yield Source(result.schema, result.batches(), None, None, sandbox.close)
    finally:
        sandbox.close()


def check_query(sandbox: Sandbox, choice: QueryChoice) -> None:
    """Raise the Problem for a query that cannot run: its plan is made, and no row is read."""
    try:
        with sandbox.stream(query_of(choice, explain=True), shape="json"):
            return
    except QueryError as error:
        raise Problem(kind_of(error), f"query: {detail_of(error)}", headers_of(error)) from None


def query_of(choice: QueryChoice, *, explain: bool = False) -> Query:
    """The query as the sandbox takes it."""
    return Query(choice.sql, choice.params, choice.dialect, explain)

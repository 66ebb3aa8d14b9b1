"""The resource that every asset and check shares: settings and one open connection for the length of a run."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg

from event_pipeline.contracts.contract import Contract
from event_pipeline.settings import Settings

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

    from event_pipeline.warehouse.lake import Lake


class Session:
    """Opens the lake and the warehouse on first use; runs are in process, so a run has one connection.

    ``as_of`` decides what has started: the hour, so that two refreshes within it agree, unless a test names another.
    """

    def __init__(self, settings: Settings, as_of: datetime | None = None) -> None:
        self.settings = settings
        self.as_of = as_of or datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        self.changed_raw: list[Contract] = []
        """Raw tables that this run changed, whose contracts are still to be checked."""
        self._backend: Backend | None = None
        self._failing: dict[str, datetime] | None = None
        self._stack = ExitStack()

    @property
    def backend(self) -> "Backend":
        """The Ibis backend over the run's connection, with every table present."""
        if self._backend is None:
            from event_pipeline.warehouse.connection import connect, ibis_backend
            from event_pipeline.warehouse.refresh import prepare_tables

            backend = ibis_backend(self._stack.enter_context(connect(self.settings)))
            prepare_tables(backend, self.settings)
            self._backend = backend
        return self._backend

    @property
    def lake(self) -> "Lake":
        """The raw tables over the run's connection."""
        from event_pipeline.warehouse.lake import Lake

        return Lake(self.backend.con, self.settings)

    @property
    def failing(self) -> "dict[str, datetime]":
        """When each table was checked that broke a promise then, by ``layer.table``, as it was early in the run."""
        if self._failing is None:
            from event_pipeline.quality.recheck import failing_since

            self._failing = failing_since(self.backend.con)
        return self._failing

    def close(self) -> None:
        """Closes the connection."""
        self._backend = None
        self._stack.close()


def session_resource(settings: Settings, as_of: datetime | None = None) -> dg.ResourceDefinition:
    """A fresh session for each run and each sensor tick."""

    def opened(_: dg.InitResourceContext) -> Iterator[Session]:
        session = Session(settings, as_of)
        try:
            yield session
        finally:
            session.close()

    return dg.ResourceDefinition(opened)

"""The resource that every asset and check shares: settings and one open connection for the length of a run."""

from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import PrivateAttr

from event_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

    from event_pipeline.warehouse.lake import Lake


class Session(dg.ConfigurableResource):
    """Opens the lake and the warehouse on first use; runs are in process, so a run has one connection."""

    _settings: Settings | None = PrivateAttr(default=None)
    _backend: object | None = PrivateAttr(default=None)
    _stack: ExitStack = PrivateAttr(default_factory=ExitStack)
    _as_of: datetime | None = PrivateAttr(default=None)

    @classmethod
    def of(cls, settings: Settings, as_of: datetime | None = None) -> "Session":
        """A session with these settings, and this instant for what has started, instead of the process's own."""
        session = cls()
        session._settings = settings
        session._as_of = as_of
        return session

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._settings or load_settings()

    @property
    def as_of(self) -> datetime:
        """The instant that decides what has started: the hour, so that two refreshes within it agree."""
        return self._as_of or datetime.now(UTC).replace(minute=0, second=0, microsecond=0)

    @property
    def backend(self) -> "Backend":
        """The Ibis backend over the run's connection, with every table present."""
        if self._backend is None:
            from event_pipeline.warehouse.connection import connect, ibis_backend
            from event_pipeline.warehouse.refresh import prepare_tables

            backend = ibis_backend(self._stack.enter_context(connect(self.settings)))
            prepare_tables(backend, self.settings)
            self._backend = backend
        return self._backend  # pyright: ignore[reportReturnType]

    @property
    def lake(self) -> "Lake":
        """The raw tables over the run's connection."""
        from event_pipeline.warehouse.lake import Lake

        return Lake(self.backend.con, self.settings)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Closes the connection."""
        self._backend = None
        self._stack.close()

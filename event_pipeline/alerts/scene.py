"""What rules look at: the instant, the settings, the tables, and what the parts say of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import structlog

from event_pipeline.alerts.database import AlertDatabase
from event_pipeline.alerts.signs import DagsterSign, WorkerSign
from event_pipeline.background_task import TaskState
from event_pipeline.contracts.contract import Contract
from event_pipeline.errors import PipelineError, TransientError
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect, lake_exists

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]
_TABLES = """
SELECT database_name || '.' || schema_name || '.' || table_name AS name FROM duckdb_tables()
WHERE database_name IN ('lake', 'warehouse')
"""
CANNOT_BE_READ = "the warehouse cannot be read; the log says why"

log = structlog.get_logger(__name__)


class CannotLook(TransientError):
    """A rule cannot tell at this moment whether something is wrong."""


class Tables:
    """The lake and the warehouse, read over one connection that stays open between evaluations."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._opened: AbstractContextManager[duckdb.DuckDBPyConnection] | None = None
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._is_broken = False
        self._is_looking = False
        self._made: frozenset[str] | None = None

    def begin(self) -> None:
        """A new evaluation: all of it sees one state, and what could not be opened is tried again."""
        self.end()
        self._is_broken = False

    def end(self) -> None:
        """The evaluation is over."""
        import duckdb

        self._made, self._is_looking = None, False
        if self._connection is not None:
            # A transaction that failed has ended already.
            with suppress(duckdb.Error):
                self._connection.execute("ROLLBACK")

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """The rows of a SELECT by column name. Raises CannotLook when nothing was ever loaded or it cannot be read."""
        import duckdb

        try:
            found = self._open().execute(sql, dict(parameters or {}))
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            self.end()
            raise CannotLook(f"the tables are not as they should be: {error}") from error
        except CannotLook:
            raise
        except (duckdb.Error, PipelineError, OSError) as error:
            # A catalog that was moved, restored or is back is found by opening it again, at the next evaluation.
            self._is_broken = True
            self.close()
            log.warning("warehouse_cannot_be_read", reason=str(error))
            raise CannotLook(CANNOT_BE_READ) from error

    def have(self, contract: Contract) -> bool:
        """Whether that table was made. Raises as ``rows`` does."""
        if self._made is None:
            rows = self.rows(_TABLES)
            self._made = frozenset(row["name"] for row in rows)
        return contract.qualified in self._made

    def close(self) -> None:
        """Give the connection back; the next look opens it again."""
        opened, self._opened, self._connection = self._opened, None, None
        self._made, self._is_looking = None, False
        if opened is not None:
            opened.__exit__(None, None, None)

    def _open(self) -> duckdb.DuckDBPyConnection:
        if self._is_broken:
            raise CannotLook(CANNOT_BE_READ)
        if self._connection is None:
            if not lake_exists(self._settings):
                raise CannotLook("nothing was ever loaded")
            opened = connect(self._settings, read_only=True)
            self._connection = opened.__enter__()
            self._opened = opened
        if not self._is_looking:
            self._connection.execute("BEGIN TRANSACTION")
            self._is_looking = True
        return self._connection


class Scene:
    """One evaluation's view."""

    def __init__(
        self,
        settings: Settings,
        now: datetime,
        database: AlertDatabase,
        tables: Tables,
        worker: WorkerSign | None,
        dagster: DagsterSign,
        tasks: Mapping[str, TaskState] | None = None,
    ) -> None:
        self.settings, self.now, self.database, self.tables = settings, now, database, tables
        self.worker, self.dagster = worker, dagster
        self.tasks: Mapping[str, TaskState] = tasks or {}

    @property
    def today(self) -> date:
        """The organisation's day."""
        return self.now.astimezone(ZoneInfo(self.settings.organisation.time_zone)).date()

    def rows(self, sql: str, **parameters: Any) -> list[Row]:
        """The rows of a SELECT; as ``Tables.rows``."""
        return self.tables.rows(sql, parameters)

    def snapshot(self, catalog: str) -> int:
        """The state of the lake or the warehouse that is looked at."""
        return self.rows(f"SELECT id FROM ducklake_current_snapshot('{catalog}')")[0]["id"]

    def dagster_link(self, path: str) -> str:
        """An address in Dagster's UI."""
        return f"{self.settings.dagster_url.rstrip('/')}/{path}"

    def event_link(self, event_id: str) -> str:
        """An event's page of the dashboard; empty when its address is not set."""
        dashboard = self.settings.alerts.dashboard_url.rstrip("/")
        return f"{dashboard}/events/{event_id}" if dashboard else ""

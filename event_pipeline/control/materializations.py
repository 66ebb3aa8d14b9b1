"""Tells Dagster which tables the stream worker changed, at a gentle rate, so that its UI shows one graph.

Dagster's webserver takes such reports over plain HTTP; one that is away is told at the next turn.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import structlog

from event_pipeline.background_task import BackgroundTask, TaskStates
from event_pipeline.control.client import http_client
from event_pipeline.models.registry import MODELS
from event_pipeline.quality.results import CONTRACT_CHECK
from event_pipeline.settings import Settings

log = structlog.get_logger()

_REQUEST_SECONDS = 10.0
_LAST_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class TableChange:
    """What a batch did to ``layer.table``; rows that came and went are None where nobody counted them.

    ``problems`` say how new rows break the table's contract, so that it was not changed."""

    table: str
    added: int | None = None
    removed: int | None = None
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class _News:
    """What is to be told of a table: batches that changed it, their rows, and how it breaks its contract at last."""

    batches: int = 0
    added: int | None = None
    removed: int | None = None
    problems: tuple[str, ...] = ()

    def add(self, other: _News) -> None:
        """Puts later news to it."""
        self.batches += other.batches
        self.problems = other.problems
        self.added = _sum(self.added, other.added)
        self.removed = _sum(self.removed, other.removed)


class MaterializationReporter:
    """Reports every ``stream.report_seconds`` the tables that changed since, from a thread of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._news: dict[str, _News] = {}
        self._lag: float | None = None
        self._ended = threading.Event()
        self._is_away = False
        self.tasks = TaskStates()
        self._thread = BackgroundTask("materializations", self._turn, self.tasks, self._ended)

    def start(self) -> None:
        """Starts to report."""
        self._thread.start()

    def note(self, changes: Sequence[TableChange], lag_seconds: float | None) -> None:
        """A batch is committed; costs no time. ``lag_seconds`` is from its oldest change to its commit."""
        with self._lock:
            for change in changes:
                batches = 0 if change.problems else 1
                news = _News(batches, change.added, change.removed, change.problems)
                self._news.setdefault(change.table, _News()).add(news)
            self._lag = lag_seconds if lag_seconds is not None else self._lag

    def end(self) -> None:
        """Reports what is left, if that can be done at once, and stops."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(_LAST_SECONDS)

    def report(self) -> int:
        """Tells Dagster what is new; how many tables it was told of. What it was not told is kept for the next turn."""
        with self._lock:
            news, self._news, lag = self._news, {}, self._lag
        if not news:
            return 0
        import duckdb

        told: list[str] = []
        try:
            counts = _row_counts(self._settings, news)
            with http_client(httpx.URL(self._settings.dagster_url), _REQUEST_SECONDS) as http:
                for table in sorted(news):
                    _tell(http, table, news[table], counts.get(table), lag)
                    told.append(table)
        except (httpx.HTTPError, ValueError, OSError, duckdb.Error) as error:
            self._say_away(error)
        else:
            self._is_away = False
        finally:
            self._keep(news, told)
        return len(told)

    def _turn(self) -> float:
        self._ended.wait(self._settings.stream.report_seconds)
        self.report()
        return 0.0

    def _keep(self, news: dict[str, _News], told: Sequence[str]) -> None:
        with self._lock:
            for table in news.keys() - set(told):
                kept = news[table]
                kept.add(self._news.get(table, _News()))
                self._news[table] = kept

    def _say_away(self, error: Exception) -> None:
        if not self._is_away:
            log.info(
                "materializations_not_reported", reason=type(error).__name__,
                consequence="Dagster is told once it answers; tables do not depend on it",
            )  # fmt: skip
        self._is_away = True


def _row_counts(settings: Settings, tables: Iterable[str]) -> dict[str, int]:
    from event_pipeline.warehouse.connection import connect
    from event_pipeline.warehouse.table_contracts import CONTRACTS

    known = [name for name in sorted(tables) if name in CONTRACTS]
    if not known:
        return {}
    counted = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {CONTRACTS[name].qualified}" for name in known)
    with connect(settings, read_only=True) as connection:
        return dict(connection.execute(counted).fetchall())


def _metadata(news: _News, rows: int | None, lag: float | None) -> dict[str, Any]:
    said = {
        "dagster/row_count": rows,
        "rows_added": news.added,
        "rows_removed": news.removed,
        "batches": news.batches,
        "lag_seconds": lag,
    }
    return {name: value for name, value in said.items() if value is not None}


def _tell(http: httpx.Client, table: str, news: _News, rows: int | None, lag: float | None) -> None:
    """Reports the table's materialization, if it changed, with its contract check: rows that break a contract are
    never written, so a table that changed keeps its contract."""
    key = table.replace(".", "/")
    if news.batches:
        said = {"metadata": _metadata(news, rows, lag), "description": "Brought up to date by the stream worker."}
        _post(http, f"report_asset_materialization/{key}", said)
    if table in MODELS:
        said = {"row_count": rows, "problems": list(news.problems)}
        passed = not news.problems
        _post(http, f"report_asset_check/{key}", {"check_name": CONTRACT_CHECK, "passed": passed, "metadata": said})


def _post(http: httpx.Client, path: str, body: dict[str, Any]) -> None:
    """Raises httpx.HTTPError, or ValueError when what answers is no Dagster."""
    answer = http.post(path, json=body)
    answer.raise_for_status()
    answer.json()


def _sum(one: int | None, other: int | None) -> int | None:
    return other if one is None else one + (other or 0)

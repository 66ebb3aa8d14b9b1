"""A small real warehouse in which a test puts what a rule is to see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from event_pipeline.alerts.alert import Condition
from event_pipeline.alerts.database import AlertDatabase
from event_pipeline.alerts.rules import RULES
from event_pipeline.alerts.scene import Scene, Tables
from event_pipeline.alerts.signs import DagsterSign, WorkerSign
from event_pipeline.contracts.contract import Contract
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect
from event_pipeline.warehouse.lock import write_transaction
from event_pipeline.warehouse.tables import create_tables

NOW = datetime(2026, 6, 10, 9, 0, tzinfo=UTC)
TODAY = date(2026, 6, 10)
WELL = DagsterSign(True, "")

_PLACEHOLDERS = {
    "string": "x", "int64": 0, "float64": 0.0, "boolean": False, "timestamp": NOW, "date": TODAY,
}  # fmt: skip


class Situation:
    """Tables by contract; columns that a test does not name hold nothing, or a value of their type where they must."""

    def __init__(self, settings: Settings, database: AlertDatabase, stack: ExitStack) -> None:
        self.settings, self.database = settings, database
        self.now, self.dagster = NOW, WELL
        self.worker: WorkerSign | None = None
        self._connection = stack.enter_context(connect(settings))
        self._made: set[str] = set()
        self.tables = Tables(settings)
        stack.callback(self.tables.close)

    def begin(self) -> None:
        """As on the first day: nothing was loaded, noted or told."""
        self.now, self.dagster, self.worker = NOW, WELL, None
        for name in self._made:
            self._connection.execute(f"DROP TABLE {name}")
        self._made.clear()
        for row in self.database.execute("SELECT name FROM sqlite_master WHERE type = 'table'"):
            self.database.execute(f"DELETE FROM {row['name']}")

    def put(self, contract: Contract, *rows: dict[str, Any]) -> None:
        """More rows, committed; of one call they name the same columns."""
        import pyarrow as pa

        must = {c.name: _PLACEHOLDERS[c.type] for c in contract.columns if not c.nullable}
        filled = pa.Table.from_pylist([must | row for row in rows])  # noqa: F841 - the query names it
        with write_transaction(self._connection, self.settings):
            create_tables(self._connection, [contract])
            self._made.add(contract.qualified)
            self._connection.execute(f"INSERT INTO {contract.qualified} BY NAME SELECT * FROM filled")

    def find(self, name: str, **thresholds: Any) -> Sequence[Condition]:
        """What the rule finds now, by these thresholds and its defaults."""
        rule = getattr(self.settings.alerts.rules, name).model_copy(update=thresholds)
        self.tables.begin()
        scene = Scene(self.settings, self.now, self.database, self.tables, self.worker, self.dagster)
        return RULES[name].judge(scene, rule)

    def subjects(self, name: str, **thresholds: Any) -> list[str]:
        """Of what the rule finds something now."""
        return [condition.subject for condition in self.find(name, **thresholds)]

    def wait(self, **span: float) -> None:
        """Time passes."""
        self.now += timedelta(**span)


@contextmanager
def situation_in(folder: Path) -> Iterator[Situation]:
    """One over a fresh folder."""
    settings = Settings(data_dir=folder, dagster_url="http://127.0.0.1:9")
    with ExitStack() as stack:
        database = stack.enter_context(closing(AlertDatabase(settings)))
        yield Situation(settings, database, stack)

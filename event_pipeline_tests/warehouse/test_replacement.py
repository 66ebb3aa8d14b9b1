"""A table that is what it is to be is not written again; one that is not, or that is worn, is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from event_pipeline.contracts.quarantine import QUARANTINE
from event_pipeline.errors import ContractError
from event_pipeline.increments.feed import current_snapshot
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect
from event_pipeline.warehouse.lock import write_transaction
from event_pipeline.warehouse.replacement import bring_to
from event_pipeline.warehouse.tables import create_tables

_ROWS = 200
_ROW = (
    "SELECT 'registrations' AS table_name, i::VARCHAR AS document_id, 'export' AS source, 'v' AS version, "
    "'f' AS field, 'f.r' AS rule, 'rejected' AS consequence, {value} AS offending_value, 'correct it' AS what_to_do"
)


def _query(*, value: str = "NULL::VARCHAR", rows: str = f"range({_ROWS})") -> str:
    return f"{_ROW.format(value=value)} FROM {rows} AS t (i)"


def in_order(connection: duckdb.DuckDBPyConnection, source: str) -> list[tuple[str, str | None]]:
    found = connection.execute(f"SELECT document_id, offending_value FROM {source} ORDER BY document_id::INTEGER")
    return found.fetchall()


class Table:
    """A stored table and how often it was written."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
        self.connection, self.settings = connection, settings
        with write_transaction(connection, settings):
            create_tables(connection, [QUARANTINE])

    def bring_to(self, query: str, *more: str) -> int:
        columns = [*QUARANTINE.column_names, *more]
        with write_transaction(self.connection, self.settings):
            return bring_to(self.connection, self.settings, QUARANTINE, query, columns)

    def delete(self, count: int) -> None:
        with write_transaction(self.connection, self.settings):
            self.connection.execute(f"DELETE FROM {QUARANTINE.qualified} WHERE document_id::INTEGER < {count}")

    @property
    def snapshot(self) -> int:
        return current_snapshot(self.connection)

    def rows(self) -> list[tuple[str, str | None]]:
        return in_order(self.connection, QUARANTINE.qualified)


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    settings = Settings(data_dir=tmp_path)
    with connect(settings) as connection:
        yield Table(connection, settings)


def test_the_same_rows_in_any_order_are_not_written_again(table: Table) -> None:
    assert table.bring_to(_query()) == _ROWS
    written = table.snapshot
    assert table.bring_to(f"{_query()} ORDER BY i DESC") == _ROWS
    assert table.snapshot == written


@pytest.mark.parametrize(
    "query",
    [
        _query(value="CASE WHEN i = 7 THEN 'other' END"),
        _query(rows=f"range({_ROWS - 1})"),
        f"{_query(rows=f'range({_ROWS - 1})')} UNION ALL {_query(rows='range(1)')}",
    ],
    ids=["a value", "a row less", "a row twice instead of another"],
)
def test_any_difference_is_written(table: Table, query: str) -> None:
    table.bring_to(_query())
    written = table.snapshot
    count = table.bring_to(query)
    assert table.snapshot > written
    assert table.rows() == in_order(table.connection, f"({query})")
    assert count == len(table.rows())


def test_a_table_becomes_empty(table: Table) -> None:
    table.bring_to(_query())
    assert table.bring_to(_query(rows="range(0)")) == 0
    assert table.rows() == []


@pytest.mark.parametrize(("deleted", "is_written"), [(_ROWS // 10, False), (_ROWS // 2, True)])
def test_a_table_with_many_deleted_rows_is_written_again_though_it_is_right(
    table: Table, deleted: int, is_written: bool
) -> None:
    table.bring_to(_query())
    table.delete(deleted)
    left, before = table.rows(), table.snapshot
    assert table.bring_to(_query(rows=f"range({deleted}, {_ROWS})")) == len(left)
    assert (table.snapshot > before) is is_written
    assert table.rows() == left


def test_undeclared_columns_are_refused_though_the_rest_is_the_same(table: Table) -> None:
    table.bring_to(_query())
    with pytest.raises(ContractError, match="does not declare extra"):
        table.bring_to(f"SELECT *, 1 AS extra FROM ({_query()})", "extra")
    assert len(table.rows()) == _ROWS

"""Rows lie in the order of their table's key, so that a look for one reads little."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from event_pipeline.contracts.core import DIM_CATEGORIES
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect
from event_pipeline.warehouse.lock import write_transaction
from event_pipeline.warehouse.maintenance import maintain
from event_pipeline.warehouse.tables import create_tables, replace_rows

if TYPE_CHECKING:
    import duckdb

_ROWS = 60_000
_SHUFFLED = "SELECT {columns} FROM range({first}, {last}) ORDER BY hash(range)"


def _columns() -> str:
    """An id that sorts as text, and nothing else."""
    key = DIM_CATEGORIES.key[0]
    others = (column.name for column in DIM_CATEGORIES.columns if column.name != key)
    return ", ".join([f"printf('%09d', range) AS {key}", *(f"NULL AS {name}" for name in others)])


def _groups(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, int]]:
    """Least and greatest key of each row group, and its rows, of every file of the table."""
    files = connection.execute(
        "SELECT data_file FROM ducklake_list_files('warehouse', 'dim_categories', schema => 'core')"
    ).fetchall()
    return connection.execute(
        "SELECT stats_min_value, stats_max_value, row_group_num_rows FROM parquet_metadata(?) "
        "WHERE path_in_schema = ? ORDER BY 1",
        [[path for (path,) in files], DIM_CATEGORIES.key[0]],
    ).fetchall()


def test_what_is_written_and_what_is_merged_lies_in_order_in_small_groups(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with connect(settings) as connection:
        with write_transaction(connection, settings):
            create_tables(connection, [DIM_CATEGORIES])
            query = _SHUFFLED.format(columns=_columns(), first=0, last=_ROWS)
            assert replace_rows(connection, DIM_CATEGORIES, query, DIM_CATEGORIES.column_names) == _ROWS
        groups = _groups(connection)
        assert len(groups) > 1
        assert max(rows for _, _, rows in groups) <= 16_384
        assert all(before[1] < after[0] for before, after in pairwise(groups))
        for first in (_ROWS, _ROWS + 1_000):
            with write_transaction(connection, settings):
                more = _SHUFFLED.format(columns=_columns(), first=first, last=first + 1_000)
                names = ", ".join(DIM_CATEGORIES.column_names)
                connection.execute(f"INSERT INTO {DIM_CATEGORIES.qualified} ({names}) SELECT {names} FROM ({more})")
        maintain(connection, settings)
        merged = _groups(connection)
    assert sum(rows for _, _, rows in merged) == _ROWS + 2_000
    assert all(before[1] < after[0] for before, after in pairwise(merged))

"""Fixtures of the quality tests: a real lake and warehouse in a temporary folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import duckdb
import pytest

from event_pipeline.quality.gx_runner import check_table
from event_pipeline.quality.results import ExpectationOutcome, TableQuality
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect
from event_pipeline_tests.quality.visits import NOW, PLACES, VISITS, store

CheckVisits = Callable[..., TableQuality]


@pytest.fixture(scope="session")
def shared_lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, duckdb.DuckDBPyConnection]]:
    """Both catalogs in a fresh folder: making them costs more than most tests."""
    fresh = Settings(data_dir=tmp_path_factory.mktemp("lake"))
    with connect(fresh) as opened:
        yield fresh, opened


@pytest.fixture
def settings(shared_lake: tuple[Settings, duckdb.DuckDBPyConnection]) -> Settings:
    """Settings of the lake that ``connection`` opens."""
    return shared_lake[0]


@pytest.fixture
def connection(
    shared_lake: tuple[Settings, duckdb.DuckDBPyConnection],
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Both catalogs, without tables."""
    opened = shared_lake[1]
    yield opened
    for catalog in ("lake", "warehouse"):
        opened.begin()
        tables = opened.execute(
            "SELECT concat_ws('.', database_name, schema_name, table_name) FROM duckdb_tables() "
            "WHERE database_name = ?",
            [catalog],
        ).fetchall()
        for (table,) in tables:
            opened.execute(f"DROP TABLE {table}")
        opened.commit()


@pytest.fixture
def check_visits(connection: duckdb.DuckDBPyConnection, settings: Settings) -> CheckVisits:
    """Stores these visits beside the place p1, and checks them."""

    def check(*rows: dict) -> TableQuality:
        store(connection, PLACES, [{"place_id": "p1"}])
        store(connection, VISITS, rows)
        return check_table(connection, settings, VISITS, now=NOW)

    return check


def only_failure(quality: TableQuality) -> ExpectationOutcome:
    """The one broken promise there is."""
    assert [outcome.message for outcome in quality.failed] == [quality.failed[0].message]
    return quality.failed[0]

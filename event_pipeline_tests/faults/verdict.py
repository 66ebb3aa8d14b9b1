"""Whether the pipeline has caught up with the truth, and whether what it made of it is right."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import duckdb

from event_pipeline.contracts.raw import RAW_TABLES
from event_pipeline.increments.progress import read_progress
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect, ibis_backend
from event_pipeline_tests.faults.truth import COLLECTIONS, SOURCE, Place, Truth
from event_pipeline_tests.warehouse.pipelines import Contents, MemoryPipeline, Pipeline

PATIENCE_SECONDS = 900.0
_POLL_SECONDS = 0.2
_VERSIONS = " UNION ALL ".join(
    f"SELECT '{name}' AS collection, document_id, version FROM {RAW_TABLES[name].qualified} WHERE source = '{SOURCE}'"
    for name in COLLECTIONS
)


def wait_until(condition: Callable[[], object], what: Callable[[], object]) -> None:
    """Returns once it holds. Fails, saying ``what``, when it does not within the patience of these tests."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what()
        time.sleep(_POLL_SECONDS)


def missing(settings: Settings, truth: Truth) -> dict[Place, tuple[str | None, str | None]]:
    """Documents whose latest version in the lake is not the app's, with the app's and the lake's."""
    wanted, held = truth.versions(), _latest(settings)
    return {
        place: (wanted.get(place), held.get(place))
        for place in wanted.keys() | held.keys()
        if wanted.get(place) != held.get(place)
    }


def has_caught_up(settings: Settings, truth: Truth) -> bool:
    """Whether every document and file is in the lake, and the tables hold all that the lake does."""
    if list(truth.inbox.glob("*.ndjson")) or missing(settings, truth):
        return False
    with connect(settings, read_only=True) as connection:
        progress = read_progress(connection, "warehouse")
        if progress is None or progress.owed:
            return False
        rows = connection.execute(
            "SELECT count(*) FROM ducklake_snapshots('lake') WHERE snapshot_id > ?", [progress.consumed_snapshot]
        ).fetchall()
    return rows == [(0,)]


def wait_until_caught_up(settings: Settings, truth: Truth) -> None:
    """Returns when it has; fails with what is missing."""
    wait_until(
        lambda: has_caught_up(settings, truth),
        lambda: (list(truth.inbox.glob("*.ndjson")), missing(settings, truth)),
    )


def assert_right(settings: Settings, truth: Truth, oracle: MemoryPipeline) -> None:
    """Every table equals a rebuild from the truth, every version is there once, every file was picked up once."""
    with connect(settings, read_only=True) as connection:
        found = Pipeline(ibis_backend(connection), settings)
        delivered = _delivered(connection)
        written = {(*place, change.version) for place, versions in truth.written.items() for change in versions}
        assert delivered <= written, "the lake holds what nobody wrote"
        differing = differences(found.contents(), truth.warehouse(oracle, settings, delivered))
        assert differing == {}, differing
        for contract in RAW_TABLES.values():
            twice = connection.execute(
                f"SELECT source, document_id, version, count(*) FROM {contract.qualified} GROUP BY ALL "
                "HAVING count(*) > 1"
            ).fetchall()
            assert twice == [], contract.name
    done = sorted(path.name for path in (truth.inbox / "done").rglob("*.ndjson"))
    assert done == sorted(truth.files)
    assert list((truth.inbox / "failed").rglob("*.ndjson")) == []


def differences(found: Contents, right: Contents) -> dict[str, tuple[list[Any], list[Any]]]:
    """By table: rows that should not be there, and rows that should."""
    return {
        name: (
            [row for row in found[name] if row not in right[name]],
            [row for row in right[name] if row not in found[name]],
        )
        for name in right
        if found[name] != right[name]
    }


def _latest(settings: Settings) -> Mapping[Place, str]:
    """The latest version the lake holds of each document of the app that is not deleted."""
    with connect(settings, ("lake",), read_only=True) as connection:
        made = connection.execute(
            "SELECT 1 FROM duckdb_tables() WHERE database_name = 'lake' AND table_name = 'cursors'"
        )
        if not made.fetchall():
            return {}
        rows = connection.execute(
            f"SELECT collection, document_id, max(version) FROM ({_VERSIONS}) GROUP BY ALL "
            "HAVING max(version) NOT LIKE '%-gone'"
        ).fetchall()
    return {(collection, key): version for collection, key, version in rows}


def _delivered(connection: duckdb.DuckDBPyConnection) -> set[tuple[str, str, str]]:
    """Every version of the app's documents that the lake holds, deletes left out."""
    return set(connection.execute(f"FROM ({_VERSIONS}) WHERE version NOT LIKE '%-gone'").fetchall())

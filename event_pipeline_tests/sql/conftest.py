"""A small warehouse beside a lake with a name in it, and a sandbox over it whose queries end soon."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from event_pipeline.contracts.contract import Contract
from event_pipeline.contracts.core import DIM_EVENTS, FACT_REGISTRATIONS
from event_pipeline.contracts.marts import AGG_DAILY_METRICS
from event_pipeline.contracts.staging import REGISTRATIONS
from event_pipeline.settings import Settings
from event_pipeline.sql import Caps, Query, Sandbox
from event_pipeline.warehouse.connection import connect
from event_pipeline.warehouse.lock import write_transaction
from event_pipeline.warehouse.tables import create_tables

PERSON = "Asha Verysecret Rao"
"""A name that is in the lake and must be in no answer."""

Run = Callable[..., list[list[Any]]]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder; the numbers in it are few and known."""
    made = tmp_path_factory.mktemp("sql")
    settings = settings_for(made)
    with connect(settings) as connection, write_transaction(connection, settings):
        create_tables(connection, [REGISTRATIONS])
        _insert(
            connection,
            REGISTRATIONS,
            f"'r' || i AS registration_id, 'e1' AS event_id, '{PERSON}' AS participant_name",
            40,
        )
    with connect(settings) as connection, write_transaction(connection, settings):
        create_tables(connection, [DIM_EVENTS, FACT_REGISTRATIONS, AGG_DAILY_METRICS])
        _insert(connection, DIM_EVENTS, "'e' || i AS event_id, 'Event ' || i AS title, 100 * i AS fee_minor", 3)
        _insert(connection, FACT_REGISTRATIONS, "'r' || i AS registration_id, 'e' || (i % 3 + 1) AS event_id", 90)
        _insert(connection, AGG_DAILY_METRICS, "DATE '2026-01-01' + i::INTEGER AS date, i AS registrations", 10)
    return made


def _insert(connection: Any, contract: Contract, columns: str, rows: int) -> None:
    connection.execute(f"INSERT INTO {contract.qualified} BY NAME SELECT {columns} FROM range(1, {rows + 1}) t(i)")


def settings_for(folder: Path, **sql: Any) -> Settings:
    """Settings over a data folder."""
    limits = {"seconds": 20, "memory_megabytes": 192, "workers": 2, **sql}
    return Settings(data_dir=folder, identity_key=SecretStr("a key for tests only"), sql=limits)  # pyright: ignore[reportArgumentType]


@pytest.fixture(scope="session")
def sandbox(folder: Path) -> Iterator[Sandbox]:
    made = Sandbox(settings_for(folder))
    yield made
    made.close()


@pytest.fixture(scope="session")
def run(sandbox: Sandbox) -> Run:
    """The rows of a query."""

    def rows(sql: str, params: Any = (), caps: Caps | None = None, **more: Any) -> list[list[Any]]:
        with sandbox.stream(Query(sql, params, **more), caps, "json") as result:
            return orjson.loads(b"[" + b"".join(result.chunks()).removesuffix(b",") + b"]")

    return rows


def worker_ids() -> set[int]:
    """The workers that this process has started and that live."""
    import psutil

    children = psutil.Process(os.getpid()).children()
    return {child.pid for child in children if "event_pipeline.sql.worker" in " ".join(child.cmdline())}

"""A demo organisation in a data folder, with the API over it as tests need it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic import SecretStr

from event_pipeline.api.app import create_app
from event_pipeline.api.keys import SCOPES
from event_pipeline.api.services import Services
from event_pipeline.contracts.contract import Contract
from event_pipeline.contracts.ops import DATA_QUALITY
from event_pipeline.contracts.stream import BATCHES
from event_pipeline.demo import DEFAULT_AS_OF, generate_demo
from event_pipeline.increments.driver import Driver
from event_pipeline.settings import Settings
from event_pipeline.sources.change import Change
from event_pipeline.warehouse.connection import connect, ibis_backend
from event_pipeline.warehouse.ingest import ingest_exports, ingest_inbox
from event_pipeline.warehouse.lake import Lake
from event_pipeline.warehouse.lock import write_transaction
from event_pipeline.warehouse.tables import create_tables
from event_pipeline_tests.warehouse.pipelines import batched

with warnings.catch_warnings():
    # It asks for another HTTP library than the one that everything else here uses.
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient

AS_OF = DEFAULT_AS_OF.astimezone(UTC)
NOW = AS_OF + timedelta(hours=1)
NOBODY = "http://127.0.0.1:9"
"""An address at which no Dagster answers."""


def settings_for(folder: Path, **api: Any) -> Settings:
    """Settings over a data folder, without Dagster."""
    return Settings(
        data_dir=folder,
        identity_key=SecretStr("a key for tests only"),
        dagster_url=NOBODY,
        api={"requests_per_minute": 1_000_000, "dagster_seconds": 2, **api},  # pyright: ignore[reportArgumentType]
    )


def make_organisation(folder: Path, more: Iterable[Change] = ()) -> None:
    """The folder with everything made, as of AS_OF; ``more`` is loaded beside the demo."""
    settings = settings_for(folder)
    generate_demo(folder, 400, 7, AS_OF)
    with connect(settings) as connection:
        lake = Lake.prepared(connection, settings)
        assert ingest_exports(lake, settings).failures == []
        assert ingest_inbox(lake, settings).failures == []
        for extra in batched(sorted(more, key=lambda change: (change.source, change.collection))):
            lake.commit(extra)
        Driver(ibis_backend(connection), settings).bring_up_to_date(AS_OF)
        checked = {
            "checked_at": AS_OF, "dimension": "validity", "expectations": 4, "row_count": 10,
            "failed_expectations": "[]",
        }  # fmt: skip
        append(
            connection, settings, DATA_QUALITY, {"table_name": "core.dim_events", "score": 1.0, "failed": 0} | checked
        )
        append(
            connection, settings, DATA_QUALITY, {"table_name": "core.dim_users", "score": 0.5, "failed": 1} | checked
        )
        batch = {
            "source": "firestore", "rows_in": 30, "rows_new": 20, "rows_quarantined": 3, "lag_seconds": 0.4,
            "duration_seconds": 0.2, "snapshot": 3,
        }  # fmt: skip
        append(connection, settings, BATCHES, {"batch_id": "b1", "committed_at": NOW - timedelta(minutes=5)} | batch)
        append(connection, settings, BATCHES, {"batch_id": "b0", "committed_at": NOW - timedelta(days=2)} | batch)


def append(connection: Any, settings: Settings, contract: Contract, row: dict[str, Any]) -> None:
    """One more row, committed."""
    with write_transaction(connection, settings):
        create_tables(connection, [contract])
        names, places = ", ".join(row), ", ".join("?" for _ in row)
        connection.execute(f"INSERT INTO {contract.qualified} ({names}) VALUES ({places})", list(row.values()))


@dataclass(frozen=True)
class Api:
    """The API answering, at NOW, with a client for whatever key."""

    app: FastAPI
    services: Services
    http: TestClient

    def key(self, *scopes: str, **more: Any) -> str:
        """A new key with these scopes, all by default."""
        return self.services.keys.create("a test's", scopes or SCOPES, **more)[1]

    def headers(self, *scopes: str, **more: Any) -> dict[str, str]:
        """What a client with a new key sends."""
        return {"Authorization": f"Bearer {self.key(*scopes, **more)}"}


@contextmanager
def running_api(settings: Settings, now: datetime = NOW) -> Iterator[Api]:
    """The API, started and stopped as uvicorn does."""
    services = Services.of(settings)
    services.now = lambda: now
    app = create_app(settings, services)
    # What goes wrong inside is answered as a problem, as it is to real clients.
    with TestClient(app, raise_server_exceptions=False) as http:
        yield Api(app, services, http)


def ask(settings: Settings, sql: str, parameters: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
    """The oracle: SQL over the tables themselves, through a connection of its own."""
    with connect(settings, read_only=True) as connection:
        return connection.execute(sql, list(parameters)).fetchall()

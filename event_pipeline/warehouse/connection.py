"""Opens the two DuckLake catalogs, ``lake`` (everything personal) and ``warehouse`` (pseudonymous), through DuckDB."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from event_pipeline.contracts.contract import Catalog
from event_pipeline.settings import Settings
from event_pipeline.warehouse.identity_key import identity_key
from event_pipeline.warehouse.python_functions import register_python_functions

if TYPE_CHECKING:
    import duckdb
    from ibis.backends.duckdb import Backend

KEY_VARIABLE = "identity_key"
"""Connection variable that ``models.identity`` reads the key of the pseudonyms from."""

_BUSY_MILLISECONDS = 30_000
"""How long a SQLite catalog is waited for before it counts as locked."""

_UNSOUND_OPTIMIZERS = "statistics_propagation"
"""A file may have no least and greatest value of a column; DuckLake then takes those of later files for the whole
table's, and a condition that they rule out would find nothing."""

_FILES = {
    "lake": {"target_file_size": "32MB"},
    # A look for one key reads one group of rows of one file.
    "warehouse": {"target_file_size": "32MB", "parquet_row_group_size": "16384"},
}
"""How files are written: small enough that merging leaves most alone."""

SCHEMAS = {"lake": ("raw", "staging", "quarantine", "people", "ops"), "warehouse": ("core", "marts", "ops")}
"""The schemas of each catalog; a schema is a layer."""


@contextmanager
def connect(
    settings: Settings,
    catalogs: tuple[Catalog, ...] = ("lake", "warehouse"),
    *,
    read_only: bool = False,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB connection with these catalogs attached and their schemas present; closed on leaving.

    Catalog files are created on first use unless ``read_only``.
    """
    import duckdb

    connection = duckdb.connect(config={"allow_unsigned_extensions": False, "memory_limit": settings.memory_limit})
    try:
        _load_extensions(connection, settings)
        if "://" in settings.storage:
            _sign_in_to_storage(connection, settings)
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(f"SET temp_directory = {_literal(str(settings.data_dir / 'spill'))}")
        connection.execute("SET ducklake_max_retry_count = 30")
        connection.execute(f"SET disabled_optimizers = '{_UNSOUND_OPTIMIZERS}'")
        for catalog in catalogs:
            _attach(connection, settings, catalog, read_only)
        if "lake" in catalogs:
            connection.execute(f"SET VARIABLE {KEY_VARIABLE} = {_literal(identity_key(settings))}")
        yield connection
    finally:
        connection.close()


@contextmanager
def joins_as_written(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Joins in the order in which models write them.

    To find another order, the statistics of every column of every scan are looked up in the catalog, which costs a
    small organisation more than making its tables; a large one gains nothing by it (``make bench``).
    """
    connection.execute(f"SET disabled_optimizers = '{_UNSOUND_OPTIMIZERS},join_order'")
    try:
        yield
    finally:
        connection.execute(f"SET disabled_optimizers = '{_UNSOUND_OPTIMIZERS}'")


def lake_exists(settings: Settings) -> bool:
    """Whether anything was ever loaded; a shared catalog is taken to exist."""
    return catalogs_exist(settings, ("lake",))


def catalogs_exist(settings: Settings, catalogs: Iterable[Catalog]) -> bool:
    """Whether these were ever written to; a shared catalog is taken to exist."""
    files = (settings.catalog_dir / f"{catalog}.sqlite" for catalog in catalogs)
    return settings.catalog_url is not None or all(file.exists() for file in files)


def metadata_of(settings: Settings, catalog: str) -> str:
    """Where an attached catalog keeps its own tables, as SQL names it."""
    schema = "" if settings.catalog_url is None else f".{_metadata_schema(catalog)}"
    return f"__ducklake_metadata_{catalog}{schema}"


def ibis_backend(connection: duckdb.DuckDBPyConnection) -> Backend:
    """The Ibis backend over an open connection: tables are ``backend.table(name, database=(catalog, schema))``."""
    import ibis

    register_python_functions(connection)
    # Fused selects repeat an expression wherever it is used; unfused, each step of a model is computed once.
    ibis.options.sql.fuse_selects = False
    return ibis.duckdb.from_connection(connection)


def _load_extensions(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Extensions come signed inside wheels, so nothing is downloaded at run time."""
    import duckdb_extension_ducklake

    packages = [duckdb_extension_ducklake]
    if settings.catalog_url is None:
        import duckdb_extension_sqlite_scanner

        packages.insert(0, duckdb_extension_sqlite_scanner)
    else:
        import duckdb_extension_postgres_scanner

        packages.insert(0, duckdb_extension_postgres_scanner)
    if "://" in settings.storage:
        import duckdb_extension_httpfs

        packages.append(duckdb_extension_httpfs)
    for package in packages:
        extension = next(Path(next(iter(package.__path__))).rglob("*.duckdb_extension"))
        connection.execute(f"LOAD {_literal(str(extension))}")


def _sign_in_to_storage(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Gives the connection its key to the object store; without one the store must be public."""
    options = ["TYPE s3", f"REGION {_literal(settings.storage_region)}", f"USE_SSL {settings.is_storage_encrypted}"]
    if settings.storage_key_id is not None and settings.storage_secret is not None:
        options.append(f"KEY_ID {_literal(settings.storage_key_id.get_secret_value())}")
        options.append(f"SECRET {_literal(settings.storage_secret.get_secret_value())}")
    if settings.storage_endpoint is not None:
        options += [f"ENDPOINT {_literal(settings.storage_endpoint)}", "URL_STYLE 'path'"]
    connection.execute(f"CREATE SECRET storage ({', '.join(options)})")


def _attach(connection: duckdb.DuckDBPyConnection, settings: Settings, catalog: str, read_only: bool) -> None:
    data_path = f"{settings.storage.rstrip('/')}/{catalog}/"
    if "://" not in data_path:
        Path(data_path).mkdir(parents=True, exist_ok=True)
    # The catalog notes paths below its data path, so a folder that was moved or restored works where it is now.
    options = [f"DATA_PATH {_literal(data_path)}", "OVERRIDE_DATA_PATH true"]
    if settings.catalog_url is not None:
        options.append(f"METADATA_SCHEMA {_literal(_metadata_schema(catalog))}")
        target = f"ducklake:postgres:{_postgres_keywords(settings.catalog_url.get_secret_value())}"
    else:
        settings.catalog_dir.mkdir(parents=True, exist_ok=True)
        target = f"ducklake:sqlite:{settings.catalog_dir / (catalog + '.sqlite')}"
        options.append(f"META_BUSY_TIMEOUT {_BUSY_MILLISECONDS}")
        if not read_only:
            # With a write-ahead log neither readers nor the writer wait for the other.
            options.append("META_JOURNAL_MODE 'WAL'")
    if read_only:
        options.append("READ_ONLY")
    connection.execute(f"ATTACH {_literal(target)} AS {catalog} ({', '.join(options)})")
    if not read_only:
        _create_schemas(connection, catalog)


def _metadata_schema(catalog: str) -> str:
    return f"ducklake_{catalog}"


def _create_schemas(connection: duckdb.DuckDBPyConnection, catalog: str) -> None:
    rows = connection.execute("SELECT schema_name FROM duckdb_schemas() WHERE database_name = ?", [catalog]).fetchall()
    present = {name for (name,) in rows}
    if not present.intersection(SCHEMAS[catalog]):
        for option, value in _FILES[catalog].items():
            connection.execute(f"CALL {catalog}.set_option('{option}', '{value}')")
    for schema in SCHEMAS[catalog]:
        if schema not in present:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {catalog}.{schema}")


def _postgres_keywords(url: str) -> str:
    """libpq keyword text of a postgresql:// URL, which is the form DuckLake takes."""
    parts = urlsplit(url)
    keywords = {
        "dbname": parts.path.lstrip("/"),
        "host": parts.hostname,
        "port": parts.port,
        "user": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
    }
    # What stands behind the question mark, such as sslmode, is libpq's own keywords; a plus is no space there.
    keywords |= dict(parse_qsl(parts.query.replace("+", "%2B")))
    return " ".join(f"{key}={_quoted(str(value))}" for key, value in keywords.items() if value not in (None, ""))


def _quoted(value: str) -> str:
    """A value as libpq reads it: a password may hold spaces and quotes."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

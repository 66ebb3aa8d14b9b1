"""DuckDB as a worker has it: the warehouse attached for reading, everything else switched off and locked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from event_pipeline.settings import Settings
from event_pipeline.sql.dialects import to_duckdb
from event_pipeline.sql.errors import InvalidQueryError, RefusedQueryError
from event_pipeline.sql.gate import SELECT_ONLY, Tables, UnknownTableError, check
from event_pipeline.sql.query import EXPLAIN, Query
from event_pipeline.warehouse.connection import SCHEMAS, connect

if TYPE_CHECKING:
    import duckdb

_CATALOG = "warehouse"
_WARM_UP_SECONDS = 60.0
_NOT_SELECT = {"EXPLAIN": "to see the plan, send the SELECT alone with `explain: true`"}


class Engine:
    """One connection; each query has a cursor of its own on it, made ready while nobody waits."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        import duckdb

        self._connection = connection
        # Parsing needs no catalog, but IMPORT DATABASE opens files for it.
        self._parser = duckdb.connect(config={"enable_external_access": False, "lock_configuration": True})
        self.tables = self._read_tables()
        self._spare = self._new_cursor()

    def checked(self, query: Query) -> str:
        """The query in DuckDB's SQL. Raises QueryError and DuckDB's own errors unless it may be run."""
        import duckdb

        sql = to_duckdb(query.sql, query.dialect)
        statements = self._parser.extract_statements(sql)
        if not statements:
            raise InvalidQueryError("there is no statement in it")
        if len(statements) > 1:
            raise RefusedQueryError(f"{len(statements)} statements: {SELECT_ONLY}")
        if statements[0].type != duckdb.StatementType.SELECT:
            kind = statements[0].type.name
            raise RefusedQueryError(f"this is {kind}: {_NOT_SELECT.get(kind, SELECT_ONLY)}")
        tree = self._tree(sql)
        try:
            check(tree, sql, self.tables)
        except UnknownTableError:
            # It may have been made since.
            self.tables = self._read_tables()
            check(tree, sql, self.tables)
        return sql

    @contextmanager
    def running(self, sql: str, query: Query, seconds: float) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor on which the checked query runs; its rows come as they are read. It is interrupted after so long,
        which most queries heed; those that do not end with their process."""
        cursor, self._spare = self._spare, None
        if cursor is None:
            cursor = self._new_cursor()
        timer = threading.Timer(seconds, cursor.interrupt)
        timer.daemon = True
        timer.start()
        params = dict(query.params) if isinstance(query.params, dict) else list(query.params)
        try:
            yield cursor.execute((EXPLAIN if query.explain else "") + sql, params)
        finally:
            timer.cancel()
            cursor.close()

    def make_ready(self) -> None:
        """Prepare for the next query."""
        self._spare = self._spare or self._new_cursor()

    def _tree(self, sql: str) -> Any:
        row = self._parser.execute("SELECT json_serialize_sql($1::VARCHAR)", [sql]).fetchone()
        tree = json.loads(row[0] if row else "{}")
        if tree.get("error", True):
            # What only looks like a SELECT, such as PRAGMA and PIVOT over values that must be read first.
            raise RefusedQueryError(f"this is more than one step: {SELECT_ONLY}; PIVOT needs ON ... IN (values)")
        return tree

    def _new_cursor(self) -> duckdb.DuckDBPyConnection:
        cursor = self._connection.cursor()
        cursor.execute("SET search_path = '" + ",".join(f"{_CATALOG}.{name}" for name in self.tables.by_schema) + "'")
        return cursor

    def _read_tables(self) -> Tables:
        cursor = self._connection.cursor()
        rows = cursor.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ?", [_CATALOG]
        ).fetchall()
        cursor.close()
        schemas = dict.fromkeys((*SCHEMAS[_CATALOG], *sorted({schema for schema, _ in rows})))
        return Tables({name: frozenset(table.lower() for schema, table in rows if schema == name) for name in schemas})


@contextmanager
def opened(settings: Settings) -> Iterator[Engine]:
    """An engine over the warehouse of these settings, with one query run, so that the next finds everything loaded."""
    with connect(settings, (_CATALOG,), read_only=True) as connection:
        _lock(connection, settings)
        engine = Engine(connection)
        warm_up = Query("SELECT date_trunc('day', now()) AS day, 1.5 AS number, 'x' AS word")
        with engine.running(engine.checked(warm_up), warm_up, _WARM_UP_SECONDS) as cursor:
            cursor.to_arrow_table()
        engine.make_ready()
        yield engine


def _lock(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """No files but those of the warehouse, no downloads, nothing of the process's own variables; and it stays so."""
    folder = f"{settings.storage.rstrip('/')}/{_CATALOG}/".replace("'", "''")
    for change in (
        f"memory_limit = '{settings.sql.memory_megabytes}MB'",
        f"threads = {settings.sql.threads}",
        "temp_directory = ''",
        "python_enable_replacements = false",
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        "allow_community_extensions = false",
        f"allowed_directories = ['{folder}']",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {change}")

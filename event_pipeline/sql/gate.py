"""What a query may be made of, told from DuckDB's own parse tree: one SELECT over the warehouse's tables.

Neither the kind of a statement nor a read-only catalog is enough: table functions read files and run SQL from texts, a
name in quotes may be a file, and the catalog's own tables are attached beside it. So tables and table functions are
those that are listed here, and of the functions those that look outside the query are not.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from event_pipeline.sql.errors import InvalidQueryError, RefusedQueryError

TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest", "repeat_row", "json_each", "json_tree"})
"""Those that make rows of their arguments alone."""

REFUSED_FUNCTIONS = frozenset({
    "current_setting", "getenv", "getvariable", "nextval", "currval", "write_log", "sleep_ms", "pg_sleep",
    "json_serialize_sql", "json_serialize_plan", "json_deserialize_sql", "parse_duckdb_log_message", "stats",
    "current_query",
})  # fmt: skip
"""Those that tell of settings and sessions, parse SQL of their own, write, or only wait."""

_INTERNAL = "__internal"
_TABLE_KINDS = frozenset({
    "EMPTY", "BASE_TABLE", "SUBQUERY", "JOIN", "TABLE_FUNCTION", "EXPRESSION_LIST", "PIVOT", "SHOW_REF",
})  # fmt: skip
_SHOWS = frozenset({"DESCRIBE", "SUMMARY"})
_CATALOG = "warehouse"
_OWN_SCHEMAS = frozenset({"", "main", "pg_catalog"})
_OWN_CATALOGS = frozenset({"", "system"})
_NOWHERE = 2**63

SELECT_ONLY = "only a single SELECT is run here; WITH, VALUES, DESCRIBE and SUMMARIZE count as one"


@dataclass(frozen=True)
class Tables:
    """The warehouse's tables: names in lower case by schema, schemas in the order in which they are looked through."""

    by_schema: Mapping[str, frozenset[str]]

    def has(self, schema: str, table: str) -> bool:
        """Whether that table is there; in any schema where none is named."""
        names = self.by_schema.values() if not schema else (self.by_schema.get(schema, frozenset()),)
        return any(table in known for known in names)

    @property
    def names(self) -> list[str]:
        """Every table as schema.table."""
        return [f"{schema}.{table}" for schema, tables in self.by_schema.items() for table in sorted(tables)]


class UnknownTableError(InvalidQueryError):
    """It names a table that is not there, as far as ``Tables`` knows."""


def check(tree: Any, sql: str, tables: Tables) -> None:
    """Raises RefusedQueryError or UnknownTableError unless the statements that DuckDB serialized are allowed."""
    statements = tree["statements"]
    if len(statements) != 1:
        raise RefusedQueryError(f"{len(statements)} statements: {SELECT_ONLY}")
    _Walk(sql.encode(), tables).visit(statements[0], frozenset())


class _Walk:
    """Goes through a tree with the names of the common table expressions that are in sight at each place."""

    def __init__(self, sql: bytes, tables: Tables) -> None:
        self._sql, self._tables = sql, tables

    def visit(self, node: Any, ctes: frozenset[str]) -> None:
        if isinstance(node, list):
            for item in node:
                self.visit(item, ctes)
        elif isinstance(node, dict):
            ctes = self._with_own_ctes(node, ctes)
            self._check(node, ctes)
            for name, value in node.items():
                if name != "cte_map":
                    self.visit(value, ctes)

    def _with_own_ctes(self, node: dict[str, Any], ctes: frozenset[str]) -> frozenset[str]:
        """Each expression sees those before it, and itself where it is recursive: a later name may be a file's."""
        for entry in (node.get("cte_map") or {}).get("map", ()):
            name, body = entry["key"].lower(), entry["value"]
            is_recursive = body["query"]["node"]["type"] == "RECURSIVE_CTE_NODE"
            self.visit(body, ctes | {name} if is_recursive else ctes)
            ctes |= {name}
        return ctes

    def _check(self, node: dict[str, Any], ctes: frozenset[str]) -> None:
        kind = node.get("type")
        if "alias" in node and "sample" in node and kind not in _TABLE_KINDS:
            raise self._refused(node, f"reading from {str(kind).lower()} is not allowed")
        if kind == "BASE_TABLE":
            self._check_table(node, ctes)
        elif kind == "TABLE_FUNCTION":
            self._check_table_function(node)
        elif kind == "SHOW_REF" and (node.get("show_type") not in _SHOWS or not node.get("query")):
            raise self._refused(node, "GET /api/pipeline/schema lists tables and columns; DESCRIBE takes a table")
        if "function_name" in node:
            self._check_function(node)

    def _check_table(self, node: dict[str, Any], ctes: frozenset[str]) -> None:
        catalog, schema, table = (node[part].lower() for part in ("catalog_name", "schema_name", "table_name"))
        if not catalog and not schema and table in ctes:
            return
        if catalog in ("", _CATALOG) and self._tables.has(schema, table):
            return
        written = ".".join(node[part] for part in ("catalog_name", "schema_name", "table_name") if node[part])
        near = difflib.get_close_matches(f"{schema}.{table}" if schema else table, self._known(bool(schema)), n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "GET /api/pipeline/schema lists the tables"
        line, column = self._place(node)
        raise UnknownTableError(f"there is no table {written!r} in the warehouse; {hint}", line, column)

    def _known(self, with_schema: bool) -> list[str]:
        return [name if with_schema else name.partition(".")[2] for name in self._tables.names]

    def _check_table_function(self, node: dict[str, Any]) -> None:
        name = node["function"].get("function_name", "").lower()
        if name not in TABLE_FUNCTIONS:
            allowed = ", ".join(sorted(TABLE_FUNCTIONS))
            raise self._refused(node, f"the table function {name!r} is not allowed; allowed are {allowed}")

    def _check_function(self, node: dict[str, Any]) -> None:
        name = node["function_name"].lower()
        place = node.get("catalog", "").lower(), node.get("schema", "").lower()
        if name in REFUSED_FUNCTIONS or name.startswith(_INTERNAL):
            raise self._refused(node, f"the function {name!r} is not allowed: it does not read the warehouse")
        if place[0] not in _OWN_CATALOGS or place[1] not in _OWN_SCHEMAS:
            raise self._refused(node, f"functions of {'.'.join(filter(None, place))!r} are not allowed")

    def _refused(self, node: dict[str, Any], message: str) -> RefusedQueryError:
        return RefusedQueryError(message, *self._place(node))

    def _place(self, node: dict[str, Any]) -> tuple[int | None, int | None]:
        offset = node.get("query_location", _NOWHERE)
        return line_and_column(self._sql, offset) if offset < _NOWHERE else (None, None)


def line_and_column(sql: bytes, offset: int) -> tuple[int, int]:
    """Where the byte at that offset stands, both counted from 1, columns in characters."""
    before = sql[:offset].decode(errors="replace")
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1

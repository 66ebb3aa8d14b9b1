"""Queries written for other databases, translated into DuckDB's SQL."""

from __future__ import annotations

from event_pipeline.sql.errors import InvalidQueryError, RefusedQueryError
from event_pipeline.sql.gate import SELECT_ONLY
from event_pipeline.sql.query import Dialect

_NESTED = "it is nested too deeply; take parts of it out into WITH"


def to_duckdb(sql: str, dialect: Dialect) -> str:
    """The query in DuckDB's SQL. Raises InvalidQueryError with the place in the original, RefusedQueryError."""
    if dialect == "duckdb":
        return sql
    import sqlglot
    from sqlglot.errors import ErrorLevel, ParseError, TokenError, UnsupportedError

    try:
        parsed = [item for item in sqlglot.parse(sql, read=dialect) if item is not None]
        if len(parsed) != 1:
            raise RefusedQueryError(f"{len(parsed)} statements: {SELECT_ONLY}")
        return parsed[0].sql("duckdb", unsupported_level=ErrorLevel.RAISE)
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        message = f"this is not {dialect} SQL: {first.get('description') or error}"
        raise InvalidQueryError(message, first.get("line"), first.get("col")) from None
    except TokenError as error:
        raise InvalidQueryError(f"this is not {dialect} SQL: {error}") from None
    except UnsupportedError as error:
        raise InvalidQueryError(f"this has no counterpart in DuckDB: {error}") from None
    except RecursionError:
        raise InvalidQueryError(_NESTED) from None

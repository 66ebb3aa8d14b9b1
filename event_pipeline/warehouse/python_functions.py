"""Functions in Python that the models' queries call, for the few texts that the database cannot read by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


def register_python_functions(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes them known to the connection's database; one that knows them already stays as it is."""
    from event_pipeline.models import names

    functions = {"python_name_key": (names.key_of_name, ["VARCHAR"], "VARCHAR")}
    rows = connection.execute(
        "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_name LIKE 'python_%'"
    )
    known = {name for (name,) in rows.fetchall()}
    for name, (function, parameters, result) in functions.items():
        if name not in known:
            connection.create_function(name, function, parameters, result)  # pyright: ignore[reportArgumentType]

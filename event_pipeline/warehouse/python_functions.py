"""Functions in Python that the models' queries call, for the few texts that the database cannot read by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

_KNOWN = "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_name LIKE 'python_%'"


def register_python_functions(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes them known to the connection's database; one that knows them already stays as it is."""
    known = {name for (name,) in connection.execute(_KNOWN).fetchall()}
    for name, (function, parameters, result) in _functions().items():
        if name not in known:
            types: Any = ["VARCHAR"] * parameters
            returned: Any = result
            connection.create_function(name, function, types, returned)


def _functions() -> dict[str, tuple[Callable[..., Any], int, str]]:
    """Each with its number of texts and the type of its result; the database calls none of them with a null."""
    from event_pipeline.models import emails, members, names, phones, written_dates

    return {
        "python_name_key": (names.key_of_name, 1, "VARCHAR"),
        "python_email": (emails.fold_email, 1, "VARCHAR"),
        "python_phone": (phones.phone_number, 2, "VARCHAR"),
        "python_amount": (_amount, 2, "VARCHAR"),
        "python_amount_refusal": (_amount_refusal, 2, "VARCHAR"),
        "python_instant": (written_dates.instant_micros, 2, "BIGINT"),
        "python_members": (members.count_members, 2, "BIGINT"),
    }


def _amount(text: str, writing: str) -> str:
    from event_pipeline.models.amounts import AmountRefusedError, amount_minor

    try:
        return str(amount_minor(text, *writing.split()))
    except AmountRefusedError:
        return ""


def _amount_refusal(text: str, writing: str) -> str:
    from event_pipeline.models.amounts import refusal

    return refusal(text, *writing.split())

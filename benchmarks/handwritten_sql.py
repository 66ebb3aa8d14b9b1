"""Peer (a): the same tables by hand-written DuckDB SQL, from the same raw tables, into schemas of their own.

The statements stand in ``sql/``. They share with the models what is data rather than work: the regular expressions of
e-mails and phone numbers, and the advice that quarantine gives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from event_pipeline.contracts.contract import Contract
from event_pipeline.contracts.door_scans import CODE_EDGES, ID_EDGES
from event_pipeline.models import amounts, documents, emails, members, names, parsers, phones
from event_pipeline.models.core import dimensions
from event_pipeline.models.currency_signs import signs_of
from event_pipeline.models.locale import Locale
from event_pipeline.models.registry import STAGING_MODELS
from event_pipeline.models.rules import row_rules
from event_pipeline.settings import Settings

if TYPE_CHECKING:
    import duckdb

SQL = Path(__file__).parent / "sql"
SCHEMAS = (
    "lake.sql_staging", "lake.sql_quarantine", "lake.sql_people", "warehouse.sql_core", "warehouse.sql_marts",
)  # fmt: skip
_TABLE = re.compile(r"^-- (\S+)\n", re.MULTILINE)


def handwritten_name(contract: Contract) -> str:
    """Where the hand-written twin of a table stands."""
    return f"{contract.catalog}.sql_{contract.layer}.{contract.table}"


def run_handwritten(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    as_of: datetime,
    on_made: Callable[[str], None] = lambda _: None,
) -> None:
    """Makes every table anew, each after what it reads; ``on_made`` hears its name, ``layer.table``."""
    for schema in SCHEMAS:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    _create_checks(connection, settings)
    for name, statements in handwritten_statements(settings, as_of):
        connection.execute(statements)
        on_made(name)


def handwritten_statements(settings: Settings, as_of: datetime) -> Iterator[tuple[str, str]]:
    """The SQL of each table by ``layer.table``, in the order in which they must run."""
    values = _values(Locale.of(settings.organisation), as_of)
    for path in sorted(SQL.glob("*.sql")):
        text = re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], path.read_text())
        _, *parts = _TABLE.split(text)
        yield from zip(parts[::2], parts[1::2], strict=True)


def _values(locale: Locale, as_of: datetime) -> dict[str, str]:
    home = phones._home(locale.country)
    values = {
        "zone": locale.time_zone,
        "code_edges": CODE_EDGES,
        "id_edges": ID_EDGES,
        "currency": locale.currency,
        "plain_amount": amounts.plain_amount(locale),
        "own_signs": "|".join(re.escape(sign) for sign in signs_of(locale.currency)),
        "no_amount": amounts.NOTHING,
        "many_decimals": documents._MANY_DECIMALS,
        "writing": f"{locale.currency} {locale.country}",
        "simple_team": members.SIMPLE,
        "uneven_team": members.UNEVEN,
        "minor_units": str(locale.minor_units),
        "as_of": as_of.isoformat(),
        "email": emails.EMAIL,
        "invisible": emails.INVISIBLE,
        "untidy_email": emails.UNTIDY,
        "named_email": emails._NAMED,
        "before_email": emails._BEFORE,
        "after_email": emails._AFTER,
        "written_value": parsers._WRITTEN_VALUE,
        "number_exponent": parsers._EXPONENT,
        "no_list": parsers._NOTHING,
        "offset": parsers._OFFSET,
        "utc": parsers._UTC,
        "usual_phone": phones.USUAL,
        "phone_decimals": phones._DECIMALS,
        "phone_punctuation": phones.PUNCTUATION,
        "country": locale.country,
        "home": home.pattern,
        "prefix": home.prefix,
        "calling_code": home.calling_code,
        "apostrophes": names._APOSTROPHES,
        "ascii_name": names._ASCII,
        "european_name": names._EUROPEAN,
        "indic_name": names._INDIC,
        "year": dimensions._YEAR,
    }
    quoted = {name: value.replace("'", "''") for name, value in values.items()}
    return {**quoted, "indian_formats": str(list(parsers._INDIAN_DATE_FORMATS))}


def _create_checks(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """What quarantine says of each broken rule, as a table."""
    rows = []
    for model in STAGING_MODELS:
        personal = {column.name for column in model.contract.columns if column.personal}
        for rule in row_rules(model.contract, settings.validation, Locale.of(settings.organisation)):
            consequence = {"reject": "rejected", "note": "noted"}[rule.consequence]
            is_personal = rule.field in personal
            rows.append((model.contract.table, rule.name, rule.field, consequence, is_personal, rule.advice))
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE checks (table_name VARCHAR, rule VARCHAR, field VARCHAR, consequence VARCHAR, "
        "is_personal BOOLEAN, what_to_do VARCHAR)"
    )
    connection.executemany("INSERT INTO checks VALUES (?, ?, ?, ?, ?, ?)", rows)

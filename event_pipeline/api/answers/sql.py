"""``POST query``, ``GET schema`` and the saved queries."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from event_pipeline.api.answers.common import example
from event_pipeline.sql import Dialect


def _within_64_bits(value: bool | float | str | None) -> bool | float | str | None:
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("an integer has at most 64 bits; send it as a text and cast it to HUGEINT")
    return value


Scalar = Annotated[
    bool | int | Annotated[float, Field(allow_inf_nan=False)] | str | None, AfterValidator(_within_64_bits)
]
ParameterName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
Parameters = list[Scalar | list[Scalar]] | dict[ParameterName, Scalar | list[Scalar]]
SqlText = Annotated[str, StringConstraints(min_length=1, max_length=1_000_000, pattern=r"^[^\x00]*$")]
Format = Literal["json", "ndjson", "csv"]

_LIMIT = 1_000


class Running(BaseModel):
    """How a query is run and answered."""

    model_config = example(params={"since": "2026-01-01"}, format="csv", limit=500)

    params: Parameters = Field(
        default_factory=list, description="For `?` and `$1` a list, for `$name` an object; lists become SQL lists."
    )
    format: Format = Field(default="json", description="ndjson is an object a line; csv does not run in a spreadsheet.")
    limit: int = Field(default=_LIMIT, ge=1, le=10_000_000, description="Most rows; never more than `sql.rows`.")
    explain: bool = Field(default=False, description="Answer the plan instead of running it.")


class QueryRequest(Running):
    """One SELECT over the warehouse."""

    model_config = example(
        sql="SELECT title, registrations FROM dim_events JOIN agg_event_metrics USING (event_id) WHERE date >= $since",
        params={"since": "2026-01-01"}, format="json", limit=100, dialect="duckdb", explain=False,
    )  # fmt: skip

    sql: SqlText
    dialect: Dialect = Field(default="duckdb", description="In whose SQL it is written; others are translated.")


class ColumnOfAnswer(BaseModel):
    """A column; ``type`` as DuckDB names it."""

    name: str
    type: str


class QueryAnswer(BaseModel):
    """Rows in the order of the columns. Integers and decimals beyond 2^53 are texts, bytes hexadecimal."""

    model_config = example(
        columns=[{"name": "title", "type": "VARCHAR"}, {"name": "registrations", "type": "BIGINT"}],
        rows=[["RoboRace 2026", 42], ["Open Mic", 17]], row_count=2, truncated=False, milliseconds=12.4,
        sql="SELECT title, registrations FROM ...", plan=None,
    )  # fmt: skip

    columns: list[ColumnOfAnswer]
    rows: list[list[object]]
    row_count: int
    truncated: bool = Field(description="There are more rows than the limit, or than the bytes of `sql.megabytes`.")
    milliseconds: float
    sql: str = Field(description="As it was run; a translation where `dialect` is not duckdb.")
    plan: str | None = Field(description="With `explain`: how DuckDB would go about it; no rows then.")


class SchemaColumn(BaseModel):
    """A column of a table, as its contract promises it."""

    name: str
    type: str = Field(description="As DuckDB names it.")
    description: str
    nullable: bool
    allowed: list[str] = Field(description="The only values it may have; empty where any may.")
    references: str | None = Field(description="schema.table.column that its values are in.")


class SchemaTable(BaseModel):
    """A table that can be queried."""

    name: str = Field(description="schema.table; the schema may be left out.")
    description: str
    grain: str
    key: list[str]
    columns: list[SchemaColumn]


class QueryLimits(BaseModel):
    """What a query may cost, by the settings of `sql`."""

    seconds: float
    rows: int
    megabytes: int
    characters: int


class Schema(BaseModel):
    """The tables of the warehouse."""

    model_config = example(
        tables=[{
            "name": "core.dim_clubs", "description": "Clubs that publish events.", "grain": "one row per club",
            "key": ["club_id"],
            "columns": [{
                "name": "club_id", "type": "VARCHAR", "description": "Push id of the club.", "nullable": False,
                "allowed": [], "references": None,
            }],
        }],
        dialects=["duckdb", "sqlite", "postgres", "bigquery"],
        limits={"seconds": 10.0, "rows": 100000, "megabytes": 32, "characters": 50000},
    )  # fmt: skip

    tables: list[SchemaTable]
    dialects: list[Dialect]
    limits: QueryLimits


class QueryToSave(BaseModel):
    """A query with a name, for everybody whose key has the scope."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Registrations a day",
                    "description": "For the weekly meeting.",
                    "sql": "SELECT date, registrations FROM agg_daily_metrics WHERE date >= $since ORDER BY date",
                    "params": {"since": "2026-01-01"},
                    "dialect": "duckdb",
                }
            ]
        }
    )

    name: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]
    description: Annotated[str, StringConstraints(max_length=2_000, pattern=r"^[^\x00]*$")] = ""
    sql: SqlText
    params: Parameters = Field(default_factory=list, description="What it runs with where a run gives none.")
    dialect: Dialect = "duckdb"


class SavedQuery(QueryToSave):
    """A saved query."""

    model_config = example(
        query_id="q_4k7s2mz9", name="Registrations a day", description="For the weekly meeting.",
        sql="SELECT date, registrations FROM agg_daily_metrics WHERE date >= $since ORDER BY date",
        params={"since": "2026-01-01"}, dialect="duckdb", created_by="ep_h3k9x2aa",
        created_at="2026-06-01T09:30:02Z", updated_at="2026-06-01T09:30:02Z",
    )  # fmt: skip

    query_id: str
    created_by: str = Field(description="Id of the key.")
    created_at: datetime
    updated_at: datetime


class SavedQueries(BaseModel):
    """A page of the saved queries, by name."""

    model_config = example(items=[], next_cursor=None)

    items: list[SavedQuery]
    next_cursor: str | None

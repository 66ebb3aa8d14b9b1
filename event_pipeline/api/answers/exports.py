"""What can be asked of exports, and what they say of themselves."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from event_pipeline.api.answers.analytics import Granularity, Period
from event_pipeline.api.answers.common import example
from event_pipeline.api.answers.sql import Parameters, SqlText
from event_pipeline.exports.formats import FormatName
from event_pipeline.sql import Dialect

OrganisationPart = Literal["trend", "totals", "revenue", "top_events", "events"]
EventPart = Literal["pace", "arrivals", "payments", "revenue_by_currency", "discrepancies", "email_funnel"]
State = Literal["waiting", "running", "done", "failed", "expired"]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]

_EXPORT = {
    "export_id": "ex_h3k9x2aah3k9x2aa", "state": "running", "what": "core.fact_registrations", "format": "csv",
    "created_at": "2026-06-01T09:30:00Z", "started_at": "2026-06-01T09:30:00Z", "finished_at": None,
    "expires_at": None, "rows": 1200000, "rows_total": 5000000, "progress": 0.24, "bytes": 301989888, "snapshot": 812,
    "file": None, "problem": "",
}  # fmt: skip


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Days(_Request):
    """Filters of a table's rows."""

    event_id: Name | None = Field(default=None, description="Rows of this event alone.")
    from_day: date | None = Field(default=None, description="The organisation's first day.")
    to_day: date | None = Field(default=None, description="Its last day, included.")
    day_column: Name | None = Field(
        default=None, description="Column that these days are of; the table's first day or instant when empty."
    )


class TableChoice(Days):
    """Rows of a table of the warehouse."""

    name: Name = Field(description="Its name, such as core.fact_registrations.")
    columns: list[Name] = Field(default=[], max_length=200, description="Columns in this order; all when empty.")


class Periods(_Request):
    """What a part of an analytics answer is of."""

    period: Period = Field(default="month", description="For trend, totals, revenue and top_events.")
    granularity: Granularity = Field(default="day", description="For trend.")
    top: int = Field(default=10, ge=1, le=100, description="For top_events.")
    event_id: Name | None = Field(default=None, description="For the parts that are of one event.")


class AnalyticsChoice(Periods):
    """A part of an analytics answer as rows."""

    part: OrganisationPart | EventPart


class QueryChoice(_Request):
    """All rows of one SELECT over the warehouse. Needs the scope `sql` too."""

    sql: SqlText
    params: Parameters = Field(default_factory=list, description="For `?` and `$1` a list, for `$name` an object.")
    dialect: Dialect = Field(default="duckdb", description="In whose SQL it is written; others are translated.")


class FileOptions(_Request):
    """What kind of file."""

    format: FormatName
    byte_order_mark: bool = Field(default=False, description="Begin CSV with one, so that Excel reads it as UTF-8.")


class TableFileQuery(FileOptions, Days):
    """The query of a table's file."""

    columns: str | None = Field(
        default=None, max_length=8_000, description="Columns in this order with commas between; all when empty."
    )

    @property
    def names(self) -> list[str]:
        """The columns one by one."""
        return [name.strip() for name in (self.columns or "").split(",") if name.strip()]


class AnalyticsFileQuery(FileOptions, Periods):
    """The query of an analytics file."""


_CHOICES = ("table", "analytics", "query")


class ExportRequest(FileOptions):
    """What to export, one of the choices, and as what."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "format": "parquet",
                    "table": {"name": "core.fact_registrations", "from_day": "2026-01-01", "to_day": "2026-06-30"},
                }
            ],
            "oneOf": [{"properties": {name: {"type": "object"}}, "required": [name]} for name in _CHOICES],
        },
    )

    table: TableChoice | None = None
    analytics: AnalyticsChoice | None = None
    query: QueryChoice | None = None

    @model_validator(mode="after")
    def _one_choice(self) -> ExportRequest:
        if sum(choice is not None for choice in self.choices.values()) != 1:
            raise ValueError(f"name one of {', '.join(self.choices)}")
        return self

    @property
    def choices(self) -> dict[str, BaseModel | None]:
        """By their names, what can be chosen."""
        return {name: getattr(self, name) for name in _CHOICES}

    @property
    def label(self) -> str:
        """What it is, in a word."""
        if self.table is not None:
            return self.table.name
        return f"analytics.{self.analytics.part}" if self.analytics is not None else "query"

    @property
    def details(self) -> dict[str, Any]:
        """What was asked for, without what was left out."""
        return self.model_dump(mode="json", exclude_defaults=True)


class ExportItem(BaseModel):
    """An export that is made in the background."""

    model_config = example(**_EXPORT)

    export_id: str
    state: State = Field(description="expired: it was done, and its file was deleted.")
    what: str
    format: FormatName
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None = Field(description="When its file is deleted; null until it is done.")
    rows: int = Field(description="Rows written so far.")
    rows_total: int | None = Field(description="Rows that there are; null where they are not counted beforehand.")
    progress: float | None = Field(description="rows over rows_total; null where there is none.")
    bytes: int = Field(description="Size of the file so far.")
    snapshot: int | None = Field(description="State of the warehouse that all its rows are of.")
    file: str | None = Field(description="Path to download it from; null until it is done.")
    problem: str = Field(description="Why it failed and what to do; else empty.")


class ExportPage(BaseModel):
    """Exports of the key that asks, the newest first."""

    model_config = example(items=[_EXPORT], next_cursor=None)

    items: list[ExportItem]
    next_cursor: str | None


class ExportColumn(BaseModel):
    """A column of a table."""

    name: str
    type: str = Field(description="Type in DuckDB.")
    description: str


class ExportTable(BaseModel):
    """A table that can be exported."""

    name: str
    description: str
    columns: list[ExportColumn]
    day_columns: list[str] = Field(description="Columns that from_day and to_day can be of, the default first.")


class ExportTables(BaseModel):
    """The tables of the warehouse."""

    model_config = example(
        items=[{
            "name": "marts.agg_daily_metrics", "description": "What happened in the organisation on each day.",
            "columns": [{"name": "date", "type": "DATE", "description": "The organisation's day."}],
            "day_columns": ["date"],
        }],
    )  # fmt: skip

    items: list[ExportTable]

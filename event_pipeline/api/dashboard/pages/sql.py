"""``/sql``: own queries, with the tables beside them, their answer as a grid and a chart, and files of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Form
from pydantic import TypeAdapter, ValidationError
from starlette.responses import RedirectResponse, Response, StreamingResponse

from event_pipeline.api.answers.sql import Parameters, QueryToSave, SavedQuery, SchemaTable, SqlText
from event_pipeline.api.dashboard.page import Page, acts, shows
from event_pipeline.api.dashboard.query_results import ChartKind, Shown, shown
from event_pipeline.api.observe import notes_of
from event_pipeline.api.problems import Problem
from event_pipeline.api.query_problems import detail_of, kind_of
from event_pipeline.api.routes.query import schema_tables
from event_pipeline.api.sessions import Notice
from event_pipeline.contracts.currencies import minor_units
from event_pipeline.exports.encoding import encoded_elsewhere
from event_pipeline.exports.formats import FORMATS
from event_pipeline.exports.writer import WriteOptions
from event_pipeline.sql import Caps, Dialect, InvalidQueryError, Query, QueryError

router = APIRouter(include_in_schema=False)

FileFormat = Literal["csv", "ndjson", "xlsx", "parquet"]
DIALECTS: dict[Dialect, str] = {
    "duckdb": "DuckDB", "sqlite": "SQLite", "postgres": "PostgreSQL", "bigquery": "BigQuery",
}  # fmt: skip
LIMITS = (100, 1_000, 5_000)
_EXAMPLES: dict[str, str] = {
    "Registrations a week": (
        "SELECT date_trunc('week', date) AS week, sum(registrations) AS registrations\n"
        "FROM agg_daily_metrics\nWHERE date IS NOT NULL\nGROUP BY week\nORDER BY week"
    ),
    "Clubs by revenue": (
        "SELECT c.club_name, m.revenue_minor / {units} AS revenue\nFROM agg_club_metrics AS m\n"
        "JOIN dim_clubs AS c USING (club_id)\nORDER BY revenue DESC"
    ),
    "When people arrive": (
        "SELECT minutes_from_start, sum(check_ins) AS check_ins\nFROM agg_arrivals\n"
        "GROUP BY minutes_from_start\nORDER BY minutes_from_start"
    ),
}
_SAVED = 200
_TOO_LONG = "The answer is longer than a file made here may be. Narrow it down, or see POST /api/pipeline/exports."
_PARAMETERS: TypeAdapter[Any] = TypeAdapter(Parameters)


@dataclass(frozen=True)
class Editor:
    """What stands in the form."""

    sql: str = ""
    params: str = ""
    dialect: Dialect = "duckdb"
    limit: int = LIMITS[1]
    chart: ChartKind = "auto"
    saved_id: str = ""
    name: str = ""


def _editor(
    sql: Annotated[SqlText, Form()],
    params: Annotated[str, Form(max_length=100_000)] = "",
    dialect: Annotated[Dialect, Form()] = "duckdb",
    limit: Annotated[int, Form(ge=1, le=max(LIMITS))] = LIMITS[1],
    chart: Annotated[ChartKind, Form()] = "auto",
    saved_id: Annotated[str, Form(max_length=64)] = "",
    name: Annotated[str, Form(max_length=200)] = "",
) -> Editor:
    # A browser sends line ends as CRLF, by which places in the text would be off.
    return Editor(sql.replace("\r\n", "\n"), params, dialect, limit, chart, saved_id, name)


Sent = Annotated[Editor, Depends(_editor)]


@router.get("/sql")
def editor(page: Annotated[Page, shows("sql")], saved: str = "", example: str = "") -> Response:
    """The page, with a saved query or an example in the editor."""
    if saved:
        return _show(page, _of_saved(page.services.saved_queries.get(saved)))
    return _show(page, Editor(sql=_examples(page).get(example, "")))


@router.get("/sql/run")
@router.get("/sql/file")
@router.get("/sql/save")
def back() -> Response:
    """Whoever opens the address of an answer gets the editor."""
    return RedirectResponse("/sql", 303)


@router.post("/sql/run")
def run(page: Annotated[Page, acts("sql")], sent: Sent, explain: Annotated[bool, Form()] = False) -> Response:
    """The page with the answer, or with what is wrong and where."""
    try:
        answer = shown(page.services.sandbox, _query(sent, explain=explain), _caps(page, sent.limit), sent.chart)
    except QueryError as error:
        return _show(page, sent, error=error)
    return _show(page, sent, answer=answer)


@router.post("/sql/file")
def file(page: Annotated[Page, acts("sql", "export")], sent: Sent, form: Annotated[FileFormat, Form()]) -> Response:
    """All of the answer as a file; the page where there is none, or more than the settings let one query answer."""
    try:
        with page.services.sandbox.stream(_query(sent)) as result:
            # Bounded by the caps; the worker is free for others while the file is made and sent.
            batches = list(result.batches())
            schema = result.schema
    except QueryError as error:
        return _show(page, sent, error=error)
    if result.truncated:
        return _show(page, sent, note=_TOO_LONG)
    chosen = FORMATS[form]
    options = WriteOptions(byte_order_mark=form == "csv")
    page.services.audit.record(
        page.session.key.key_id, "export_query", sent.saved_id or "query", notes_of(page.request.scope).request_id,
        {"format": form, "rows": result.rows},
    )  # fmt: skip
    headers = {"Content-Disposition": f'attachment; filename="query.{chosen.suffix}"', "Cache-Control": "no-store"}
    return StreamingResponse(
        encoded_elsewhere(form, options, schema, batches), media_type=chosen.media_type, headers=headers
    )


@router.post("/sql/save")
def save(page: Annotated[Page, acts("sql")], sent: Sent) -> Response:
    """Keep the query under its name: the one that was open where the name is still its own, else a new one."""
    store = page.services.saved_queries
    try:
        wanted = QueryToSave(name=sent.name, sql=sent.sql, params=_parameters(sent.params), dialect=sent.dialect)
        open_one = store.get(sent.saved_id) if sent.saved_id else None
        if open_one is not None and open_one.name == wanted.name:
            kept = wanted.model_copy(update={"description": open_one.description})
            saved, action = store.replace(open_one.query_id, kept), "change_query"
        else:
            saved, action = store.create(wanted, page.session.key.key_id), "save_query"
    except ValidationError:
        return _show(page, sent, note="Give the query a name before it is saved.")
    except InvalidQueryError as error:
        return _show(page, sent, error=error)
    except Problem as problem:
        return _show(page, sent, note=f"It was not saved: {problem.detail}.")
    _record(page, action, saved.query_id)
    return page.go(f"/sql?saved={saved.query_id}", Notice(f"“{saved.name}” is saved."))


@router.post("/sql/forget")
def forget(page: Annotated[Page, acts("sql")], query_id: Annotated[str, Form(max_length=64)]) -> Response:
    """Delete a saved query."""
    gone = page.services.saved_queries.get(query_id)
    page.services.saved_queries.delete(query_id)
    _record(page, "delete_query", query_id)
    return page.go("/sql", Notice(f"“{gone.name}” is deleted."))


def _record(page: Page, action: str, query_id: str) -> None:
    page.services.audit.record(page.session.key.key_id, action, query_id, notes_of(page.request.scope).request_id)


def _query(sent: Editor, *, explain: bool = False) -> Query:
    return Query(sent.sql, _parameters(sent.params), sent.dialect, explain)


def _caps(page: Page, limit: int) -> Caps:
    most = Caps.of(page.services.settings)
    return Caps(most.seconds, min(limit, most.rows or limit), most.bytes)


def _parameters(text: str) -> Any:
    """The values that were typed as JSON. Raises InvalidQueryError."""
    try:
        return _PARAMETERS.validate_python(orjson.loads(text)) if text.strip() else []
    except (orjson.JSONDecodeError, ValidationError):
        hint = 'a list such as ["2026-01-01"] for ?, an object such as {"since": "2026-01-01"} for $since'
        raise InvalidQueryError(f"the values are not what they should be: {hint}") from None


def _of_saved(saved: SavedQuery) -> Editor:
    params = orjson.dumps(saved.params).decode() if saved.params else ""
    return Editor(saved.sql, params, saved.dialect, saved_id=saved.query_id, name=saved.name)


def _tables(page: Page) -> list[SchemaTable]:
    """The tables of the warehouse; none while it cannot be read, which the rest of the page says."""
    try:
        return schema_tables(page.services.mirror.current.present)
    except Problem:
        return []


def _examples(page: Page) -> dict[str, str]:
    """Queries to begin with; money in units of the organisation's currency."""
    units = minor_units(page.services.settings.organisation.currency)
    return {name: sql.format(units=units) for name, sql in _EXAMPLES.items()}


def _show(
    page: Page,
    sent: Editor,
    *,
    answer: Shown | None = None,
    error: QueryError | None = None,
    note: str = "",
) -> Response:
    """The page; what is wrong with the query stands on it, and as its kind in the log."""
    if error:
        notes_of(page.request.scope).problem = kind_of(error)
    place = (error.line, error.column) if isinstance(error, InvalidQueryError) else (None, None)
    return page.show(
        "sql.html", sent=sent, answer=answer, note=note, error=detail_of(error) if error else "", place=place,
        tables=_tables(page), saved=page.services.saved_queries.page(_SAVED, None), examples=_examples(page),
        limits=LIMITS, dialects=DIALECTS, seconds=page.services.settings.sql.seconds,
    )  # fmt: skip

"""``GET exports/tables`` and ``exports/analytics``: files that are answered at once."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from event_pipeline.api.access import requires
from event_pipeline.api.answers.exports import (
    AnalyticsChoice,
    AnalyticsFileQuery,
    EventPart,
    ExportColumn,
    ExportTable,
    ExportTables,
    FileOptions,
    OrganisationPart,
    Periods,
    TableFileQuery,
)
from event_pipeline.api.conditional import JSON
from event_pipeline.api.exports.analytics import analytics_source
from event_pipeline.api.exports.folder import file_name
from event_pipeline.api.exports.source import OpenSource, table_source
from event_pipeline.api.exports.streaming import ExportStream, attachment, encoded
from event_pipeline.api.exports.tables import Selection, StoredTable, stored_tables
from event_pipeline.api.keys import ApiKey
from event_pipeline.api.observe import notes_of
from event_pipeline.api.openapi import READS, problems
from event_pipeline.api.problems import Problem
from event_pipeline.api.services import Services, Shared
from event_pipeline.exports.formats import FORMATS
from event_pipeline.exports.writer import WriteOptions

router = APIRouter(prefix="/api/pipeline/exports", tags=["exports"])

_ROWS = {"type": "array", "items": {"type": "object"}}
FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {
            media_type: {"schema": _ROWS if media_type == JSON else {"type": "string", "format": "binary"}}
            for media_type in (made.media_type.partition(";")[0] for made in FORMATS.values())
        },
    }
}
Exporter = Annotated[ApiKey, requires("export")]
_RESPONSES = READS | problems("not-found") | problems("invalid", "too-many-rows") | FILE


@router.get("/tables", responses=READS, summary="Which tables can be exported")
def tables(services: Shared, _: Exporter) -> ExportTables:
    """Needs the scope `export`. Every table of the warehouse, with its columns."""
    with services.exporting.session() as session:
        found = stored_tables(session)
    return ExportTables(items=[_described(table) for table in found.values()])


@router.get("/tables/{table}", response_class=Response, responses=_RESPONSES, summary="A table as a file")
def table_file(
    request: Request,
    services: Shared,
    key: Exporter,
    table: Annotated[str, Path(min_length=1, max_length=200, description="`name` of a table.")],
    query: Annotated[TableFileQuery, Query()],
) -> Response:
    """Needs the scope `export`; audited. All rows are of one state of the warehouse, in no set order."""
    selection = Selection(table, tuple(query.names), query.event_id, query.from_day, query.to_day, query.day_column)
    opened = table_source(services.exporting, selection, services.settings.organisation.time_zone)
    return _stream(request, services, key, opened, table, query)


@router.get("/analytics/{part}", response_class=Response, responses=_RESPONSES, summary="Part of an answer as a file")
def analytics_file(
    request: Request,
    services: Shared,
    key: Exporter,
    part: OrganisationPart | EventPart,
    query: Annotated[AnalyticsFileQuery, Query()],
) -> Response:
    """Needs the scope `export`; audited. The figures are those of the analytics routes at that moment."""
    choice = AnalyticsChoice(part=part, **query.model_dump(include=set(Periods.model_fields)))
    return _stream(request, services, key, analytics_source(services, choice), f"analytics.{part}", query)


def _stream(
    request: Request, services: Services, key: ApiKey, opened: OpenSource, label: str, options: FileOptions
) -> Response:
    """The file as it is made; the export is audited before its first byte."""
    limits = services.settings.exports
    with ExitStack() as resources:
        resources.enter_context(services.export_places.one())
        source = resources.enter_context(opened)
        if source.rows is not None and source.rows > limits.stream_rows:
            raise Problem("too-many-rows", _too_many(label, source.rows, limits.stream_rows))
        details = options.model_dump(mode="json", exclude_defaults=True)
        details |= {"rows": source.rows, "snapshot": source.snapshot}
        services.audit.record(key.key_id, "export", label, notes_of(request.scope).request_id, details)
        made = FORMATS[options.format]
        headers = attachment(file_name(label, services.now(), made.suffix))
        headers |= {"X-Export-Rows": str(source.rows), "X-Export-Snapshot": str(source.snapshot)}
        chunks = encoded(options.format, WriteOptions(options.byte_order_mark, services.exports.folder.path), source)
        return ExportStream(chunks, resources, limits.stream_seconds, made.media_type, headers)


def _too_many(label: str, rows: int, most: int) -> str:
    return (
        f"{label} has {rows:,} rows here, and up to {most:,} are answered at once (exports.stream_rows); "
        "narrow it by event_id or days, or POST /api/pipeline/exports"
    )


def _described(table: StoredTable) -> ExportTable:
    contract = table.contract
    said = {column.name: column.description for column in contract.columns} if contract else {}
    columns = [ExportColumn(name=n, type=kind, description=said.get(n, "")) for n, kind in table.columns.items()]
    description = contract.description if contract else ""
    return ExportTable(name=table.name, description=description, columns=columns, day_columns=table.day_columns)

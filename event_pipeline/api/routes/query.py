"""``POST query`` and ``GET schema``: own SQL over the warehouse, in the sandbox."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Annotated, Any, get_args

import orjson
import structlog
from fastapi import APIRouter, Request, Response

from event_pipeline.api.access import requires
from event_pipeline.api.answers.sql import (
    QueryAnswer,
    QueryLimits,
    QueryRequest,
    Schema,
    SchemaColumn,
    SchemaTable,
)
from event_pipeline.api.catalog_session import Session
from event_pipeline.api.conditional import JSON, conditional
from event_pipeline.api.idempotency import Answer, IdempotencyKey
from event_pipeline.api.keys import ApiKey
from event_pipeline.api.mirror import Mirrored
from event_pipeline.api.observe import notes_of
from event_pipeline.api.openapi import NOT_MODIFIED, READS, problems
from event_pipeline.api.services import Services, Shared
from event_pipeline.contracts.contract import DUCKDB_TYPES, Contract
from event_pipeline.documentation.data_dictionary import declared_contracts
from event_pipeline.settings import Settings
from event_pipeline.sql import Caps, Dialect, Query, Result

router = APIRouter(prefix="/api/pipeline", tags=["sql"])

_MEDIA_TYPES = {"json": JSON, "ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
_SPELT_OUT = {"timestamp": "TIMESTAMP WITH TIME ZONE"}
_HEADERS = {
    "X-Row-Count": {"description": "Rows of the answer.", "schema": {"type": "integer"}},
    "X-Truncated": {"description": "`true` when there are more rows.", "schema": {"enum": ["true", "false"]}},
}
QUERY_RESPONSES: dict[int | str, dict[str, Any]] = problems(
    "unauthorized", "forbidden", "query-refused", "invalid", "query-invalid", "query-too-heavy", "key-reused",
    "in-progress", "rate-limited", "warehouse-not-ready", "busy", "timeout",
) | {
    200: {
        "description": "The rows, in the format that was asked for.",
        "headers": _HEADERS,
        "content": {"application/x-ndjson": {"schema": {"type": "string"}}, "text/csv": {"schema": {"type": "string"}}},
    }
}  # fmt: skip
"""What a route that runs a query may answer."""

log = structlog.get_logger(__name__)


@router.post("/query", response_model=QueryAnswer, responses=QUERY_RESPONSES, summary="Run one SELECT")
def query(
    request: Request,
    services: Shared,
    key: Annotated[ApiKey, requires("sql")],
    wanted: QueryRequest,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Needs the scope `sql`. Reads the warehouse's tables and nothing else; an answer is whole, or a problem."""
    return services.stored_answers.once(
        request,
        key.key_id,
        idempotency_key,
        wanted,
        lambda: run(request, services, key, wanted),
        only_reads=True,
    )


def run(request: Request, services: Services, key: ApiKey, wanted: QueryRequest) -> Answer:
    """The answer of that query. Raises QueryError."""
    settings = services.settings.sql
    most = Caps.of(services.settings)
    caps = Caps(most.seconds, min(wanted.limit, settings.rows), most.bytes)
    asked = Query(wanted.sql, wanted.params, wanted.dialect, wanted.explain)
    with services.sandbox.stream(asked, caps, "json" if wanted.explain else wanted.format) as result:
        # All of it before the first byte is sent: the worker is free for others however slow the client is.
        chunks = list(result.chunks())
    log.info(
        "query_answered", request_id=notes_of(request.scope).request_id, caller=key.key_id, rows=result.rows,
        truncated=result.truncated, milliseconds=round(result.milliseconds, 1), characters=len(wanted.sql),
    )  # fmt: skip
    media_type = JSON if wanted.explain else _MEDIA_TYPES[wanted.format]
    body = _json(result, chunks, wanted) if media_type == JSON else b"".join(chunks)
    headers = {"X-Row-Count": str(result.rows), "X-Truncated": str(result.truncated).lower()}
    return Answer(body, headers=headers | {"Content-Type": media_type})


def _json(result: Result, chunks: Iterable[bytes], wanted: QueryRequest) -> bytes:
    """``QueryAnswer`` around rows that the worker has written already."""
    rows = b"[" + b"".join(chunks).removesuffix(b",") + b"]"
    ran = {"milliseconds": round(result.milliseconds, 3), "sql": result.sql}
    if wanted.explain:
        plan = "\n".join(text for _, text in orjson.loads(rows))
        return orjson.dumps({"columns": [], "rows": [], "row_count": 0, "truncated": False} | ran | {"plan": plan})
    head = orjson.dumps({"columns": [{"name": column.name, "type": column.type} for column in result.columns]})
    tail = orjson.dumps({"row_count": result.rows, "truncated": result.truncated} | ran | {"plan": None})
    return b"".join((head[:-1], b',"rows":', rows, b",", tail[1:]))


@router.get(
    "/schema",
    response_model=Schema,
    dependencies=[requires("sql")],
    responses=READS | NOT_MODIFIED,
    summary="Tables and columns that can be queried",
)
def schema(request: Request, services: Shared) -> Response:
    """Needs the scope `sql`. The tables that the warehouse has now, as their contracts describe them."""

    def build(_: Session, state: Mirrored) -> Schema:
        return Schema(
            tables=schema_tables(state.present),
            dialects=list(get_args(Dialect)),
            limits=_limits(services.settings),
        )

    return conditional(request, services, build)


def schema_tables(present: Collection[str]) -> list[SchemaTable]:
    """The warehouse's tables of these names, as their contracts describe them."""
    found = [contract for contract in declared_contracts() if contract.catalog == "warehouse"]
    return [_table(contract) for contract in found if contract.name in present]


def _table(contract: Contract) -> SchemaTable:
    columns = [
        SchemaColumn(
            name=column.name, type=_SPELT_OUT.get(column.type, DUCKDB_TYPES[column.type]),
            description=column.description, nullable=column.nullable and column.name not in contract.key,
            allowed=list(column.allowed), references=column.references,
        )
        for column in contract.columns
    ]  # fmt: skip
    return SchemaTable(
        name=contract.name, description=contract.description, grain=contract.grain, key=list(contract.key),
        columns=columns,
    )  # fmt: skip


def _limits(settings: Settings) -> QueryLimits:
    limits = settings.sql
    return QueryLimits(
        seconds=limits.seconds, rows=limits.rows, megabytes=limits.megabytes, characters=limits.characters
    )

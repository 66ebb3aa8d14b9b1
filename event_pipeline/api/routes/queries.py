"""``queries``: saved queries, listed, kept, changed, forgotten and run."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from event_pipeline.api.access import requires
from event_pipeline.api.answers.sql import QueryAnswer, QueryRequest, QueryToSave, Running, SavedQueries, SavedQuery
from event_pipeline.api.idempotency import Answer, IdempotencyKey
from event_pipeline.api.keys import ApiKey
from event_pipeline.api.observe import notes_of
from event_pipeline.api.openapi import KEYED, problems
from event_pipeline.api.pages import Cursor, Limit, read_cursor, write_cursor
from event_pipeline.api.routes.query import QUERY_RESPONSES, run
from event_pipeline.api.services import Services, Shared

router = APIRouter(prefix="/api/pipeline", tags=["sql"])

Analyst = Annotated[ApiKey, requires("sql")]
QueryId = Annotated[str, Path(pattern=r"^[a-z0-9_]+$", max_length=64, description="`query_id` of a saved query.")]


@router.get("/queries", dependencies=[requires("sql")], responses=KEYED, summary="Saved queries, by name")
def saved_queries(services: Shared, limit: Limit = 100, cursor: Cursor = None) -> SavedQueries:
    """Needs the scope `sql`."""
    after = read_cursor(cursor, "queries", (str, str)) if cursor else None
    found = services.saved_queries.page(limit + 1, (after[0], after[1]) if after else None)
    shown = found[:limit]
    more = write_cursor("queries", [shown[-1].name, shown[-1].query_id]) if len(found) > limit else None
    return SavedQueries(items=shown, next_cursor=more)


@router.post(
    "/queries",
    response_model=SavedQuery,
    status_code=201,
    responses=KEYED | problems("conflict", "in-progress", "outcome-unknown") | problems("invalid", "key-reused"),
    summary="Save a query",
)
def save_query(
    request: Request, services: Shared, key: Analyst, wanted: QueryToSave, idempotency_key: IdempotencyKey = None
) -> Response:
    """Needs the scope `sql`; audited. It is kept as it is and checked when it runs."""

    def save() -> Answer:
        saved = services.saved_queries.create(wanted, key.key_id)
        _record(request, services, key, "save_query", saved.query_id)
        return Answer(saved, 201, {"Location": f"/api/pipeline/queries/{saved.query_id}"})

    return services.stored_answers.once(request, key.key_id, idempotency_key, wanted, save)


@router.get(
    "/queries/{query_id}",
    dependencies=[requires("sql")],
    responses=KEYED | problems("not-found"),
    summary="A saved query",
)
def saved_query(services: Shared, query_id: QueryId) -> SavedQuery:
    """Needs the scope `sql`."""
    return services.saved_queries.get(query_id)


@router.put("/queries/{query_id}", responses=KEYED | problems("not-found", "conflict"), summary="Change a saved query")
def change_query(
    request: Request, services: Shared, key: Analyst, query_id: QueryId, wanted: QueryToSave
) -> SavedQuery:
    """Needs the scope `sql`; audited."""
    saved = services.saved_queries.replace(query_id, wanted)
    _record(request, services, key, "change_query", query_id)
    return saved


@router.delete(
    "/queries/{query_id}", status_code=204, responses=KEYED | problems("not-found"), summary="Forget a saved query"
)
def delete_query(request: Request, services: Shared, key: Analyst, query_id: QueryId) -> Response:
    """Needs the scope `sql`; audited."""
    services.saved_queries.delete(query_id)
    _record(request, services, key, "delete_query", query_id)
    return Response(status_code=204)


@router.post(
    "/queries/{query_id}/run",
    response_model=QueryAnswer,
    responses=QUERY_RESPONSES | problems("not-found"),
    summary="Run a saved query",
)
def run_saved_query(
    request: Request,
    services: Shared,
    key: Analyst,
    query_id: QueryId,
    how: Running | None = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Needs the scope `sql`. As `POST query`; without `params` it runs with those that it was saved with."""
    saved = services.saved_queries.get(query_id)
    chosen = how or Running()
    fields = chosen.model_dump() | {"sql": saved.sql, "dialect": saved.dialect, "params": chosen.params or saved.params}
    wanted = QueryRequest(**fields)
    return services.stored_answers.once(
        request,
        key.key_id,
        idempotency_key,
        wanted,
        lambda: run(request, services, key, wanted),
        only_reads=True,
    )


def _record(request: Request, services: Services, key: ApiKey, action: str, query_id: str) -> None:
    services.audit.record(key.key_id, action, query_id, notes_of(request.scope).request_id)

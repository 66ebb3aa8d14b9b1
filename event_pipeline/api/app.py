"""The application: routers, errors, middleware and documentation put together."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response

from event_pipeline.api import openapi
from event_pipeline.api.dashboard import PAGES, Dashboard
from event_pipeline.api.dashboard.problem_pages import fault_page, problem_page, wants_page
from event_pipeline.api.exports.opening import open_export
from event_pipeline.api.observe import Observed
from event_pipeline.api.problems import FieldError, Problem, field_errors, kind_of_status, problem_response
from event_pipeline.api.query_problems import detail_of, errors_of, headers_of, kind_of
from event_pipeline.api.routes import ROUTERS
from event_pipeline.api.services import Services
from event_pipeline.control import ServerAwayError, WrongRequestError
from event_pipeline.errors import ControlError
from event_pipeline.settings import Settings
from event_pipeline.sql import QueryError

_KILOBYTE = 1024
_METHOD_NOT_ALLOWED = 405


def create_app(settings: Settings, services: Services | None = None) -> FastAPI:
    """The API over these settings' data folder; ``services`` replaces its parts, say in tests."""
    parts = services or Services.of(settings)
    dashboard = Dashboard(parts)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        stop = threading.Event()
        parts.inbox.recover()
        threads = (parts.follow_warehouse(stop), dashboard.follow(stop))
        parts.exports.start(lambda export, on_stop: open_export(parts, export, on_stop))
        try:
            yield
        finally:
            stop.set()
            dashboard.feed.close()
            # What reads under way is let end, so that the connection is not closed under it.
            for thread in threads:
                thread.join(settings.api.query_seconds)
            parts.close()

    app = FastAPI(
        title=openapi.TITLE,
        description=openapi.DESCRIPTION,
        version=openapi.version(),
        openapi_tags=openapi.TAGS,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
        middleware=[
            Middleware(
                Observed,
                counters=parts.counters,
                most_bytes=settings.api.body_kilobytes * _KILOBYTE,
                page_of=fault_page,
                most_headers=(settings.api.headers, settings.api.header_kilobytes * _KILOBYTE),
            )
        ],
    )
    app.state.services, app.state.dashboard = parts, dashboard
    for router in (*ROUTERS, *PAGES):
        app.include_router(router)
    _add_error_handlers(app)
    app.openapi = lambda: openapi.schema_of(app)
    return app


def _add_error_handlers(app: FastAPI) -> None:
    @app.exception_handler(Problem)
    async def _problem(request: Request, error: Problem) -> Response:
        return await _answer(request, error.kind, error.detail, error.headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        found = field_errors(list(error.errors()))
        detail = "; ".join(f"{item.location}: {item.message}" for item in found)
        return await _answer(request, "invalid", detail, errors=found)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        kind = kind_of_status(error.status_code)
        detail = f"{request.method} {request.url.path}: {error.detail}; /docs lists what there is"
        headers = {"Allow": _allowed(request.url.path)} if error.status_code == _METHOD_NOT_ALLOWED else error.headers
        return await _answer(request, kind, detail, headers, error.status_code)

    @app.exception_handler(QueryError)
    async def _query(request: Request, error: QueryError) -> Response:
        return await _answer(request, kind_of(error), detail_of(error), headers_of(error), errors=errors_of(error))

    @app.exception_handler(ControlError)
    async def _dagster(request: Request, error: ControlError) -> Response:
        if isinstance(error, ServerAwayError):
            return await _answer(request, "dagster-away", str(error), {"Retry-After": "10"})
        kind = "invalid" if isinstance(error, WrongRequestError) else "dagster-refused"
        return await _answer(request, kind, str(error))


def _allowed(path: str) -> str:
    """The methods of every route at that address: the framework answers only those of the first."""
    routes = [route for router in (*ROUTERS, *PAGES) for route in router.routes if isinstance(route, APIRoute)]
    return ", ".join(
        sorted({method for route in routes if route.path_regex.match(path) for method in route.methods or ()})
    )


async def _answer(
    request: Request,
    kind: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    status: int | None = None,
    errors: list[FieldError] | None = None,
) -> Response:
    """A page for people, a problem document for programs."""
    if wants_page(request):
        # Its frame looks at the pipeline, which may take a while.
        return await run_in_threadpool(problem_page, request, kind, detail, status)
    return problem_response(request, kind, detail, headers, status, errors)

"""The OpenAPI document: problems described once, and an example beside every body."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from event_pipeline.api.problems import KINDS, MEDIA_TYPE, TYPE_PREFIX, ProblemDetails

TITLE = "Event Pipeline"
DESCRIPTION = """\
Figures of your events and the state of the pipeline that makes them.

Every request needs a key (`Authorization: Bearer ep_...`) with the scope that the operation names;
`event-pipeline keys` issues them. Instants are in UTC, days are the organisation's, amounts are whole minor
units (paise, cents) with their currency. Errors are problem documents (RFC 9457) whose `type` never changes
its meaning.
"""
TAGS = [
    {"name": "figures", "description": "What the events have come to."},
    {"name": "sql", "description": "Own queries over the warehouse."},
    {"name": "exports", "description": "Files to take away."},
    {"name": "pipeline", "description": "How the pipeline fares, and running it."},
    {"name": "alerts", "description": "What is wrong, who was told, and who shall not be for a while."},
    {"name": "coming in", "description": "Webhooks, known by their signatures, and scans at the door."},
    {"name": "administration", "description": "Counters and the record of who did what."},
]

_OF_A_BODY = ("bad-request", "too-large")
"""What every route with a body may answer besides: it is no JSON, or too long."""

_METHODS = frozenset({"get", "post", "put", "patch", "delete"})


def version() -> str:
    """The version of the package that answers."""
    try:
        return installed_version("event-pipeline")
    except PackageNotFoundError:
        return "0"


def problems(*kinds: str) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route for these kinds of problems; those of one status are described together."""
    described: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        status, title = KINDS[kind]
        entry = described.setdefault(status, {"description": "", "content": {MEDIA_TYPE: {"examples": {}}}})
        entry["description"] = "; ".join(filter(None, (entry["description"], title)))
        content = entry["content"][MEDIA_TYPE]
        content["schema"] = {"$ref": "#/components/schemas/ProblemDetails"}
        content["examples"][kind] = {"value": _example(kind, status, title)}
        if kind == "rate-limited":
            entry["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
    return described


def schema_of(app: FastAPI) -> dict[str, Any]:
    """The document, made once."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            tags=app.openapi_tags,
        )
        components = schema.setdefault("components", {}).setdefault("schemas", {})
        details = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
        components |= details.pop("$defs", {})
        components["ProblemDetails"] = details
        for unused in ("HTTPValidationError", "ValidationError"):
            components.pop(unused, None)
        for _, _, operation in operations(schema):
            if "requestBody" in operation:
                operation["responses"] = _in_order(problems(*_OF_A_BODY) | operation["responses"])
        for content in _bodies(schema):
            _add_example(content, components)
        app.openapi_schema = schema
    return app.openapi_schema


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and operation of each."""
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            if method in _METHODS:
                yield method, path, operation


def _in_order(responses: dict[Any, Any]) -> dict[str, Any]:
    """By status, as the document names them."""
    return {str(status): responses[status] for status in sorted(responses, key=str)}


def _bodies(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for _, _, operation in operations(schema):
        for holder in (operation.get("requestBody", {}), *operation["responses"].values()):
            yield from holder.get("content", {}).values()


def _add_example(content: dict[str, Any], components: dict[str, Any]) -> None:
    """The example of the model that a body is, where the body has none of its own."""
    name = content.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
    examples = components.get(name, {}).get("examples")
    if examples and not content.keys() & {"example", "examples"}:
        content["example"] = examples[0]


def _example(kind: str, status: int, title: str) -> dict[str, Any]:
    return {
        "type": TYPE_PREFIX + kind,
        "title": title,
        "status": status,
        "detail": "what was wrong, and what to do about it",
        "instance": "/api/pipeline/...",
        "request_id": "0d4c6f6ab0f24d9f8a3c4b8f8d1f7a55",
        "errors": [],
    }


KEYED = problems("unauthorized", "forbidden", "invalid", "rate-limited")
"""What every route with a key may answer."""

READS = KEYED | problems("warehouse-not-ready", "busy", "timeout")
"""What every route that reads the warehouse may answer besides."""

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "The client has it: its ETag was If-None-Match."}}

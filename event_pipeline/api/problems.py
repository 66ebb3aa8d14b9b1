"""Errors as RFC 9457 problem documents: one shape, stable types, and the request's id for whoever reads the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:event-pipeline:problem:"

KINDS: Mapping[str, tuple[int, str]] = {
    "bad-request": (400, "The request cannot be read"),
    "unauthorized": (401, "A valid API key is needed"),
    "wrong-signature": (401, "The signature does not fit"),
    "clock-off": (401, "It was signed too long ago or too far ahead"),
    "forbidden": (403, "The key lacks the scope"),
    "query-refused": (403, "The query would do more than read the warehouse"),
    "not-found": (404, "There is no such thing"),
    "not-set-up": (404, "This webhook is not set up"),
    "method-not-allowed": (405, "The method is not allowed here"),
    "conflict": (409, "The request goes against the state"),
    "replayed": (409, "This very request was accepted before"),
    "in-progress": (409, "The same request is still being worked on"),
    "outcome-unknown": (409, "The same request was cut short, and may have been done"),
    "gone": (410, "It is no longer there"),
    "too-large": (413, "The request's body is too large"),
    "unsupported-media-type": (415, "The body's media type is not supported"),
    "wrong-range": (416, "The file has no such bytes"),
    "invalid": (422, "The request holds values that are not allowed"),
    "query-invalid": (422, "The query cannot be run as it is written"),
    "query-too-heavy": (422, "The query needs more memory than it may have"),
    "key-reused": (422, "The Idempotency-Key was used for another request"),
    "too-many-rows": (422, "More rows than are answered at once"),
    "headers-too-large": (431, "The request's headers are too many or too large"),
    "rate-limited": (429, "Too many requests"),
    "internal": (500, "Something went wrong here"),
    "dagster-refused": (502, "Dagster refused"),
    "busy": (503, "Too many requests read the warehouse at this moment"),
    "dagster-away": (503, "Dagster does not answer"),
    "inbox-not-writable": (503, "What was sent cannot be kept"),
    "out-of-resources": (503, "Memory or open files have run out here"),
    "sender-away": (503, "The sender's service does not answer"),
    "warehouse-not-ready": (503, "The warehouse cannot be read"),
    "warehouse-stale": (503, "Answers can no longer be brought up to date"),
    "timeout": (504, "Reading the warehouse took too long"),
}
"""Status and title by the last part of the type, which never changes its meaning."""

_BY_STATUS = {404: "not-found", 405: "method-not-allowed", 413: "too-large", 415: "unsupported-media-type"}


class FieldError(BaseModel):
    """One value that is not allowed; ``location`` is where it stands, such as query.period."""

    location: str
    message: str


class ProblemDetails(BaseModel):
    """What went wrong, where, and what to do. ``type`` is stable; ``request_id`` is the X-Request-Id header's."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": f"{TYPE_PREFIX}forbidden",
                    "title": "The key lacks the scope",
                    "status": 403,
                    "detail": "this needs a key with the scope operate; the key ep_h3k9x2aa has read",
                    "instance": "/api/pipeline/start",
                    "request_id": "0d4c6f6ab0f24d9f8a3c4b8f8d1f7a55",
                    "errors": [],
                }
            ]
        }
    )

    type: str
    title: str
    status: int
    detail: str
    instance: str = Field(description="Path of the request.")
    request_id: str
    errors: list[FieldError] = Field(description="Each value that is not allowed; empty for other problems.")


class Problem(Exception):
    """Ends a request with the problem of that kind; ``detail`` says what was wrong and what to do."""

    def __init__(self, kind: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.headers = kind, detail, dict(headers or {})


def document(
    kind: str,
    detail: str,
    path: str,
    request_id: str,
    status: int | None = None,
    errors: list[FieldError] | None = None,
) -> tuple[int, bytes]:
    """Status and body of a problem; ``status`` replaces the kind's own where HTTP has a finer one."""
    known, title = KINDS[kind]
    details = ProblemDetails(
        type=TYPE_PREFIX + kind,
        title=title,
        status=status or known,
        detail=detail,
        instance=path,
        request_id=request_id,
        errors=errors or [],
    )
    return details.status, orjson.dumps(details.model_dump())


def kind_of_status(status: int) -> str:
    """The kind that a plain HTTP error of the framework is."""
    return _BY_STATUS.get(status, "internal" if status >= 500 else "bad-request")


def problem_response(
    request: Request,
    kind: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    status: int | None = None,
    errors: list[FieldError] | None = None,
) -> Response:
    """The problem as an answer to this request."""
    from starlette.responses import Response

    from event_pipeline.api.observe import notes_of

    notes = notes_of(request.scope)
    notes.problem = kind
    code, body = document(kind, detail, request.url.path, notes.request_id, status, errors)
    return Response(body, code, dict(headers or {}), MEDIA_TYPE)


def field_errors(errors: list[dict[str, Any]]) -> list[FieldError]:
    """Pydantic's errors as they are shown, without the values: those may be personal or secret."""
    return [FieldError(location=".".join(str(part) for part in item["loc"]), message=item["msg"]) for item in errors]

"""Parameters of an address: only those that the document lists, and each once."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError

_LISTED = "listed_parameters"


def require_listed(request: Request) -> None:
    """Raises RequestValidationError naming each parameter that is unknown or said twice.

    An answer for which a filter was left out looks like any other.
    """
    said = Counter(name for name, _ in request.query_params.multi_items())
    route = request.scope["route"]
    listed = _listed(request).get((request.method, route.path_format)) if said else None
    if listed is None:
        return
    messages = {name: _fault(name, times, listed) for name, times in said.items()}
    errors = [{"loc": ("query", name), "msg": message} for name, message in messages.items() if message]
    if errors:
        raise RequestValidationError(errors)


def _fault(name: str, times: int, listed: Collection[str]) -> str | None:
    if name not in listed:
        near = difflib.get_close_matches(name, listed, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(listed) or 'none'}"
        return f"there is no such parameter; {hint}"
    return f"it is there {times} times, and one value is taken" if times > 1 else None


def _listed(request: Request) -> Mapping[tuple[str, str], Collection[str]]:
    """By method and path, the names of the parameters."""
    state = request.app.state
    if not hasattr(state, _LISTED):
        paths: dict[str, dict[str, Any]] = request.app.openapi()["paths"]
        found = {
            (method.upper(), path): [item["name"] for item in operation.get("parameters", ()) if item["in"] == "query"]
            for path, operations in paths.items()
            for method, operation in operations.items()
        }
        setattr(state, _LISTED, found)
    return getattr(state, _LISTED)

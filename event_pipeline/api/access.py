"""Who may do what: every route but ``/livez`` and the documentation needs a key with the route's scope.

A browser that is signed in to the dashboard is known by its session, which stands for a key.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from event_pipeline.api.keys import ApiKey, Scope
from event_pipeline.api.observe import notes_of
from event_pipeline.api.parameters import require_listed
from event_pipeline.api.problems import Problem
from event_pipeline.api.services import Services, Shared
from event_pipeline.api.sessions import FORGERY_HEADER, session_of

_BEARER = HTTPBearer(auto_error=False, scheme_name="bearer", description="`Authorization: Bearer ep_...`")
_HEADER = APIKeyHeader(name="X-API-Key", auto_error=False, scheme_name="header", description="`X-API-Key: ep_...`")
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="event-pipeline"'}
_SAFE = frozenset({"GET", "HEAD"})


def _caller(
    request: Request,
    services: Shared,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    header: Annotated[str | None, Depends(_HEADER)],
) -> ApiKey:
    """The key of the request, or of the session. Raises Problem: unauthorized, forbidden, rate-limited."""
    secret = bearer.credentials if bearer is not None else header
    if not secret:
        return admitted(request, services, _signed_in(request, services))
    key = services.keys.recognise(secret)
    if key is None:
        raise Problem("unauthorized", "the key is unknown, revoked or expired", _CHALLENGE)
    return admitted(request, services, key)


def _signed_in(request: Request, services: Services) -> ApiKey:
    """The key of the browser's session. Raises Problem without one, and for a change without the session's token."""
    session = session_of(request, services.sessions)
    if session is None:
        detail = "send `Authorization: Bearer KEY`; `event-pipeline keys create NAME` issues one"
        raise Problem("unauthorized", detail, _CHALLENGE)
    if request.method not in _SAFE and not session.accepts(request.headers.get(FORGERY_HEADER, "")):
        raise Problem("forbidden", f"a browser that is signed in changes things with the header {FORGERY_HEADER} only")
    return session.key


def admitted(request: Request, services: Services, key: ApiKey) -> ApiKey:
    """The key, with one request taken from its allowance. Raises Problem: rate-limited."""
    notes = notes_of(request.scope)
    notes.key_id = key.key_id
    per_minute = key.requests_per_minute or services.settings.api.requests_per_minute
    allowance = services.limiter.take(key.key_id, per_minute)
    notes.headers |= allowance.headers
    if allowance.retry_after_seconds:
        wait = allowance.retry_after_seconds
        raise Problem("rate-limited", f"the key has {per_minute} requests a minute; ask again in {wait} s")
    return key


def requires(*scopes: Scope) -> Any:
    """A dependency for a router or a route: a valid key with all of these scopes. It gives the key."""

    def allowed(request: Request, key: Annotated[ApiKey, Depends(_caller)]) -> ApiKey:
        require_scopes(key, *scopes)
        require_listed(request)
        return key

    allowed.__name__ = f"requires_{'_and_'.join(scopes)}"
    return Depends(allowed)


def require_scopes(key: ApiKey, *scopes: Scope) -> None:
    """For scopes that only a request's body tells to be needed. Raises Problem forbidden, naming the missing ones."""
    missing = [scope for scope in scopes if scope not in key.scopes]
    if missing:
        needed = f"the scope {missing[0]}" if len(missing) == 1 else f"the scopes {' and '.join(missing)}"
        has = ", ".join(sorted(key.scopes))
        raise Problem("forbidden", f"this needs a key with {needed}; the key {key.key_id} has {has}")

"""One POST, and what its answer means."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from event_pipeline.errors import PermanentError, TransientError

_SECONDS = 10.0
_TRY_AGAIN = frozenset((408, 425, 429))
_SERVER_ERROR = 500
_CLIENT_ERROR = 400
_MOST_SAID = 200


def post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Send it. Raises TransientError for what may pass, PermanentError for what was refused; neither names the URL."""
    try:
        answer = httpx.post(
            url, content=body, headers={"content-type": "application/json", **headers}, timeout=_SECONDS
        )
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        raise PermanentError("the receiver's url is not an http or https address") from None
    except httpx.HTTPError as error:
        raise TransientError(f"it could not be reached: {type(error).__name__}") from None
    if answer.status_code in _TRY_AGAIN or answer.status_code >= _SERVER_ERROR:
        wait = answer.headers.get("retry-after", "")
        raise TransientError(_said(answer), float(wait) if wait.isdecimal() else None)
    if answer.status_code >= _CLIENT_ERROR or answer.is_redirect:
        raise PermanentError(_said(answer))


def _said(answer: httpx.Response) -> str:
    return f"it answered {answer.status_code}: {answer.text[:_MOST_SAID]}".rstrip(": ")

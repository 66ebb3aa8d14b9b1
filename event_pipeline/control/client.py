"""Transport: one GraphQL document in, its data out, and every way that can fail as a ControlError."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any

import httpx

from event_pipeline.control.errors import ServerAwayError, UnansweredError, WrongRequestError
from event_pipeline.errors import ControlError

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_USER_ERROR_WRAPPERS = frozenset(
    {
        "DagsterExecutionStepExecutionError",
        "DagsterExecutionHandleOutputError",
        "DagsterExecutionLoadInputError",
        "DagsterResourceFunctionError",
        "DagsterUserCodeLoadError",
    }
)
_MAX_MESSAGE = 1_000
_HIGHEST_PORT = 65_535
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class GraphQLClient:
    """One connection to a Dagster webserver's GraphQL endpoint.

    ``timeout_seconds`` bounds each request. Nothing is retried: only the caller knows whether asking twice is safe.
    """

    def __init__(self, url: str, timeout_seconds: float = 30.0) -> None:
        try:
            address = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise WrongRequestError(f"{url!r} is not an address: {error}") from None
        if address.scheme not in {"http", "https"} or not address.host or (address.port or 0) > _HIGHEST_PORT:
            raise WrongRequestError(
                f"{_public(address)!r} is not an http:// or https:// address of a Dagster webserver"
            )
        self.address = _public(address)
        self._timeout_seconds = timeout_seconds
        self._http = http_client(address, timeout_seconds)

    def __enter__(self) -> GraphQLClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    def execute(self, document: str, **variables: Any) -> dict[str, Any]:
        """The ``data`` of the answer. Raises ServerAwayError when nobody answers, ControlError when Dagster refuses.

        UnansweredError, a ServerAwayError, where a mutation may have been done all the same.
        """
        may_be_done = UnansweredError if document.lstrip().startswith("mutation") else ServerAwayError
        try:
            response = self._http.post("graphql", json={"query": document, "variables": variables})
        except httpx.TimeoutException as error:
            away = ServerAwayError if isinstance(error, _NOT_SENT) else may_be_done
            raise away(
                f"the Dagster webserver at {self.address} did not answer within {self._timeout_seconds:g} s; "
                "look at its log, or restart it with `make up`"
            ) from None
        except httpx.HTTPError as error:
            away = ServerAwayError if isinstance(error, _NOT_SENT) else may_be_done
            raise away(
                f"no Dagster webserver answers at {self.address} ({error}); start it with `make up`, "
                "or say where it is with --url or PIPELINE_DAGSTER_URL"
            ) from None
        return self._data(response)

    def _data(self, response: httpx.Response) -> dict[str, Any]:
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or not ({"data", "errors"} & answer.keys()):
            raise ServerAwayError(
                f"what answers at {self.address} is not a Dagster webserver (HTTP {response.status_code}); "
                "say where Dagster is with --url or PIPELINE_DAGSTER_URL"
            )
        if answer.get("errors"):
            raise ControlError(
                f"Dagster at {self.address} could not answer: {first_lines(answer['errors'][0]['message'])}"
            )
        return answer["data"]


def http_client(address: httpx.URL, timeout_seconds: float) -> httpx.Client:
    """A client of the webserver at that address; paths are relative to it."""
    # A proxy that the environment names cannot reach this machine's own loopback.
    return httpx.Client(
        base_url=address, timeout=timeout_seconds, trust_env=address.host not in _LOOPBACK, follow_redirects=True
    )


def explain(error: dict[str, Any]) -> str:
    """What a GraphQL ``PythonError`` (message, className, errorChain) says: the user's own error, not its wrapper."""
    chain = error.get("errorChain") or []
    if error.get("className") in _USER_ERROR_WRAPPERS and chain:
        error = chain[0]["error"]
    # 'dagster._core.errors.DagsterImportError: ...' reads better without the module.
    return re.sub(r"^(?:\w+\.)+(\w+: )", r"\1", first_lines(error["message"]))


def first_lines(message: str) -> str:
    """A message without the stack trace that Dagster appends to some, and not endless."""
    text = message.split("\n\nStack Trace:")[0].strip()
    return text if len(text) <= _MAX_MESSAGE else text[:_MAX_MESSAGE] + " ..."


def refuse(outcome: dict[str, Any], what: str) -> ControlError:
    """The error for a GraphQL union's outcome that is not the success of ``what``."""
    if outcome.get("errors"):
        reason = "; ".join(item["message"] for item in outcome["errors"])
    elif outcome.get("message"):
        reason = explain(outcome)
    else:
        reason = outcome["__typename"]
    return ControlError(f"Dagster refused to {what}: {reason}")


def _public(address: httpx.URL) -> str:
    """The address without user and password."""
    return str(address.copy_with(userinfo=b"")).rstrip("/")

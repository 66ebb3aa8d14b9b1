"""Requests that the live Realtime Database source makes: a stream of events, and single documents."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from event_pipeline.sources.firebase_app import REQUEST_TIMEOUT_SECONDS
from event_pipeline.sources.firebase_errors import realtime_database_errors
from event_pipeline.stream.sources.event_stream import Event, read_events

if TYPE_CHECKING:
    import httpx

_CONNECT_SECONDS = 10.0
_MOST_REDIRECTS = 5


class RealtimeHttp:
    """Speaks to the database of a firebase_admin app, with its credentials. May be used by several threads."""

    def __init__(self, app: Any, read_seconds: float) -> None:
        import httpx
        from firebase_admin import db

        client: Any = db.reference("/", app)._client
        self._base_url, self._params = str(client.base_url), dict(client.params)
        self.host = urlsplit(self._base_url).netloc.rpartition("@")[2]
        self._http = httpx.Client(auth=_google_auth(client.credential))
        self._timeout = httpx.Timeout(REQUEST_TIMEOUT_SECONDS, connect=_CONNECT_SECONDS)
        self._stream_timeout = httpx.Timeout(read_seconds, connect=_CONNECT_SECONDS)

    def document(self, segments: Sequence[str]) -> Any:
        """The node at a path as JSON, None when there is none; asked once. Raises TransientError or PermanentError."""
        with (
            realtime_database_errors(self.host, "/" + "/".join(segments)),
            contextlib.closing(self._send(segments, {}, self._timeout)) as response,
        ):
            return json.loads(_read(response))

    def events(self, collection: str) -> EventConnection:
        """A stream of what happens at and below a collection's node."""
        return EventConnection(self, collection)

    def open_stream(self, collection: str) -> httpx.Response:
        """The answer of a stream whose body is not read yet; the caller closes it."""
        headers = {"Accept": "text/event-stream", "Accept-Encoding": "identity", "Cache-Control": "no-cache"}
        return self._send((collection,), headers, self._stream_timeout)

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def _send(self, segments: Sequence[str], headers: dict[str, str], timeout: httpx.Timeout) -> httpx.Response:
        """An answer of success, its body not read. A database may redirect to another of Google's hosts."""
        import httpx
        from firebase_admin.exceptions import UnavailableError, UnknownError

        address = self._base_url + "/" + "/".join(quote(segment, safe="") for segment in segments) + ".json"
        request = self._http.build_request("GET", httpx.URL(address, params=self._params), headers=headers)
        for _ in range(_MOST_REDIRECTS):
            request.extensions = {"timeout": timeout.as_dict()}
            try:
                response = self._http.send(request, stream=True)
            except httpx.HTTPError as error:
                raise UnavailableError(type(error).__name__) from None
            if response.status_code == 200:
                return response
            with contextlib.closing(response):
                if not response.has_redirect_location:
                    raise UnknownError(_explanation(_read(response)), http_response=response)
            url = request.url.join(response.headers["Location"])
            if url.host != request.url.host and not _is_googles(url):
                raise UnknownError(f"it redirects to {url.host}", http_response=response)
            request = self._http.build_request("GET", url, headers=headers)
        raise UnavailableError("it redirects without end")


class EventConnection:
    """A ``Connection`` whose messages are ``Event``s."""

    def __init__(self, http: RealtimeHttp, collection: str) -> None:
        self._http, self._collection = http, collection
        self._is_closed = False
        self._socket: socket.socket | None = None

    def messages(self) -> Iterator[tuple[Event, int]]:
        """Events as they arrive."""
        with realtime_database_errors(self._http.host, f"/{self._collection}"):
            response = self._http.open_stream(self._collection)
        with contextlib.closing(response):
            self._socket = response.extensions["network_stream"].get_extra_info("socket")
            if not self._is_closed:
                yield from read_events(self._chunks(response), self._collection)

    def close(self) -> None:
        """Wake the thread that reads: it waits in the kernel, where only the end of the connection reaches it."""
        self._is_closed = True
        if self._socket is not None:
            with contextlib.suppress(OSError):  # the other side was faster
                self._socket.shutdown(socket.SHUT_RDWR)

    def _chunks(self, response: httpx.Response) -> Iterator[bytes]:
        import httpx
        from firebase_admin.exceptions import UnavailableError

        with realtime_database_errors(self._http.host, f"/{self._collection}"):
            try:
                yield from response.iter_raw()
            except httpx.HTTPError as error:
                raise UnavailableError(type(error).__name__) from None


def _read(response: httpx.Response) -> bytes:
    import httpx
    from firebase_admin.exceptions import UnavailableError

    try:
        return response.read()
    except httpx.HTTPError as error:
        raise UnavailableError(type(error).__name__) from None


def _explanation(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return "no explanation"


def _is_googles(url: httpx.URL) -> bool:
    """Whether the credentials may be shown to this host."""
    return url.scheme == "https" and url.host.endswith((".firebaseio.com", ".firebasedatabase.app"))


def _google_auth(credential: Any) -> httpx.Auth:
    import httpx
    from google.auth.transport.requests import Request

    class GoogleAuth(httpx.Auth):
        """Adds the access token, renewed when it is old."""

        def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # pyright: ignore[reportIncompatibleMethodOverride]
            credential.before_request(Request(), request.method, str(request.url), request.headers)
            yield request

    return GoogleAuth()

"""One Listen stream of Firestore with one target, and what its errors mean."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from event_pipeline.errors import PipelineError, TransientError
from event_pipeline.sources.firebase_errors import firestore_errors

if TYPE_CHECKING:
    from google.api_core.exceptions import GoogleAPICallError
    from google.cloud.firestore import Client
    from google.cloud.firestore_v1.types import Target


class TokenRefused(TransientError):
    """The position to go on from is not accepted (any more): everything must be listed again."""


class ListenAborted(TransientError):
    """Firestore aborted the stream; at the second time in a row the token counts as refused."""


class ListenConnection:
    """A Listen stream. Messages are ListenResponse protobufs."""

    def __init__(self, client: Client, collection: str, target: Target) -> None:
        from google.cloud.firestore_v1.types import ListenRequest

        internals: Any = client
        self._listen: Any = internals._firestore_api._transport.listen
        self._metadata: Any = internals._rpc_metadata
        self._request = ListenRequest(database=internals._database_string, add_target=target)
        self._project = str(client.project)
        self._collection = collection
        self._has_token = bool(target.resume_token)
        self._closed = threading.Event()
        self._call: Any = None

    def messages(self) -> Iterator[tuple[Any, int]]:
        """Every response, as it arrives."""
        import grpc
        from google.api_core.exceptions import from_grpc_error
        from google.cloud.firestore_v1.types import ListenResponse

        # The wrapped method would wait for the first response, without end.
        self._call = self._listen(self._requests(), metadata=self._metadata)
        if self._closed.is_set():
            self._call.cancel()
        try:
            for response in self._call:
                message = ListenResponse.pb(response)
                yield message, message.ByteSize()
        except grpc.RpcError as error:
            if not self._closed.is_set():
                raise self.error_of(from_grpc_error(error)) from None

    def close(self) -> None:
        """Cancel the stream."""
        self._closed.set()
        if self._call is not None:
            self._call.cancel()

    def error_of(self, error: GoogleAPICallError) -> PipelineError:
        """What an error of the stream, or the cause of a target's removal, means."""
        from google.api_core import exceptions as google

        if self._has_token and isinstance(
            error, google.FailedPrecondition | google.InvalidArgument | google.OutOfRange
        ):
            return TokenRefused(
                f"Firestore refuses to resume collection {self._collection}, the token is too old; everything is "
                f"listed again ({type(error).__name__})"
            )
        if self._has_token and isinstance(error, google.Aborted):
            return ListenAborted(f"Firestore aborted the stream of collection {self._collection}; it is resumed")
        try:
            with firestore_errors(self._project, self._collection):
                raise error
        except PipelineError as typed:
            return typed

    def _requests(self) -> Iterator[Any]:
        yield self._request
        self._closed.wait()  # a stream whose requests end is ended by the server

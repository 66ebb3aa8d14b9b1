"""A Firestore that does what the emulator cannot: deltas, honoured tokens, counts, refusals, silence, cut streams.

Speaks Listen and BatchGetDocuments over real gRPC, from documents held in memory; a token is the number of the last
change that it covers. Collections are flat.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import grpc
from google.cloud.firestore_v1 import _helpers
from google.cloud.firestore_v1.types import (
    BatchGetDocumentsRequest,
    BatchGetDocumentsResponse,
    Document,
    DocumentChange,
    DocumentDelete,
    DocumentRemove,
    ExistenceFilter,
    ListenRequest,
    ListenResponse,
    TargetChange,
)
from google.rpc.status_pb2 import Status

if TYPE_CHECKING:
    from google.cloud.firestore import Client

PROJECT = "scripted"
ROOT = f"projects/{PROJECT}/databases/(default)/documents"
_START = datetime(2025, 6, 8, 3, 0, tzinfo=UTC)
_SERVICE = "/google.firestore.v1.Firestore/"
_Types = TargetChange.TargetChangeType


@dataclass(eq=False)
class Stream:
    """One open Listen call of a collection; ``sent`` are responses, None ends it, an error ends it as a failure."""

    collection: str
    token: bytes
    sent: queue.Queue[ListenResponse | tuple[grpc.StatusCode, str] | None] = field(default_factory=queue.Queue)


@dataclass
class ScriptedListen:
    """``documents`` by full name; ``refusals`` by collection, then by code, apply to streams that open."""

    address: str = ""
    documents: dict[str, Document] = field(default_factory=dict)
    history: list[tuple[str, Document | None]] = field(default_factory=list)
    refusals: dict[str, tuple[grpc.StatusCode, str]] = field(default_factory=dict)
    token_refusals: list[grpc.StatusCode] = field(default_factory=list)
    is_silent: bool = False
    keeps_counts: bool = False
    opened: list[Stream] = field(default_factory=list)
    looked_up: list[str] = field(default_factory=list)
    _streams: list[Stream] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def client(self) -> Client:
        """Google's own client of this server."""
        from google.auth.credentials import AnonymousCredentials
        from google.cloud.firestore import Client

        client: Any = Client(project=PROJECT, credentials=AnonymousCredentials())
        client._emulator_host = self.address
        return client

    def set(self, collection: str, **documents: dict[str, Any]) -> None:
        """Write documents and tell who listens."""
        names = [f"{ROOT}/{collection}/{key}" for key in documents]
        for name, fields in zip(names, documents.values(), strict=True):
            self._tick(name, fields)
        self._tell(collection, names)

    def delete(self, collection: str, *keys: str, is_told: bool = True) -> None:
        """Delete documents; untold, nobody ever hears of it but by counts, listings and look-ups."""
        names = [f"{ROOT}/{collection}/{key}" for key in keys]
        for name in names:
            if is_told:
                self._tick(name, None)
            self.documents.pop(name)
        if is_told:
            self._tell(collection, names)

    def remove(self, collection: str, key: str) -> None:
        """Tell only that a document left the target."""
        change = DocumentRemove(document=f"{ROOT}/{collection}/{key}", removed_target_ids=[1])
        self.send(collection, ListenResponse(document_remove=change), self.consistent())

    def send(self, collection: str, *responses: ListenResponse) -> None:
        """Responses to whoever listens to the collection."""
        for stream in [stream for stream in self._streams if stream.collection == collection]:
            for response in responses:
                stream.sent.put(response)

    def end(self, collection: str, code: grpc.StatusCode | None = None, details: str = "") -> None:
        """End the streams of a collection, by an error if a code is given."""
        for stream in [stream for stream in self._streams if stream.collection == collection]:
            stream.sent.put((code, details) if code else None)

    def wait_opened(self, count: int, collection: str | None = None) -> list[Stream]:
        """The streams opened so far, of a collection if given, once there are so many."""

        def of_collection() -> list[Stream]:
            return [stream for stream in self.opened if collection in (None, stream.collection)]

        with self._changed:
            assert self._changed.wait_for(lambda: len(of_collection()) >= count, 20), f"{len(of_collection())} opened"
            return of_collection()

    def reset(self) -> ListenResponse:
        """What follows is a new initial state."""
        return _target(_Types.RESET, target_ids=[1])

    def current(self) -> ListenResponse:
        """The initial state is complete."""
        return _target(_Types.CURRENT, target_ids=[1])

    def removed(self, code: int, message: str) -> ListenResponse:
        """The target is dropped for this cause."""
        return _target(_Types.REMOVE, target_ids=[1], cause=Status(code=code, message=message))

    def consistent(self) -> ListenResponse:
        """A consistent point, with a token for everything that happened so far."""
        at = len(self.history)
        return _target(_Types.NO_CHANGE, resume_token=str(at).encode(), read_time=self._time(at))

    def change(self, name: str, document: Document | None) -> ListenResponse:
        """A document's new state, or its delete."""
        if document is not None:
            return ListenResponse(document_change=DocumentChange(document=document, target_ids=[1]))
        delete = DocumentDelete(document=name, removed_target_ids=[1], read_time=self._time(len(self.history)))
        return ListenResponse(document_delete=delete)

    def listed(self, collection: str) -> list[ListenResponse]:
        """Every document of a collection."""
        return [self.change(name, document) for name, document in self._of(collection).items()]

    def count(self, collection: str, count: int | None = None) -> ListenResponse:
        """The number of documents of a collection, or a lie."""
        number = len(self._of(collection)) if count is None else count
        return ListenResponse(filter=ExistenceFilter(target_id=1, count=number))

    def listen(self, request: ListenRequest, context: grpc.ServicerContext) -> Iterator[ListenResponse]:
        """One Listen call."""
        target = request.add_target
        collection = target.query.structured_query.from_[0].collection_id
        stream = Stream(collection, bytes(target.resume_token))
        with self._changed:
            refusal = self.refusals.get(collection)
            if refusal is None and stream.token and self.token_refusals:
                refusal = (self.token_refusals.pop(0), "the resume token cannot be used")
            if refusal is None:
                for response in self._opening(stream):
                    stream.sent.put(response)
                self._streams.append(stream)
                context.add_callback(lambda: stream.sent.put(None))
            self.opened.append(stream)
            self._changed.notify_all()
        if refusal is not None:
            context.abort(*refusal)
        while isinstance(response := stream.sent.get(), ListenResponse):
            yield response
        self._streams.remove(stream)
        if isinstance(response, tuple):
            context.abort(*response)

    def look_up(self, request: BatchGetDocumentsRequest) -> Iterator[BatchGetDocumentsResponse]:
        """One BatchGetDocuments call."""
        for name in request.documents:
            self.looked_up.append(name.rpartition("/")[2])
            read_time = self._time(len(self.history))
            document = self.documents.get(name)
            if document is None:
                yield BatchGetDocumentsResponse(missing=name, read_time=read_time)
            else:
                yield BatchGetDocumentsResponse(found=document, read_time=read_time)

    def _opening(self, stream: Stream) -> list[ListenResponse]:
        if self.is_silent:
            return []
        if not stream.token:
            changes = self.listed(stream.collection)
        else:
            since = dict(self.history[int(stream.token) :])
            changes = [self.change(name, document) for name, document in since.items() if _is_of(stream, name)]
            if self.keeps_counts:
                changes.append(self.count(stream.collection))
        return [_target(_Types.ADD, target_ids=[1]), *changes, self.current(), self.consistent()]

    def _of(self, collection: str) -> dict[str, Document]:
        return {name: item for name, item in self.documents.items() if name.startswith(f"{ROOT}/{collection}/")}

    def _tick(self, name: str, fields: dict[str, Any] | None) -> None:
        """One more change; the clock goes on by a second."""
        at: Any = self._time(len(self.history) + 1)
        document = None
        if fields is not None:
            values = _helpers.encode_dict(fields)
            document = self.documents[name] = Document(name=name, fields=values, create_time=at, update_time=at)
        self.history.append((name, document))

    def _tell(self, collection: str, names: list[str]) -> None:
        with self._changed:
            if not self.is_silent:
                self.send(
                    collection, *[self.change(name, self.documents.get(name)) for name in names], self.consistent()
                )

    @staticmethod
    def _time(at: int) -> datetime:
        return _START + timedelta(seconds=at)


def _is_of(stream: Stream, name: str) -> bool:
    return name.startswith(f"{ROOT}/{stream.collection}/")


def _target(kind: Any, **fields: Any) -> ListenResponse:
    return ListenResponse(target_change=TargetChange(target_change_type=kind, **fields))


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, script: ScriptedListen) -> None:
        self._script = script

    def service(self, handler_call_details: Any) -> grpc.RpcMethodHandler | None:
        method = handler_call_details.method.removeprefix(_SERVICE)
        if method == "Listen":
            return grpc.stream_stream_rpc_method_handler(
                lambda requests, context: self._script.listen(next(requests), context),
                ListenRequest.deserialize,
                ListenResponse.serialize,
            )
        if method == "BatchGetDocuments":
            return grpc.unary_stream_rpc_method_handler(
                lambda request, context: self._script.look_up(request),
                BatchGetDocumentsRequest.deserialize,
                BatchGetDocumentsResponse.serialize,
            )
        return None


@contextmanager
def scripted_listen_server() -> Iterator[ScriptedListen]:
    """A served, empty database."""
    script = ScriptedListen()
    server = grpc.server(ThreadPoolExecutor(32), handlers=[_Handler(script)])
    script.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield script
    finally:
        server.stop(grace=None).wait()

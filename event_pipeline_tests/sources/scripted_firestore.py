"""A Firestore server that answers as told: errors in the order given, whole or in the middle of an answer.

The emulator never refuses anything, so what Google's servers refuse is played back over real gRPC.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import grpc
from google.cloud.firestore_v1.types import Document, RunQueryResponse
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

READ_TIME = datetime(2025, 6, 8, 3, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Answer:
    """Documents by key, then an error if ``code`` is given. ``project`` and ``collection`` make up their names."""

    documents: Sequence[str] = ()
    code: grpc.StatusCode | None = None
    details: str = ""
    retry_seconds: int | None = None

    def messages(self, parent: str) -> Iterator[bytes]:
        """The documents as RunQuery answers them."""
        for key in self.documents:
            document = Document(name=f"{parent}/clubs/{key}", update_time=READ_TIME, create_time=READ_TIME)
            yield RunQueryResponse.serialize(RunQueryResponse(document=document, read_time=READ_TIME))

    def fail(self, context: grpc.ServicerContext) -> None:
        """Abort the call with the error, if there is one."""
        if self.code is None:
            return
        if self.retry_seconds is not None:
            status = Status(code=self.code.value[0], message=self.details)
            info = RetryInfo()
            info.retry_delay.seconds = self.retry_seconds
            status.details.add().Pack(info)
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(self.code, self.details)


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, answers: list[Answer], parent: str, methods: list[str]) -> None:
        self._answers = answers
        self._parent = parent
        self._methods = methods

    def service(self, handler_call_details: Any) -> grpc.RpcMethodHandler:
        self._methods.append(handler_call_details.method.rpartition("/")[2])

        def stream(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
            answer = self._answers.pop(0) if self._answers else Answer()
            yield from answer.messages(self._parent)
            answer.fail(context)

        return grpc.unary_stream_rpc_method_handler(stream)


@contextmanager
def scripted_firestore(project: str, answers: Sequence[Answer]) -> Iterator[tuple[str, list[str]]]:
    """``host:port`` of a server giving these answers, then empty ones; and the names of the methods called so far."""
    methods: list[str] = []
    parent = f"projects/{project}/databases/(default)/documents"
    server = grpc.server(ThreadPoolExecutor(2), handlers=[_Handler(list(answers), parent, methods)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}", methods
    finally:
        server.stop(grace=None).wait()

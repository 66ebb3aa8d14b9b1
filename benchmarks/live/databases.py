"""The databases that registrations are written to: Google's emulator, and a server that speaks as Firestore does.

The emulator answers each write with everything a listener follows, so its documents are few and written again and
again. The other sends what changed, as Firestore does, and follows any rate.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import uuid4

Document = tuple[str, dict[str, Any]]

EMULATED, SERVED = "emulator", "Listen server"


class Database(Protocol):
    """Where the app writes. ``most_documents`` bounds how many are written before the first is written again."""

    label: str
    most_documents: int
    variables: dict[str, str]

    def write(self, documents: Sequence[Document]) -> None:
        """Returns once the documents are committed."""
        ...


class EmulatedDatabase:
    """A project of its own on Google's Firestore emulator."""

    label, most_documents = EMULATED, 40

    def __init__(self, address: str) -> None:
        from google.auth.credentials import AnonymousCredentials
        from google.cloud.firestore import Client

        project = f"bench-{uuid4().hex[:12]}"
        os.environ["FIRESTORE_EMULATOR_HOST"] = address
        self.variables = {"FIRESTORE_EMULATOR_HOST": address, "PIPELINE_FIREBASE__PROJECT_ID": project}
        self._client: Any = Client(project=project, credentials=AnonymousCredentials())

    def write(self, documents: Sequence[Document]) -> None:
        """One commit."""
        from google.api_core import exceptions, retry

        batch = self._client.batch()
        for document_id, payload in documents:
            batch.set(self._client.collection("registrations").document(document_id), payload)
        # The emulator now and then answers UNKNOWN under load; the write is the same however often it is done.
        retry.Retry(retry.if_exception_type(exceptions.Unknown, exceptions.ServiceUnavailable))(batch.commit)()


class ServedDatabase:
    """Documents in memory, told to who listens by gRPC: deltas, as Firestore sends them."""

    label, most_documents = SERVED, 2_000

    def __init__(self, server: Any, project: str) -> None:
        self._server = server
        self.variables = {
            "FIRESTORE_EMULATOR_HOST": server.address,
            "PIPELINE_FIREBASE__PROJECT_ID": project,
            "PIPELINE_FIREBASE__COLLECTIONS": '["registrations"]',
        }

    def write(self, documents: Sequence[Document]) -> None:
        """Sent at once."""
        self._server.set("registrations", **dict(documents))


@contextmanager
def running_database(label: str) -> Iterator[Database]:
    """The database of that label, empty."""
    if label == EMULATED:
        from event_pipeline_tests.firestore_emulator import running_emulator

        with running_emulator() as address:
            yield EmulatedDatabase(address)
        return
    from event_pipeline_tests.scripted_listen_server import PROJECT, scripted_listen_server

    with scripted_listen_server() as server:
        yield ServedDatabase(server, PROJECT)


@dataclass(frozen=True, slots=True)
class Written:
    """A registration's state as it was committed; its instant of registration, in microseconds, tells states apart."""

    document_id: str
    registered_at: int


class Registrations:
    """Registrations to write: new ones until the database's bound is reached, then the oldest anew."""

    def __init__(self, template: Sequence[dict[str, Any]], most_documents: int, prefix: str) -> None:
        self._templates, self._most, self._prefix = deque(template), most_documents, prefix
        self._run = uuid4().hex[:6]
        self._documents: deque[Document] = deque()
        self._last = datetime.now(UTC)

    def next(self) -> tuple[Document, Written]:
        """The next document and the state that it will be known by."""
        if len(self._documents) < self._most:
            self._templates.rotate(1)
            number = len(self._documents)
            document_id = f"{self._prefix}{self._run}{number:06d}"
            email = f"live.{self._run}.{number}@example.org"
            payload = {**self._templates[0], "participant_email": email, "status": "registered"}
        else:
            document_id, payload = self._documents.popleft()
        self._last = max(datetime.now(UTC), self._last + timedelta(microseconds=1))
        stamp = self._last.isoformat()
        payload = payload | {"registration_date": stamp, "created_at": stamp, "updated_at": stamp}
        self._documents.append((document_id, payload))
        return (document_id, payload), Written(document_id, round(self._last.timestamp() * 1e6))

"""The Firestore source against a server that refuses, stalls and breaks off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import grpc
import pytest

from event_pipeline.errors import PermanentError, TransientError
from event_pipeline.settings import Firebase
from event_pipeline.sources.firestore import FirestoreSource
from event_pipeline_tests.sources.memory_lake import MemoryLake, ids_of
from event_pipeline_tests.sources.scripted_firestore import Answer, scripted_firestore

Script = Callable[..., tuple[FirestoreSource, list[str], list[float]]]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """A source whose server gives these answers, the methods called, and the seconds waited."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.firestore import Client

    with ExitStack() as servers:

        def start(*answers: Answer) -> tuple[FirestoreSource, list[str], list[float]]:
            address, methods = servers.enter_context(scripted_firestore("college", answers))
            monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", address)
            waits: list[float] = []
            firebase = Firebase(backend="firestore", project_id="college", page_size=3)
            client = Client(project="college", credentials=AnonymousCredentials())
            return FirestoreSource(firebase, client, sleep=waits.append), methods, waits

        yield start


@pytest.mark.parametrize(
    ("code", "details", "todo"),
    [
        (grpc.StatusCode.PERMISSION_DENIED, "Missing or insufficient permissions.", "roles/datastore.viewer"),
        (grpc.StatusCode.UNAUTHENTICATED, "Request had invalid credentials.", "firebase.credentials_path"),
        (grpc.StatusCode.NOT_FOUND, "The database (default) does not exist", "firebase.project_id"),
        (grpc.StatusCode.FAILED_PRECONDITION, "The query requires an index.", "create the index"),
        (grpc.StatusCode.INVALID_ARGUMENT, "bad", "native mode"),
        (grpc.StatusCode.UNIMPLEMENTED, "no such method", "console"),
    ],
)
def test_refusal_is_permanent_and_says_what_to_do(script: Script, code: grpc.StatusCode, details: str, todo: str):
    source, methods, waits = script(Answer(code=code, details=details))

    with pytest.raises(PermanentError, match="project college, collection clubs") as refusal:
        MemoryLake().poll(source, "clubs")

    assert todo in str(refusal.value)
    assert details in str(refusal.value)
    assert (methods, waits) == (["RunQuery"], [])


@pytest.mark.parametrize("code", ["UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "INTERNAL", "ABORTED"])
def test_passing_failure_is_tried_again(script: Script, code: str):
    failure = Answer(code=grpc.StatusCode[code], details="busy")
    source, _, waits = script(failure, failure, Answer(documents=["c1", "c2"]))

    assert ids_of(MemoryLake().poll(source, "clubs")) == ["c1", "c2"]
    assert len(waits) == 2


def test_wait_is_what_the_server_asks_for(script: Script):
    busy = Answer(code=grpc.StatusCode.RESOURCE_EXHAUSTED, details="quota", retry_seconds=17)
    source, _, waits = script(busy, Answer(documents=["c1"]))

    MemoryLake().poll(source, "clubs")

    assert waits == [17.0]


def test_failure_that_does_not_pass_ends_as_transient(script: Script):
    source, methods, waits = script(*[Answer(code=grpc.StatusCode.UNAVAILABLE, details="down")] * 20)

    with pytest.raises(TransientError, match=r"college.*clubs.*down"):
        MemoryLake().poll(source, "clubs")

    assert (len(methods), len(waits)) == (6, 5)


def test_page_that_breaks_off_is_read_again_whole(script: Script):
    broken = Answer(documents=["c1"], code=grpc.StatusCode.UNAVAILABLE, details="connection reset")
    source, _, _ = script(broken, Answer(documents=["c1", "c2", "c3"]), Answer(documents=["c4"]))

    assert ids_of(MemoryLake().poll(source, "clubs")) == ["c1", "c2", "c3", "c4"]


def test_listing_that_lacks_documents_deletes_none_of_them(script: Script):
    lake = MemoryLake()
    source, _, _ = script(Answer(documents=["c1", "c2"]))
    lake.poll(source, "clubs")
    # An empty listing, then no answer at all for the two ids that it lacks.
    empty, methods, _ = script()

    with pytest.raises(TransientError, match="0 of 2 documents"):
        lake.reconcile(empty, "clubs")

    assert set(methods) == {"RunQuery", "BatchGetDocuments"}
    assert lake.ids("clubs") == ["c1", "c2"]


def test_answer_that_makes_no_sense_deletes_nothing(script: Script):
    lake = MemoryLake()
    source, _, _ = script(Answer(documents=["c1"]))
    lake.poll(source, "clubs")
    garbled, _, _ = script(Answer(), *[Answer(documents=["c9"])] * 6)

    with pytest.raises(TransientError, match="cannot be read"):
        lake.reconcile(garbled, "clubs")

    assert lake.ids("clubs") == ["c1"]


@pytest.mark.parametrize("content", [None, "no json", '{"type": "service_account", "private_key": "hush"}'])
def test_unusable_service_account_file_is_named_without_its_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
):
    monkeypatch.delenv("FIRESTORE_EMULATOR_HOST", raising=False)
    path = tmp_path / "account.json"
    if content is not None:
        path.write_text(content)
    source = FirestoreSource(Firebase(backend="firestore", project_id="college", credentials_path=path))

    with pytest.raises(PermanentError, match="credentials_path") as refusal:
        MemoryLake().poll(source, "clubs")

    assert str(path) in str(refusal.value)
    assert "hush" not in str(refusal.value)


def test_cursor_of_another_shape_is_refused(script: Script):
    source, _, _ = script()

    with pytest.raises(PermanentError, match="cursor of collection clubs"):
        list(source.poll("clubs", {"watermark": 5}, MemoryLake()))

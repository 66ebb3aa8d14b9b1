"""What the Firestore tests write and read with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from event_pipeline.settings import Firebase
from event_pipeline.sources.firestore import FirestoreSource

if TYPE_CHECKING:
    from google.cloud.firestore import Client


def iso(instant: datetime) -> str:
    """As the app writes an instant."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def ago(**span: float) -> str:
    return iso(datetime.now(UTC) - timedelta(**span))


def source_of(client: Client, **settings: Any) -> FirestoreSource:
    waits: list[float] = []
    settings = {"page_size": 4, "reconcile_reads_per_second": 100_000, **settings}
    firebase = Firebase(backend="firestore", project_id=str(client.project), **settings)
    return FirestoreSource(firebase, client, sleep=waits.append)


def put(client: Client, collection: str, **documents: Any) -> None:
    batch = client.batch()
    for key, document in documents.items():
        batch.set(client.collection(collection).document(key), document)
    batch.commit()


def registrations(count: int, updated_at: str) -> dict[str, Any]:
    return {f"r{i:02d}": {"participant_name": f"P {i}", "updated_at": updated_at} for i in range(count)}

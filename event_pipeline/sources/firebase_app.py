"""Opening firebase_admin with the configured credentials, or with none where an emulator answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from event_pipeline.errors import PermanentError
from event_pipeline.settings import Firebase

if TYPE_CHECKING:
    import firebase_admin
    from google.auth.credentials import Credentials

REQUEST_TIMEOUT_SECONDS = 120.0


def open_app(
    firebase: Firebase, *, emulator: bool | None = None, credentials: Credentials | None = None
) -> firebase_admin.App:
    """An app of its own, to be closed with ``close_app``.

    ``emulator`` None asks Google's client whether FIRESTORE_EMULATOR_HOST is in force; ``credentials`` win over both
    that and ``firebase.credentials_path``. Raises PermanentError when the service account file cannot be used.
    """
    import firebase_admin

    if emulator is None:
        emulator = firestore_emulator_in_force() or firebase.database_url.startswith("http://")
    options: dict[str, Any] = {"httpTimeout": REQUEST_TIMEOUT_SECONDS}
    if firebase.project_id:
        options["projectId"] = firebase.project_id
    if firebase.database_url:
        options["databaseURL"] = firebase.database_url
    credential = credentials or (_anonymous() if emulator else _service_account(firebase))
    return firebase_admin.initialize_app(credential, options, name=f"event-pipeline-{uuid4()}")


def close_app(app: firebase_admin.App) -> None:
    """Close the app and the connections it holds."""
    import firebase_admin

    firebase_admin.delete_app(app)


def firestore_emulator_in_force() -> bool:
    """Whether Google's own client, which reads the variable, would talk to an emulator."""
    from google.cloud.firestore import Client

    client: Any = Client(project="undecided", credentials=_anonymous())
    return bool(client._emulator_host)


def _anonymous() -> Credentials:
    from google.auth.credentials import AnonymousCredentials

    return AnonymousCredentials()


def _service_account(firebase: Firebase) -> Any:
    """The service account's credential; None leaves it to Google's default credentials."""
    from firebase_admin import credentials

    path = firebase.credentials_path
    if path is None:
        return None
    try:
        return credentials.Certificate(str(path))
    except FileNotFoundError:
        raise PermanentError(
            f"firebase.credentials_path names {path}, where there is no file; download a service account key in the "
            "Firebase console (Project settings, Service accounts) and put it there"
        ) from None
    except (OSError, ValueError):
        # The parser's own message may quote the key.
        raise PermanentError(
            f"firebase.credentials_path names {path}, which is not a readable service account key; download a new one "
            "in the Firebase console (Project settings, Service accounts)"
        ) from None

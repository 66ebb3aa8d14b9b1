"""What the Firebase SDKs raise, as the pipeline's own transient and permanent errors that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from event_pipeline.errors import PermanentError, PipelineError, TransientError

if TYPE_CHECKING:
    from google.api_core.exceptions import GoogleAPICallError

_SHOWN = 400


class IndexNotDefined(PermanentError):
    """A Realtime Database refuses to order by a child that its rules do not index."""


class AnswerTooLarge(PermanentError):
    """A Realtime Database refuses an answer above its limit for one request; ask for less."""


@contextmanager
def firestore_errors(project: str, collection: str) -> Iterator[None]:
    """Raise whatever Firestore's client raises inside as TransientError or PermanentError."""
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import GoogleAuthError

    where = f"Firestore project {project}, collection {collection}"
    try:
        yield
    except GoogleAPICallError as error:
        raise _of_call(error, where) from error
    except GoogleAuthError as error:
        raise _of_auth(error, where) from None
    except ValueError as error:
        # The SDK's word for answers that do not fit the question.
        raise TransientError(f"{where}: the answer cannot be read; tried again later") from error


def _of_call(error: GoogleAPICallError, where: str) -> PipelineError:
    from google.api_core import exceptions as google

    said = str(error.message)[:_SHOWN]
    if "metadata from plugin failed" in said:
        return _of_auth(error, where)
    advice = {
        google.PermissionDenied: "grant the service account the role Cloud Datastore Viewer (roles/datastore.viewer)",
        google.Unauthenticated: "check firebase.credentials_path: the key may be deleted or of another project",
        google.NotFound: "check firebase.project_id and that the project has a Firestore database",
        google.FailedPrecondition: "create the index it names (the time field needs an ascending single-field index)",
        google.InvalidArgument: "check that the database runs in Firestore native mode",
    }
    for kind, todo in advice.items():
        if isinstance(error, kind):
            return PermanentError(f"{where}: {_name(error)}: {said}; {todo}")
    passing = (google.ServerError, google.TooManyRequests, google.Aborted, google.Cancelled)
    if isinstance(error, passing) and not isinstance(error, google.MethodNotImplemented):
        return TransientError(f"{where}: {_name(error)}: {said}; tried again later", _retry_delay(error))
    return PermanentError(f"{where}: {_name(error)}: {said}; see the Google Cloud console of the project")


def _of_auth(error: Exception, where: str) -> PipelineError:
    """An error of Google's token service; its texts may quote credentials, so none is repeated."""
    from google.auth.exceptions import DefaultCredentialsError, RefreshError

    if isinstance(error, DefaultCredentialsError):
        return PermanentError(f"{where}: there are no credentials; set firebase.credentials_path")
    if "invalid_grant" in str(error) or (isinstance(error, RefreshError) and not error.retryable):
        return PermanentError(
            f"{where}: Google does not accept the credentials; check the machine's clock and whether the key of "
            "firebase.credentials_path still exists"
        )
    return TransientError(f"{where}: Google's token service cannot be reached; tried again later")


def _name(error: GoogleAPICallError) -> str:
    return type(error).__name__


def _retry_delay(error: GoogleAPICallError) -> float | None:
    """Seconds of a google.rpc.RetryInfo, if the answer carries one."""
    for detail in error.details:
        delay = getattr(detail, "retry_delay", None)
        if delay is not None:
            return delay.seconds + delay.nanos / 1e9
    return None


@contextmanager
def realtime_database_errors(host: str, path: str) -> Iterator[None]:
    """Raise whatever firebase_admin.db raises inside as TransientError or PermanentError."""
    from firebase_admin.exceptions import FirebaseError
    from google.auth.exceptions import GoogleAuthError

    where = f"Realtime Database {host}, path {path}"
    try:
        yield
    except FirebaseError as error:
        raise _of_answer(error.http_response, str(error), where) from None
    except GoogleAuthError as error:
        raise _of_auth(error, where) from None
    except (ValueError, RecursionError):
        raise TransientError(f"{where}: the answer is no JSON (cut off or not Firebase's); tried again later") from None


def _of_answer(response: Any, message: str, where: str) -> PipelineError:
    if response is None:
        return TransientError(f"{where}: no whole answer came (connection lost or timed out); tried again later")
    status: int = response.status_code
    said = message[:_SHOWN]
    if status == 400 and "index not defined" in message.lower():
        return IndexNotDefined(f"{where}: {said}")
    if status in (400, 413) and "maximum size" in message.lower():
        return AnswerTooLarge(f"{where}: {said}; make firebase.page_size smaller")
    if status in (401, 403):
        todo = (
            "grant the service account the role Firebase Realtime Database Viewer (roles/firebasedatabase.viewer) and "
            "check that firebase.credentials_path belongs to this project"
        )
        return PermanentError(f"{where}: HTTP {status}: {said}; {todo}")
    if status in (404, 423):
        return PermanentError(f"{where}: HTTP {status}: {said}; check firebase.database_url, region included")
    if status in (408, 425, 429) or status >= 500:
        asked = _retry_after(response.headers.get("Retry-After"))
        return TransientError(f"{where}: HTTP {status}: {said}; tried again later", asked)
    return PermanentError(f"{where}: HTTP {status}: {said}; the request was refused and will be again")


def _retry_after(header: str | None) -> float | None:
    """Seconds from a Retry-After header, which is either a number or a date."""
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass  # not a number: a date
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None

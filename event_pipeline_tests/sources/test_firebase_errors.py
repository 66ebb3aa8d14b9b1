"""Errors of Google's token service, which no local server can provoke."""

from __future__ import annotations

import pytest
from google.api_core.exceptions import ServiceUnavailable
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, RefreshError, TransportError

from event_pipeline.errors import PermanentError, TransientError
from event_pipeline.sources.firebase_errors import firestore_errors, realtime_database_errors


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (DefaultCredentialsError("looked in /secret"), PermanentError, "set firebase.credentials_path"),
        (RefreshError("invalid_grant: Invalid JWT", {"assertion": "hush"}), PermanentError, "machine's clock"),
        (RefreshError("busy", retryable=True), TransientError, "token service"),
        (TransportError("no route, key hush"), TransientError, "token service"),
    ],
)
def test_token_errors_are_told_without_their_texts(error: GoogleAuthError, kind: type[Exception], says: str):
    for context in (firestore_errors("college", "clubs"), realtime_database_errors("db.example", "/clubs")):
        with pytest.raises(kind, match=says) as raised, context:
            raise error
        assert "hush" not in str(raised.value)


def test_revoked_key_behind_a_grpc_call_is_permanent():
    said = "Getting metadata from plugin failed with error: ('invalid_grant: Invalid JWT Signature.', {})"
    with pytest.raises(PermanentError, match="does not accept the credentials"), firestore_errors("college", "clubs"):
        raise ServiceUnavailable(said)

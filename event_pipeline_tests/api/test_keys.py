"""Keys: issued, listed and revoked by the command, and the first one by itself."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from event_pipeline.api import ensure_first_key
from event_pipeline.api.audit import Audit
from event_pipeline.api.database import Database
from event_pipeline.api.keys import SCOPES, KeyStore
from event_pipeline.api.rates import RateLimiter
from event_pipeline.settings import Settings
from event_pipeline_tests.cli.conftest import clean_environment, run

__all__ = ["clean_environment", "run"]


def test_a_key_is_issued_listed_and_revoked(run: Callable[..., Any]) -> None:
    secret = run("keys", "create", "the door", "--scope", "scan", "--scope", "read").out.strip()
    key_id = secret[:11]
    (listed,) = json.loads(run("keys", "list", "--json").out)
    assert (listed["key_id"], listed["scopes"], listed["name"]) == (key_id, ["read", "scan"], "the door")
    assert secret not in json.dumps(listed)
    assert run("keys", "revoke", key_id).code == 0
    assert "revoked at" in run("keys", "list").out
    with closing(Database(Settings())) as database:
        assert KeyStore(database).recognise(secret) is None
        assert [(entry.actor, entry.action) for entry in Audit(database).entries(10)] == [
            ("command line", "revoke_key"),
            ("command line", "create_key"),
        ]


def test_unknown_scopes_and_ids_are_refused(run: Callable[..., Any]) -> None:
    wrong = run("keys", "create", "x", "--scope", "everything")
    assert wrong.code == 2
    assert "scopes are read, sql" in wrong.err
    assert run("keys", "revoke", "ep_nobody22").code == 2


def test_the_first_key_has_every_scope_and_comes_once(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    secret = ensure_first_key(settings)
    assert secret is not None
    assert ensure_first_key(settings) is None
    with closing(Database(settings)) as database:
        store = KeyStore(database)
        key = store.recognise(secret)
        assert key is not None
        assert key.scopes == set(SCOPES)
        store.revoke(key.key_id)
    assert ensure_first_key(settings) is None


def test_the_file_of_keys_is_for_its_owner_alone(tmp_path: Path) -> None:
    ensure_first_key(Settings(data_dir=tmp_path))
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "api").iterdir()}
    assert modes == {0o600}


def test_a_bucket_fills_evenly() -> None:
    now = 0.0
    limiter = RateLimiter(lambda: now)
    assert [limiter.take("k", 2).retry_after_seconds for _ in range(3)] == [0, 0, 30]
    now = 29.0
    assert limiter.take("k", 2).retry_after_seconds == 1
    now = 31.0
    assert limiter.take("k", 2).retry_after_seconds == 0
    now = 1_000.0
    assert limiter.take("k", 2).remaining == 1

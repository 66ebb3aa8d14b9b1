"""Nothing but the sign of life and the documentation is open, and a key opens what its scopes say."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from event_pipeline.api.app import create_app
from event_pipeline.api.keys import SCOPES
from event_pipeline.api.openapi import operations
from event_pipeline.settings import Settings
from event_pipeline_tests.api.organisation import Api, running_api, settings_for

SCOPE_OF: dict[str, str | tuple[str, ...]] = {
    "GET /api/pipeline/status": "read",
    "POST /api/pipeline/start": "operate",
    "POST /api/pipeline/stop": "operate",
    "POST /api/pipeline/trigger": "operate",
    "GET /api/pipeline/runs/{run_id}": "read",
    "GET /api/pipeline/analytics": "read",
    "POST /api/pipeline/query": "sql",
    "GET /api/pipeline/schema": "sql",
    "GET /api/pipeline/queries": "sql",
    "POST /api/pipeline/queries": "sql",
    "GET /api/pipeline/queries/{query_id}": "sql",
    "PUT /api/pipeline/queries/{query_id}": "sql",
    "DELETE /api/pipeline/queries/{query_id}": "sql",
    "POST /api/pipeline/queries/{query_id}/run": "sql",
    "GET /api/pipeline/events": "read",
    "GET /api/pipeline/events/{event_id}/analytics": "read",
    "GET /api/pipeline/events/{event_id}/participants": "pii",
    "GET /api/pipeline/events/{event_id}/payments": "pii",
    "GET /api/pipeline/events/{event_id}/workbook": ("pii", "export"),
    "GET /api/pipeline/exports/tables": "export",
    "GET /api/pipeline/exports/tables/{table}": "export",
    "GET /api/pipeline/exports/analytics/{part}": "export",
    "POST /api/pipeline/exports": "export",
    "GET /api/pipeline/exports": "export",
    "GET /api/pipeline/exports/{export_id}": "export",
    "GET /api/pipeline/exports/{export_id}/file": "export",
    "DELETE /api/pipeline/exports/{export_id}": "export",
    "GET /api/pipeline/metrics": "read",
    "GET /metrics": "read",
    "GET /api/pipeline/health": "read",
    "GET /readyz": "read",
    "POST /scans": "scan",
    "POST /api/pipeline/reset-stats": "admin",
    "GET /api/pipeline/alerts": "read",
    "GET /api/pipeline/alerts/deliveries": "read",
    "GET /api/pipeline/alerts/{fingerprint}": "read",
    "POST /api/pipeline/alerts/deliveries/test": "operate",
    "GET /api/pipeline/alerts/silences": "read",
    "POST /api/pipeline/alerts/silences": "operate",
    "DELETE /api/pipeline/alerts/silences/{silence_id}": "operate",
    "GET /api/pipeline/audit": "admin",
}
"""The scope of every route; several where it needs all of them."""

OPEN = {"GET /livez"}
SIGNED = {"POST /webhooks/email/{provider}", "POST /webhooks/payments/{provider}", "POST /webhooks/{name}"}
"""Known by the signature of who sends, as test_webhooks shows: a provider has no key to send."""


@pytest.fixture(scope="module")
def settings(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A copy: a route that is opened does what it is for, and would begin other tests' counts anew."""
    copy = tmp_path_factory.mktemp("access") / "data"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("api"))
    return settings_for(copy)


@pytest.fixture(scope="module")
def api(settings: Settings) -> Iterator[Api]:
    with running_api(settings) as running:
        yield running


def _scopes(route: str) -> tuple[str, ...]:
    scopes = SCOPE_OF[route]
    return (scopes,) if isinstance(scopes, str) else scopes


def _request(api: Api, route: str, headers: dict[str, str]) -> Any:
    method, path = route.split()
    return api.http.request(method, re.sub(r"{\w+}", "x", path), headers=headers)


def test_every_route_has_its_scope_here(tmp_path: Path) -> None:
    schema = create_app(Settings(data_dir=tmp_path)).openapi()
    assert {f"{method.upper()} {path}" for method, path, _ in operations(schema)} == SCOPE_OF.keys() | OPEN | SIGNED


@pytest.mark.parametrize("route", SCOPE_OF)
def test_without_a_key_nothing_is_answered(api: Api, route: str) -> None:
    answer = _request(api, route, {})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["type"] == "urn:event-pipeline:problem:unauthorized"


@pytest.mark.parametrize(("route", "scope"), [(route, scope) for route in SCOPE_OF for scope in _scopes(route)])
def test_every_other_scope_together_does_not_open_a_route(api: Api, route: str, scope: str) -> None:
    answer = _request(api, route, api.headers(*(set(SCOPES) - {scope})))
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:event-pipeline:problem:forbidden"
    assert scope in answer.json()["detail"]


@pytest.mark.parametrize("route", SCOPE_OF)
def test_its_scopes_alone_open_a_route(api: Api, route: str) -> None:
    assert _request(api, route, api.headers(*_scopes(route))).status_code not in {401, 403}


def test_the_sign_of_life_is_open(api: Api) -> None:
    assert api.http.get("/livez").json() == {"alive": True}


def test_a_key_may_come_in_a_header_of_its_own(api: Api) -> None:
    assert api.http.get("/readyz", headers={"X-API-Key": api.key("read")}).status_code == 200


@pytest.mark.parametrize("secret", ["nonsense", "ep_aaaaaaaa_" + "a" * 43, "ep_" + "a" * 5000, "é", ""])
def test_a_key_that_was_never_issued_is_refused(api: Api, secret: str) -> None:
    for header in ({"X-API-Key": secret.encode()}, {"Authorization": f"Bearer {secret}".encode()}):
        assert api.http.get("/readyz", headers=header).status_code == 401


def test_the_id_of_a_key_does_not_open_with_another_secret(api: Api) -> None:
    one, other = api.key(), api.key()
    mixed = one[:12] + other[12:]
    assert api.http.get("/readyz", headers={"X-API-Key": mixed}).status_code == 401


def test_a_revoked_key_opens_nothing_from_then_on(api: Api) -> None:
    headers = api.headers()
    assert api.http.get("/readyz", headers=headers).status_code == 200
    api.services.keys.revoke(headers["Authorization"].split()[1][:11])
    assert api.http.get("/readyz", headers=headers).status_code == 401


def test_an_expired_key_opens_nothing(api: Api) -> None:
    past = api.headers("read", expires_at=datetime.now(UTC) - timedelta(seconds=1))
    future = api.headers("read", expires_at=datetime.now(UTC) + timedelta(hours=1))
    assert api.http.get("/readyz", headers=past).status_code == 401
    assert api.http.get("/readyz", headers=future).status_code == 200


def test_a_key_that_asks_too_often_is_told_when_to_ask_again(api: Api) -> None:
    headers = api.headers("read", requests_per_minute=3)
    first = api.http.get("/readyz", headers=headers)
    assert (first.headers["ratelimit-limit"], first.headers["ratelimit-remaining"]) == ("3", "2")
    answers = [api.http.get("/readyz", headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].json()["type"] == "urn:event-pipeline:problem:rate-limited"
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 20
    assert api.http.get("/readyz", headers=api.headers("read")).status_code == 200


def test_keys_are_nowhere_in_clear(api: Api, settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    secret = api.key()
    api.http.get("/readyz", headers={"X-API-Key": secret})
    kept = b"".join(path.read_bytes() for path in (settings.data_dir / "api").rglob("*") if path.is_file())
    assert secret[:11].encode() in kept
    assert secret[12:].encode() not in kept
    assert secret[12:] not in caplog.text

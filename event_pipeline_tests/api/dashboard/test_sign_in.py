"""Who gets in, how far, and how it ends."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from event_pipeline.api.sessions import COOKIE, FORGERY_HEADER, Notice
from event_pipeline_tests.api.organisation import Api, running_api, settings_for

PAGE = {"Accept": "text/html"}
SAME = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def running(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Over a copy: one of the tests begins the counts anew."""
    copy = tmp_path_factory.mktemp("sessions") / "data"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("api"))
    with running_api(settings_for(copy)) as running:
        running.http.follow_redirects = False
        yield running


@pytest.fixture
def api(running: Api) -> Api:
    """Nobody is signed in."""
    running.http.cookies.clear()
    return running


def _sign_in(api: Api, key: str, **fields: str) -> Any:
    return api.http.post("/sign-in", data={"key": key, **fields}, headers=PAGE | SAME)


def _token(api: Api) -> str:
    found = re.search(r'name="token" value="(\w+)"', api.http.get("/", headers=PAGE).text)
    assert found
    return found[1]


def test_a_page_leads_to_sign_in_and_back(api: Api) -> None:
    asked = api.http.get("/?period=week", headers=PAGE)
    assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in?next=/%3Fperiod%3Dweek")
    form = api.http.get(asked.headers["location"], headers=PAGE)
    assert 'name="next" value="/?period=week"' in form.text
    signed = _sign_in(api, api.key("read"), next="/?period=week")
    assert (signed.status_code, signed.headers["location"]) == (303, "/?period=week")
    assert api.http.get("/?period=week", headers=PAGE).status_code == 200


@pytest.mark.parametrize("target", ["https://example.org/", "//example.org", "/\\example.org", "javascript:x"])
def test_sign_in_leads_nowhere_else(api: Api, target: str) -> None:
    assert _sign_in(api, api.key("read"), next=target).headers["location"] == "/"


def test_the_cookie_is_for_this_site_and_not_for_scripts(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    cookie = _sign_in(api, api.key("read")).headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    behind_tls = api.services.settings.dashboard.model_copy(update={"is_https_only": True})
    monkeypatch.setattr(api.services, "settings", api.services.settings.model_copy(update={"dashboard": behind_tls}))
    assert "Secure" in _sign_in(api, api.key("read")).headers["set-cookie"]


@pytest.mark.parametrize("secret", ["", "nonsense", "ep_aaaaaaaa_" + "a" * 43, "é"])
def test_a_wrong_key_is_told_so_and_gets_nothing(api: Api, secret: str) -> None:
    refused = _sign_in(api, secret)
    assert refused.status_code == 401
    assert 'role="alert"' in refused.text
    assert "set-cookie" not in refused.headers
    assert COOKIE not in api.http.cookies


def test_the_session_is_kept_as_a_digest_and_signing_in_is_audited(api: Api) -> None:
    key = api.key("read")
    _sign_in(api, key)
    secret = api.http.cookies[COOKIE]
    files = (path for path in (api.services.settings.data_dir / "api").rglob("*") if path.is_file())
    kept = b"".join(path.read_bytes() for path in files)
    assert secret.encode() not in kept
    assert api.services.audit.entries(1)[0].action == "sign_in"
    assert api.services.audit.entries(1)[0].actor == key[:11]


def test_a_session_opens_what_its_key_opens(api: Api) -> None:
    _sign_in(api, api.key("read"))
    assert api.http.get("/api/pipeline/status").status_code == 200
    assert api.http.get("/api/pipeline/audit").status_code == 403


def test_a_revoked_key_ends_its_sessions(api: Api) -> None:
    key = api.key("read")
    _sign_in(api, key)
    assert api.http.get("/", headers=PAGE).status_code == 200
    api.services.keys.revoke(key[:11])
    assert api.http.get("/", headers=PAGE).status_code == 303
    assert api.http.get("/api/pipeline/status").status_code == 401


def test_a_session_and_a_key_run_out(api: Api) -> None:
    key = api.services.keys.create("x", ("read",))[0]
    assert api.services.sessions.recognise(api.services.sessions.begin(key, -1).secret) is None
    soon = datetime.now(UTC) - timedelta(seconds=1)
    expired = api.services.keys.create("x", ("read",), expires_at=soon)[0]
    assert api.services.sessions.recognise(api.services.sessions.begin(expired, 1).secret) is None


def test_signing_out_needs_the_sessions_token_and_ends_it(api: Api) -> None:
    _sign_in(api, api.key("read"))
    secret = api.http.cookies[COOKIE]
    forged = api.http.post("/sign-out", data={"token": "0" * 64}, headers=PAGE | SAME)
    assert forged.status_code == 403
    api.http.post("/sign-out", data={"token": _token(api)}, headers=PAGE | SAME)
    assert api.services.sessions.recognise(secret) is None
    assert api.http.get("/", headers=PAGE).status_code == 303


def test_what_another_site_makes_a_browser_send_is_refused(api: Api) -> None:
    _sign_in(api, api.key())
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://example.org"}, {"Origin": "null"}):
        assert api.http.get("/api/pipeline/status", headers=headers).status_code == 401
        assert api.http.post("/sign-in", data={"key": api.key()}, headers=headers | PAGE).status_code == 403


def test_changing_something_by_a_session_needs_its_token(api: Api) -> None:
    _sign_in(api, api.key())
    session = api.services.sessions.recognise(api.http.cookies[COOKIE])
    assert session
    other = api.services.sessions.begin(session.key, 1)
    for headers in ({}, {FORGERY_HEADER: ""}, {FORGERY_HEADER: other.token}, {FORGERY_HEADER: "é".encode()}):
        assert api.http.post("/api/pipeline/reset-stats", headers=SAME | headers).status_code == 403
    accepted = api.http.post("/api/pipeline/reset-stats", headers=SAME | {FORGERY_HEADER: session.token})
    assert accepted.status_code == 200


def test_a_notice_is_shown_once(api: Api) -> None:
    _sign_in(api, api.key("read"))
    session = api.services.sessions.recognise(api.http.cookies[COOKIE])
    assert session
    api.services.sessions.leave(session, Notice("<b>It went well</b>"))
    assert "&lt;b&gt;It went well&lt;/b&gt;" in api.http.get("/", headers=PAGE).text
    assert "It went well" not in api.http.get("/", headers=PAGE).text


def test_a_session_has_the_keys_allowance(api: Api) -> None:
    _sign_in(api, api.key("read", requests_per_minute=2))
    answers = [api.http.get("/", headers=PAGE).status_code for _ in range(3)]
    assert answers == [200, 200, 429]


def test_pages_say_what_scripts_and_frames_may(api: Api) -> None:
    _sign_in(api, api.key("read"))
    headers = api.http.get("/", headers=PAGE).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")


def test_a_key_for_no_page_is_told_what_it_lacks(api: Api) -> None:
    assert _sign_in(api, api.key("admin")).headers["location"] == "/"
    page = api.http.get("/", headers=PAGE)
    assert page.status_code == 403
    assert "This needs another key" in page.text
    assert "the scope read" in page.text


def test_a_fault_is_a_page_for_people_and_a_document_for_programs(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    _sign_in(api, api.key("read"))

    def broken() -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(api.services.reader, "session", broken)
    page = api.http.get("/", headers=PAGE)
    assert page.status_code == 500
    assert "Something went wrong here" in page.text
    assert page.headers["x-request-id"] in page.text
    assert "a fault of ours" not in page.text
    assert api.http.get("/").json()["type"] == "urn:event-pipeline:problem:internal"

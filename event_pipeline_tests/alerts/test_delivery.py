"""Notifications reach local receivers in each one's language, once, in order, with retries; secrets stay secret."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from event_pipeline.alerts.alert import Alert, Kind, fingerprint_of
from event_pipeline.alerts.database import AlertDatabase
from event_pipeline.alerts.delivery.courier import CUT_SHORT_AFTER, LONGEST_RETRY_SECONDS, Courier, retry_seconds
from event_pipeline.alerts.delivery.outbox import Notification, Outbox
from event_pipeline.alerts.watchdog import Watchdog
from event_pipeline.errors import SettingsError
from event_pipeline.logs import configure_logging
from event_pipeline.settings import Alerts, Settings
from event_pipeline_tests.alerts.receivers import HttpReceiver, mail_receiver

NOW = datetime(2026, 6, 10, 9, 0, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ALERT = Alert(
    fingerprint_of("disk", "data"), "disk", "data", "firing", "critical", "operators", "the disk has 1.0 GB left", NOW,
    value=0.01, firing_since=NOW, told="firing", told_at=NOW,
)  # fmt: skip
OVER = replace(ALERT, state="resolved", absent_since=NOW, resolved_at=NOW, told="resolved")


class Post:
    """An outbox with its courier, under a clock that the test moves."""

    def __init__(self, settings: Settings, database: AlertDatabase) -> None:
        self.now, self.settings, self.database = NOW, settings, database
        self.outbox = Outbox(database)
        self.courier = Courier(settings, database, lambda: self.now)

    def put(self, *alerts: Alert, kind: Kind = "firing") -> None:
        """A notification of these alerts."""
        self.outbox.add("one", kind, alerts[0].rule, alerts, self.now)

    def deliver(self, **later: float) -> int:
        """What is due so much later is attempted; how many attempts that were."""
        self.now += timedelta(**later)
        return self.courier.deliver()

    @property
    def latest(self) -> Notification:
        return self.outbox.log()[0]


def settings_of(folder: Path, more: dict[str, Any] | None = None, **receiver: Any) -> Settings:
    alerts = Alerts.model_validate({"receivers": {"one": receiver}, **(more or {})})
    return Settings(data_dir=folder, alerts=alerts)


@pytest.fixture
def post(tmp_path: Path, receiver: HttpReceiver) -> Iterator[Post]:
    """Of a webhook."""
    settings = settings_of(tmp_path, kind="webhook", url=receiver.url, secret=SECRET)
    with closing(AlertDatabase(settings)) as database:
        yield Post(settings, database)


class TestWebhook:
    def test_what_is_sent_is_signed_and_says_what_is_wrong(self, post: Post, receiver: HttpReceiver) -> None:
        post.put(ALERT)
        post.deliver()
        (request,) = receiver.requests
        said = Webhook(SECRET).verify(request.body, request.headers)
        assert said["type"] == "alert.firing"
        assert said["data"]["title"] == "Critical: the disk has 1.0 GB left"
        assert said["data"]["runbook"] == "docs/alerts.md#disk"
        assert [alert["fingerprint"] for alert in said["data"]["alerts"]] == [ALERT.fingerprint]
        assert post.latest.state == "sent"

    def test_a_failure_that_may_pass_is_tried_again_under_the_same_id(self, post: Post, receiver: HttpReceiver) -> None:
        receiver.statuses += [503, 429]
        post.put(ALERT)
        assert post.deliver() == 1
        assert (post.latest.state, post.latest.error) == ("waiting", "it answered 503")
        assert post.deliver(seconds=10) == 0
        assert post.deliver(seconds=10) == 1
        assert post.deliver(seconds=60) == 1
        assert (post.latest.state, post.latest.attempts) == ("sent", 3)
        assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
        assert post.deliver(days=1) == 0

    def test_it_waits_as_long_as_it_is_asked_to(self, post: Post, receiver: HttpReceiver) -> None:
        receiver.statuses, receiver.headers = [429], {"Retry-After": "600"}
        post.put(ALERT)
        post.deliver()
        assert post.deliver(seconds=599) == 0
        assert post.deliver(seconds=1) == 1

    def test_it_gives_up_in_the_end(self, post: Post, receiver: HttpReceiver) -> None:
        receiver.statuses += [500] * 20
        post.put(ALERT)
        attempts = sum(post.deliver(hours=1) for _ in range(20))
        assert attempts == post.settings.alerts.attempts == len(receiver.requests)
        assert post.latest.state == "given_up"

    @pytest.mark.parametrize("status", [301, 400, 401, 404, 410])
    def test_what_is_refused_is_given_up_at_once(self, post: Post, receiver: HttpReceiver, status: int) -> None:
        receiver.statuses += [status]
        post.put(ALERT)
        post.deliver()
        assert post.latest.state == "given_up"
        assert post.deliver(days=1) == 0

    def test_a_receiver_hears_things_in_their_order(self, post: Post, receiver: HttpReceiver) -> None:
        receiver.statuses += [503]
        post.put(ALERT)
        post.put(OVER, kind="resolved")
        assert post.deliver() == 1
        assert post.deliver(minutes=1) == 2
        types = [json.loads(request.body)["type"] for request in receiver.requests]
        assert types == ["alert.firing", "alert.firing", "alert.resolved"]

    def test_an_attempt_that_was_cut_short_is_made_again_and_says_so(self, post: Post, receiver: HttpReceiver) -> None:
        post.put(ALERT)
        post.outbox.begin(post.latest, NOW + CUT_SHORT_AFTER)
        assert post.deliver() == 0
        assert post.deliver(seconds=CUT_SHORT_AFTER.total_seconds()) == 1
        assert (post.latest.state, post.latest.attempts) == ("sent", 2)

    def test_a_receiver_that_is_gone_from_the_settings_blocks_nothing(self, post: Post, receiver: HttpReceiver) -> None:
        post.outbox.add("old", "firing", "disk", [ALERT], NOW)
        post.put(ALERT)
        assert post.deliver() == 2
        states = {item.receiver: item.state for item in post.outbox.log()}
        assert states == {"old": "given_up", "one": "sent"}

    def test_a_secret_that_is_none_is_refused(self, tmp_path: Path, receiver: HttpReceiver) -> None:
        settings = settings_of(tmp_path, kind="webhook", url=receiver.url, secret="whsec_")
        with closing(AlertDatabase(settings)) as database:
            assert "not base64" in Courier(settings, database).test("one").error
        assert receiver.requests == []


def test_pauses_grow_and_end_growing() -> None:
    for attempts in range(1, 40):
        usual = min(LONGEST_RETRY_SECONDS, 15 * 2 ** (attempts - 1))
        assert 0.75 * usual <= retry_seconds(attempts) <= 1.25 * usual
    assert len({retry_seconds(3) for _ in range(20)}) > 1


class TestPagerDuty:
    @pytest.fixture
    def pager(self, tmp_path: Path, receiver: HttpReceiver) -> Iterator[Post]:
        settings = settings_of(tmp_path, kind="pagerduty", url=receiver.url, secret="routing-key-of-32-characters")
        with closing(AlertDatabase(settings)) as database:
            yield Post(settings, database)

    def test_an_incident_is_opened_and_resolved_under_one_key(self, pager: Post, receiver: HttpReceiver) -> None:
        pager.put(ALERT)
        pager.put(OVER, kind="resolved")
        pager.deliver()
        opened, resolved = (json.loads(request.body) for request in receiver.requests)
        assert (opened["event_action"], resolved["event_action"]) == ("trigger", "resolve")
        assert opened["dedup_key"] == resolved["dedup_key"] == ALERT.fingerprint
        assert opened["routing_key"] == "routing-key-of-32-characters"
        payload = opened["payload"]
        assert (payload["severity"], payload["summary"]) == ("critical", "the disk has 1.0 GB left")
        assert payload["custom_details"]["runbook"] == "docs/alerts.md#disk"
        assert "payload" not in resolved

    def test_a_test_leaves_no_incident_open(self, pager: Post, receiver: HttpReceiver) -> None:
        assert pager.courier.test("one").state == "sent"
        assert [json.loads(r.body)["event_action"] for r in receiver.requests] == ["trigger", "resolve"]


class TestApprise:
    @pytest.mark.parametrize("scheme", ["json", "xml", "form"])
    def test_a_service_is_told_by_its_address(self, tmp_path: Path, receiver: HttpReceiver, scheme: str) -> None:
        settings = settings_of(tmp_path, kind="apprise", url=f"{scheme}://127.0.0.1:{receiver.port}/hook")
        with closing(AlertDatabase(settings)) as database:
            post = Post(settings, database)
            post.put(ALERT, replace(ALERT, summary="another disk too", fingerprint="0" * 16))
            post.deliver()
            assert post.latest.state == "sent"
        (request,) = receiver.requests
        for text in (b"the disk has 1.0 GB left", b"another disk too", b"docs/alerts.md"):
            assert text.replace(b" ", b"+") in request.body.replace(b" ", b"+").replace(b"%2F", b"/")

    def test_a_mail_is_sent(self, tmp_path: Path) -> None:
        with mail_receiver() as (port, mails):
            url = f"mailto://127.0.0.1:{port}/?from=pipeline@example.org&to=board@example.org&mode=insecure"
            settings = settings_of(tmp_path, kind="apprise", url=url)
            with closing(AlertDatabase(settings)) as database:
                post = Post(settings, database)
                post.put(OVER, kind="resolved")
                post.deliver()
                assert post.latest.state == "sent"
        (mail,) = mails
        assert "Subject: Resolved: the disk has 1.0 GB left" in mail.replace("=?utf-8?q?", "").replace("_", " ")

    def test_what_is_not_taken_is_tried_again(self, tmp_path: Path, receiver: HttpReceiver) -> None:
        receiver.statuses += [500]
        settings = settings_of(tmp_path, kind="apprise", url=f"json://127.0.0.1:{receiver.port}/hook")
        with closing(AlertDatabase(settings)) as database:
            post = Post(settings, database)
            post.put(ALERT)
            post.deliver()
            assert post.latest.state == "waiting"
            post.deliver(minutes=1)
            assert post.latest.state == "sent"


@pytest.mark.parametrize(
    "receiver_of",
    [
        {"kind": "apprise", "url": "slack://T0K3NAAAAA/T0K3NBBBBB/T0K3NCCCCCCCCCCCCCCCCCCC/nonsense"},
        {"kind": "apprise", "url": "json://T0K3NUSER:T0K3NPASS@127.0.0.1:9/T0K3NPATH"},
        {"kind": "apprise", "url": "T0K3NAAAAA is no address"},
        {"kind": "webhook", "url": "http://127.0.0.1:9/T0K3NPATH?key=T0K3NQUERY", "secret": "whsec_T0K3NSECRETS"},
        {"kind": "webhook", "url": "ftp://T0K3NHOST/"},
        {"kind": "pagerduty", "url": "http://127.0.0.1:9/T0K3NPATH", "secret": "T0K3NROUTING"},
    ],
)
def test_tokens_are_nowhere_in_clear(
    tmp_path: Path, receiver_of: dict[str, str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing leaves this machine, whatever the address.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    settings = settings_of(tmp_path, None, **receiver_of).model_copy(update={"log_level": "DEBUG"})
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        configure_logging(settings)
        with closing(AlertDatabase(settings)) as database:
            post = Post(settings, database)
            post.put(ALERT)
            post.deliver()
            notification = post.latest
            assert notification.error
            assert "T0K3N" not in notification.error
            kept = [tuple(row) for row in database.execute("SELECT * FROM notifications")]
    finally:
        root.handlers[:], root.level = handlers, level
    printed = capfd.readouterr()
    assert "alert_not_sent" in printed.err
    assert "T0K3N" not in printed.err + printed.out + repr(kept)


class TestWatchdog:
    @pytest.fixture
    def guarded(self, tmp_path: Path, receiver: HttpReceiver) -> Iterator[Post]:
        more = {"heartbeat_url": receiver.url + "?beat", "heartbeat_seconds": 60, "silent_seconds": 180}
        settings = settings_of(tmp_path, more, kind="webhook", url=receiver.url)
        with closing(AlertDatabase(settings)) as database:
            yield Post(settings, database)

    def beat(self, post: Post, **later: float) -> bool:
        post.now += timedelta(**later)
        return Watchdog(post.settings, post.database).beat(post.now)

    def evaluated(self, post: Post) -> None:
        post.database.note("evaluated_at", post.now.isoformat())

    def test_it_is_asked_as_often_as_it_is_to_be(self, guarded: Post, receiver: HttpReceiver) -> None:
        self.evaluated(guarded)
        assert [self.beat(guarded, seconds=s) for s in (0, 59, 1, 59, 1)] == [True, False, True, False, True]
        assert len(receiver.requests) == 3
        assert receiver.requests[0].method == "GET"

    def test_it_is_missed_when_nobody_evaluates(self, guarded: Post, receiver: HttpReceiver) -> None:
        assert not self.beat(guarded)
        self.evaluated(guarded)
        assert self.beat(guarded, minutes=2)
        assert not self.beat(guarded, minutes=2)
        self.evaluated(guarded)
        assert self.beat(guarded, minutes=1)

    def test_it_is_missed_when_notifications_do_not_arrive(self, guarded: Post, receiver: HttpReceiver) -> None:
        receiver.statuses += [404]
        guarded.put(ALERT)
        guarded.deliver()
        self.evaluated(guarded)
        assert not self.beat(guarded)
        guarded.now += timedelta(minutes=31)
        self.evaluated(guarded)
        assert self.beat(guarded)
        guarded.put(replace(ALERT, told_at=guarded.now))
        guarded.now += timedelta(minutes=31)
        self.evaluated(guarded)
        assert not self.beat(guarded)

    def test_a_heartbeat_that_does_not_arrive_stops_nothing(self, tmp_path: Path) -> None:
        settings = settings_of(
            tmp_path, {"heartbeat_url": "http://127.0.0.1:9/"}, kind="webhook", url="http://127.0.0.1:9/"
        )
        with closing(AlertDatabase(settings)) as database:
            post = Post(settings, database)
            self.evaluated(post)
            assert self.beat(post)
            assert database.noted("heartbeat_answered") == "ConnectError"


def test_there_is_no_test_of_an_unknown_receiver(post: Post) -> None:
    with pytest.raises(SettingsError, match="there are one"):
        post.courier.test("two")

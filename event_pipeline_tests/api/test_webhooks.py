"""Webhooks over HTTP: proven, kept on disk, then answered; and what they bring arrives in the tables once."""

from __future__ import annotations

import json
import pickle
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from event_pipeline.api.webhooks import Webhooks
from event_pipeline.settings import Inbound, Settings
from event_pipeline.sources.change import NothingKnown
from event_pipeline.sources.inbox import InboxSource
from event_pipeline_tests.api.evening import bring_up_to_date
from event_pipeline_tests.api.organisation import Api, ask, running_api, settings_for
from event_pipeline_tests.inbound import senders
from event_pipeline_tests.inbound.senders import INBOUND, NOW, Sent, stripe_event

pytestmark = senders.needs_recordings
INTENT = "pi_1PgafyB7WZ01zgkWSjxsAJo3"
PREFIX = "urn:event-pipeline:problem:"

SENDS: dict[str, Callable[[], Sent]] = {
    "email/sendgrid": lambda: senders.sendgrid(senders.recorded("sendgrid/open_event__raw_events.json")),
    "email/mailgun": lambda: senders.mailgun(senders.recorded("mailgun/opened_event__raw_event.json")),
    "email/postmark": lambda: senders.postmark(senders.recorded("postmark/open_event__raw_event.json")),
    "email/ses": lambda: senders.ses("open_event__raw_sns_message.json"),
    "email/resend": lambda: senders.resend(senders.recorded("resend/opened_event__raw_event.json")),
    "payments/stripe": lambda: senders.stripe(stripe_event("payment_intent.succeeded", {"amount_received": 1000})),
    "box-office": lambda: senders.own({"type": "email_event", "event": "open", "occurred_at": "2026-06-01T09:00:00Z"}),
}
"""A good request of each provider."""

SIGNED_ANEW = sorted(SENDS.keys() - {"email/postmark", "email/ses"})
"""Those that sign every attempt, so that the same signature twice is a replay."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "data").model_copy(update={"inbound": INBOUND})


@pytest.fixture
def fetched() -> list[str]:
    return []


@pytest.fixture
def api(settings: Settings, fetched: list[str]) -> Iterator[Api]:
    def fetch(address: str) -> bytes:
        fetched.append(address)
        return senders.amazon()[1]

    with running_api(settings, NOW) as running:
        parts = running.services
        parts.webhooks = Webhooks(settings, parts.database, parts.audit, parts.inbox, fetch)
        yield running


def post(api: Api, sent: Sent) -> Any:
    return api.http.post(f"/webhooks/{sent.path}", content=sent.body, headers=sent.headers)


def stored(settings: Settings) -> list[dict[str, Any]]:
    """Every line of the inbox's files, finished or not."""
    paths = sorted(settings.inbox_dir.glob("inbound-*")) if settings.inbox_dir.is_dir() else []
    return [json.loads(line) for path in paths for line in path.read_bytes().splitlines()]


@pytest.mark.parametrize("path", SENDS)
def test_what_a_provider_sends_is_on_disk_when_it_is_answered(api: Api, settings: Settings, path: str) -> None:
    answer = post(api, SENDS[path]())
    assert (answer.status_code, answer.json()) == (200, {"stored": 1, "unmapped": 0})
    (record,) = stored(settings)
    assert record["provider"] == path.rpartition("/")[2]


@pytest.mark.parametrize("path", SENDS)
def test_the_raw_body_is_kept_as_it_came(api: Api, settings: Settings, path: str) -> None:
    sent = SENDS[path]()
    post(api, sent)
    (record,) = stored(settings)
    if path == "email/sendgrid":
        assert json.loads(record["raw"]) == json.loads(sent.body)[0]
    elif path == "box-office":
        assert record.items() >= json.loads(sent.body).items()
    else:
        assert record["raw"].encode() == sent.body


@pytest.mark.parametrize("path", SENDS)
def test_another_signature_is_a_401_and_nothing_is_kept(api: Api, settings: Settings, path: str) -> None:
    sent = SENDS[path]()
    headers = {name: value[:-4] + "AAA=" for name, value in sent.headers.items()}
    body = sent.body.replace(b'"signature": "', b'"signature": "00').replace(b'"Signature": "', b'"Signature": "AAAA')
    answer = post(api, Sent(path, body, headers))
    assert answer.status_code == 401
    assert answer.json()["type"] == PREFIX + "wrong-signature"
    assert stored(settings) == []


@pytest.mark.parametrize("path", SIGNED_ANEW)
def test_a_replay_is_refused_and_kept_once(api: Api, settings: Settings, path: str) -> None:
    sent = SENDS[path]()
    assert post(api, sent).status_code == 200
    again = post(api, sent)
    assert (again.status_code, again.json()["type"]) == (409, PREFIX + "replayed")
    assert len(stored(settings)) == 1


def test_a_replay_is_known_after_a_restart(api: Api, settings: Settings) -> None:
    sent = SENDS["payments/stripe"]()
    assert post(api, sent).status_code == 200
    with running_api(settings, NOW) as restarted:
        assert post(restarted, sent).status_code == 409


_KILLED = """
import os, pickle, signal, sys
from pathlib import Path
from event_pipeline.api.database import Database
from event_pipeline.inbound.journal import InboxJournal
from event_pipeline_tests.api.organisation import running_api, settings_for
from event_pipeline_tests.inbound.senders import INBOUND, NOW

folder, seam = Path(sys.argv[1]), sys.argv[2]
append, execute = InboxJournal.append, Database.execute

def end(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def append_and_end(journal, records):
    append(journal, records)
    end()

def end_at_memory(database, sql, parameters=()):
    if sql.startswith("INSERT INTO webhook_attempts"):
        end()
    return execute(database, sql, parameters)

if seam == "before it is kept":
    InboxJournal.append = end
elif seam == "kept, not remembered":
    Database.execute = end_at_memory
else:
    InboxJournal.append = append_and_end
path, sent = pickle.load(sys.stdin.buffer)
with running_api(settings_for(folder).model_copy(update={"inbound": INBOUND}), NOW) as api:
    api.http.post(path, content=sent[0], headers=sent[1])
"""


@pytest.mark.parametrize(
    ("seam", "lines"), [("before it is kept", 1), ("kept, not answered", 2), ("kept, not remembered", 2)]
)
def test_what_a_killed_process_had_not_answered_is_kept_when_it_is_sent_again(
    settings: Settings, seam: str, lines: int
) -> None:
    sent = SENDS["box-office"]()
    ended = subprocess.run(
        [sys.executable, "-c", _KILLED, str(settings.data_dir), seam],
        input=pickle.dumps(("/webhooks/box-office", (sent.body, dict(sent.headers)))), check=False,
    )  # fmt: skip
    assert ended.returncode == -signal.SIGKILL
    with running_api(settings, NOW) as restarted:
        answers = [
            restarted.http.post("/webhooks/box-office", content=sent.body, headers=sent.headers) for _ in range(2)
        ]
    assert [answer.status_code for answer in answers] == [200, 409]
    assert len(stored(settings)) == lines
    assert len(_documents(settings)) == 1


def _documents(settings: Settings) -> set[str]:
    """The ids under which the tables know what the inbox holds."""
    source = InboxSource(settings.inbox_dir, 100)
    batches = [batch for file in source.files() for batch in source.read(file, NothingKnown())]
    return {document for batch in batches for document in batch.changes.column("document_id").to_pylist()}


def test_the_same_attempt_at_the_same_time_is_kept_once(
    api: Api, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    append = api.services.inbox.append

    def slowly(records: list[dict[str, Any]]) -> None:
        begun.set()
        go_on.wait()
        append(records)

    monkeypatch.setattr(api.services.inbox, "append", slowly)
    sent = SENDS["box-office"]()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(post, api, sent)
        begun.wait()
        second = post(api, sent)
        go_on.set()
    assert (first.result().status_code, second.status_code) == (200, 409)
    assert second.json()["type"] == PREFIX + "in-progress"
    assert second.headers["retry-after"] == "1"
    assert len(stored(settings)) == 1


def test_what_is_kept_is_answered_so_though_it_cannot_be_remembered(
    api: Api, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = api.services.database.execute

    def full(sql: str, parameters: Any = ()) -> Any:
        if sql.startswith("INSERT INTO webhook_attempts"):
            raise sqlite3.OperationalError("database or disk is full")
        return execute(sql, parameters)

    monkeypatch.setattr(api.services.database, "execute", full)
    assert post(api, SENDS["box-office"]()).status_code == 200
    assert len(stored(settings)) == 1


def test_what_could_not_be_kept_may_be_sent_again(api: Api, settings: Settings) -> None:
    settings.inbox_dir.write_text("in the way")
    sent = SENDS["payments/stripe"]()
    failed = post(api, sent)
    assert (failed.status_code, failed.json()["type"]) == (503, PREFIX + "inbox-not-writable")
    settings.inbox_dir.unlink()
    assert post(api, sent).status_code == 200
    assert len(stored(settings)) == 1


@pytest.mark.parametrize("path", sorted(SENDS))
def test_one_that_is_not_set_up_says_which_setting_it_needs(tmp_path: Path, path: str) -> None:
    with running_api(settings_for(tmp_path), NOW) as bare:
        answer = post(bare, SENDS[path]())
    assert (answer.status_code, answer.json()["type"]) == (404, PREFIX + "not-set-up")
    provider = path.rpartition("/")[2]
    setting = "webhooks" if provider == "box-office" else next(n for n in Inbound.model_fields if provider in n)
    assert f"inbound.{setting}" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["email/nobody", "payments/nobody", "email/stripe"])
def test_a_provider_that_does_not_exist_is_not_found(api: Api, path: str) -> None:
    answer = api.http.post(f"/webhooks/{path}", content=b"{}")
    assert (answer.status_code, answer.json()["type"]) == (404, PREFIX + "not-found")


def test_a_body_that_is_no_json_is_a_400_and_one_of_another_shape_a_422(api: Api) -> None:
    assert post(api, senders.stripe(b"{")).json()["type"] == PREFIX + "bad-request"
    assert post(api, senders.sendgrid({})).json()["type"] == PREFIX + "invalid"


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(api: Api, settings: Settings) -> None:
    sent = senders.sendgrid([{"event": "open", "pad": "x" * settings.api.body_kilobytes * 1024}])
    assert post(api, sent).status_code == 413
    assert stored(settings) == []


def test_a_key_opens_no_webhook(api: Api) -> None:
    answer = api.http.post("/webhooks/payments/stripe", content=b"{}", headers=api.headers())
    assert answer.json()["type"] == PREFIX + "wrong-signature"


def test_a_subscription_is_confirmed_once_it_is_proven(api: Api, fetched: list[str], settings: Settings) -> None:
    address = "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token=abc"
    message = {"Type": "SubscriptionConfirmation", "Token": "abc", "Message": "...", "SubscribeURL": address}
    assert post(api, senders.sns(message, Signature="AAAA")).status_code == 401
    assert address not in fetched
    assert post(api, senders.sns(message)).json() == {"stored": 0, "unmapped": 0}
    assert fetched.count(address) == 1
    (entry,) = api.services.audit.entries(5)
    assert (entry.actor, entry.action) == ("ses", "confirm_subscription")


def test_no_secret_is_in_an_answer_a_log_or_a_file(
    api: Api, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    secrets = [senders.STRIPE_SECRET, senders.MAILGUN_KEY, senders.OWN_SECRET, senders.POSTMARK_SECRET]
    said = "".join(post(api, send()).text for send in SENDS.values())
    said += post(api, senders.stripe({}, secret="another secret")).text + caplog.text
    kept = b"".join(path.read_bytes() for path in settings.data_dir.rglob("*") if path.is_file())
    assert [secret for secret in secrets if secret in said or secret.encode() in kept] == []


PAYMENT = {"payment_intent": INTENT, "amount": 15000, "currency": "inr"}


def _payments(ids: dict[str, str]) -> list[dict[str, Any]]:
    """A payment that both its intent and its charge report, and a refund of a third of it."""
    return [
        stripe_event("payment_intent.succeeded", {"amount_received": 15000, "currency": "inr", "metadata": ids}, "e1"),
        stripe_event("charge.succeeded", PAYMENT | {"amount_captured": 15000, "captured": True}, "e2"),
        stripe_event(
            "charge.refunded", PAYMENT | {"amount_refunded": 5000}, "e3", previous_attributes={"amount_refunded": 0}
        ),
    ]


def test_late_mail_and_payment_events_come_from_their_providers_into_the_tables_once(copied: Settings) -> None:
    settings = copied.model_copy(update={"inbound": INBOUND})
    ((registration, event),) = ask(
        settings, "SELECT registration_id, event_id FROM warehouse.core.fact_registrations ORDER BY 1 LIMIT 1"
    )
    ids = {"registration_id": registration, "event_id": event, "mail_type": "qr_code"}
    words = ("processed", "delivered", "open", "group_resubscribe")
    mails = [
        {"event": word, "sg_event_id": f"sg-{word}", "sg_message_id": "m1.f", "timestamp": int(NOW.timestamp()), **ids}
        for word in words
    ]
    with running_api(settings, NOW) as api:
        # Sent from the last to the first, and once more, as after an answer that was lost.
        for at in (NOW, NOW.replace(second=1)):
            sent = [senders.sendgrid(mails, at), *(senders.stripe(payment, at) for payment in _payments(ids))]
            assert [post(api, request).status_code for request in reversed(sent)] == [200] * 4
    bring_up_to_date(
        settings, "staging.email_events", "staging.payment_events", "staging.provider_refunds",
        "staging.provider_payments", "staging.unreadable", "core.fact_email_events", "core.fact_payments",
    )  # fmt: skip
    assert InboxSource(settings.inbox_dir, 100).files() == []
    assert ask(
        settings,
        "SELECT registration_id, event_id, email_event FROM warehouse.core.fact_email_events "
        "WHERE email_event_id LIKE 'sendgrid:%' AND message_id = 'm1' ORDER BY 3",
    ) == [(registration, event, word) for word in ("delivered", "open", "sent")]
    assert ask(
        settings, "SELECT registration_id, payment_status, amount_minor, refunded_minor, revenue_minor, currency "
        "FROM warehouse.core.fact_payments WHERE payment_id = ?", [f"stripe:{INTENT}"]
    ) == [(registration, "verified", 15000, 5000, 10000, "INR")]  # fmt: skip
    unmapped = ask(settings, "SELECT payload FROM lake.raw.unreadable JOIN lake.quarantine.rows USING (document_id)")
    # Lines that are no records are kept as text.
    assert {json.loads(json.loads(payload))["event"] for (payload,) in unmapped} == {"group_resubscribe"}

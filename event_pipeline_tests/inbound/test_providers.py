"""Each provider's recorded events become the right records, and only with a proof of who sent them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError

from event_pipeline.contracts.core import EMAIL_EVENTS
from event_pipeline.errors import TransientError
from event_pipeline.inbound import mailgun, postmark, sendgrid, ses, standard
from event_pipeline.inbound.delivery import Accepted, Delivery, Refused
from event_pipeline.inbound.providers import providers
from event_pipeline.inbound.sns import Fetch
from event_pipeline.settings import Inbound
from event_pipeline_tests.inbound import senders
from event_pipeline_tests.inbound.senders import INBOUND, NOW, Sent, fetch_certificate, recorded

pytestmark = senders.needs_recordings

RECORDED = (
    ("sendgrid", "processed_event", "sent", "recipient@example.com", "2016-04-19T19:47:26"),
    ("sendgrid", "delivered_event", "delivered", "recipient@example.com", "2016-04-19T19:47:30"),
    ("sendgrid", "deferred_event", "deferred", "recipient@example.com", "2016-04-21T01:09:50"),
    ("sendgrid", "bounce_event", "bounce", "noreply@example.com", "2016-04-19T19:47:30"),
    ("sendgrid", "dropped_bounced", "dropped", "example@example.com", "2017-12-15T00:59:29"),
    ("sendgrid", "open_event", "open", "recipient@example.com", "2016-04-19T19:47:30"),
    ("sendgrid", "click_event", "click", "recipient@example.com", "2016-04-19T19:47:30"),
    ("mailgun", "opened_event", "open", "recipient@example.com", "2018-08-12T21:33:20"),
    ("mailgun", "complained_event", "spam_report", "recipient@example.com", "2013-08-22T23:31:00"),
    ("mailgun", "failed_temporary_event", "deferred", "undeliverable@nomx.example.com", "2018-08-12T22:11:39"),
    ("mailgun", "failed_greylisted_event", "deferred", "undeliverable@mx.example.com", "2018-08-12T22:11:39"),
    ("postmark", "bounce_event", "bounce", "bounce@example.com", "2016-04-27T16:28:50"),
    ("postmark", "delivered_event", "delivered", "recipient@example.com", "2014-08-01T13:28:10"),
    ("postmark", "open_event", "open", "recipient@example.com", "2016-04-27T16:21:41"),
    ("postmark", "click_event", "click", "recipient@example.com", "2017-10-25T15:21:11"),
    ("postmark", "spam_event", "spam_report", "spam@example.com", "2016-04-27T16:28:50"),
    ("postmark", "unsubscribe", "unsubscribe", "john@example.com", "2022-06-05T17:17:32"),
    ("ses", "bounce_event__raw_ses_event", "bounce", "jane@example.com", "2016-01-27T14:59:44"),
    ("ses", "complaint_event__raw_ses_event", "spam_report", "richard@example.com", "2026-06-01T09:30:00"),
    ("ses", "delivery_event__raw_ses_event", "delivered", "jane@example.com", "2016-01-27T14:59:38"),
    ("ses", "send_event__raw_sns_message", "sent", "recipient@example.com", "2016-10-14T05:02:16"),
    ("ses", "reject_event__raw_sns_message", "dropped", "recipient@example.com", "2016-10-14T17:38:15"),
    ("ses", "open_event__raw_sns_message", "open", "recipient@example.com", "2017-08-09T22:00:19"),
    ("ses", "click_event__raw_ses_event", "click", "recipient@example.com", "2017-08-09T23:51:25"),
    ("ses", "rendering_failure_event__raw_sns_message", "dropped", "recipient@example.com", "2026-06-01T09:30:00"),
    ("resend", "delivered_event", "delivered", "to@example.org", "2023-09-28T17:19:44"),
    ("resend", "hard_bounced_event", "bounce", "bounced@resend.dev", "2023-10-02T18:11:26"),
    ("resend", "opened_event", "open", "to@example.org", "2023-09-28T17:20:38"),
)  # fmt: skip
"""Provider and recorded event; our word for it, whom it is about, and when it happened."""


def accept(sent: Sent, settings: Inbound = INBOUND, now: datetime = NOW, fetch: Fetch = fetch_certificate) -> Accepted:
    headers = {name.lower(): value for name, value in sent.headers.items()}
    return providers(settings, fetch)[sent.path].accept(Delivery(sent.body, headers, now))


def refusal(sent: Sent, settings: Inbound = INBOUND, now: datetime = NOW, fetch: Fetch = fetch_certificate) -> str:
    with pytest.raises(Refused) as refused:
        accept(sent, settings, now, fetch)
    return refused.value.kind


def only(sent: Sent) -> dict[str, Any]:
    (record,) = accept(sent).records
    return record


def sample(provider: str, name: str) -> Sent:
    """A recorded event as its provider would send it now."""
    if provider == "ses":
        return senders.ses(f"{name}.json")
    suffix = "raw_events" if provider == "sendgrid" else "raw_event"
    return getattr(senders, provider)(recorded(f"{provider}/{name}__{suffix}.json"))


@pytest.mark.parametrize(("provider", "name", "word", "email", "at"), RECORDED)
def test_a_recorded_mail_event_becomes_a_record(provider: str, name: str, word: str, email: str, at: str) -> None:
    record = only(sample(provider, name))
    assert (record["type"], record["provider"], record["event"]) == ("email_event", provider, word)
    assert record["email"] == email
    assert record["occurred_at"].startswith(at)
    assert record["message_id"]
    assert record["provider_event_id"]
    assert record["received_at"] == "2026-06-01T09:30:00.000000Z"


@pytest.mark.parametrize(
    ("send", "said"),
    [
        (lambda: sample("postmark", "resubscribe"), "SubscriptionChange"),
        (lambda: sample("postmark", "subscription_change_bounce"), "SubscriptionChange"),
        (lambda: senders.sendgrid([{"event": "group_resubscribe", "sg_event_id": "x"}]), "group_resubscribe"),
        (lambda: senders.sendgrid([17]), None),
        (lambda: senders.mailgun({"event-data": {"event": "stored", "id": "x"}}), "stored"),
        (lambda: sample("ses", "incorrect_received_event__raw_sns_message"), "Received"),
        (lambda: senders.sns({"Type": "UnsubscribeConfirmation", "Token": "t"}), "UnsubscribeConfirmation"),
        (lambda: senders.resend({"type": "contact.created", "data": {}}), "contact.created"),
        (lambda: senders.stripe(senders.stripe_sample("event")), "plan.created"),
        (lambda: senders.stripe(senders.stripe_sample("test_webhook_vector")["DUMMY_WEBHOOK_PAYLOAD"].encode()), None),
        (lambda: senders.own({"type": "seat.changed", "data": {"seat": 4}}), "seat.changed"),
    ],
)
def test_what_has_no_place_is_kept_whole_under_a_type_that_goes_to_quarantine(
    send: Callable[[], Sent], said: str | None
) -> None:
    record = only(send())
    assert (record["type"], record["event"]) == ("unmapped_webhook", said)
    assert json.loads(record["raw"]) is not None


def test_every_word_that_providers_are_given_is_one_of_the_tables() -> None:
    words = {*sendgrid.EVENTS.values(), *mailgun.EVENTS.values(), *postmark.BOUNCES.values()}
    words |= {word for word, _, _ in postmark.EVENTS.values()} | {word for word, _, _ in ses.EVENTS.values()}
    words |= set(standard.RESEND_EVENTS.values())
    assert words <= set(EMAIL_EVENTS)


def test_a_batch_is_a_record_an_event_each_with_its_own_id() -> None:
    events = [recorded(f"sendgrid/{name}_event__raw_events.json")[0] for name in ("open", "click", "bounce")]
    records = accept(senders.sendgrid(events)).records
    assert [record["event"] for record in records] == ["open", "click", "bounce"]
    assert [record["provider_event_id"] for record in records] == [event["sg_event_id"] for event in events]
    assert [json.loads(record["raw"]) for record in records] == events


def test_a_bounce_of_two_recipients_is_two_records_with_two_ids() -> None:
    records = accept(senders.ses("multiple_bounce_event__raw_sns_message.json", message_id="m-9")).records
    assert [(r["email"], r["provider_event_id"]) for r in records] == [
        ("jane@example.com", "m-9"), ("richard@example.com", "m-9:1"),
    ]  # fmt: skip


def test_the_apps_ids_travel_in_each_providers_metadata() -> None:
    ids = {"registration_id": "-Nx1", "event_id": "-Ny1", "mail_type": "qr_code"}
    opened = recorded("mailgun/opened_event__raw_event.json")["event-data"] | {"user-variables": ids}
    tags = {name: [value] for name, value in ids.items()}
    message = {"eventType": "Send", "send": {}, "mail": {"messageId": "m", "destination": ["a@b.org"], "tags": tags}}
    listed = [{"name": name, "value": value} for name, value in ids.items()]
    for sent in (
        senders.sendgrid([{"event": "open", "sg_event_id": "1", **ids}]),
        senders.mailgun({"event-data": opened}),
        senders.postmark(
            {"RecordType": "Open", "Metadata": {"registrationId": "-Nx1", "event_id": "-Ny1"}, "Tag": "qr_code"}
        ),
        senders.sns({"Message": json.dumps(message)}),
        senders.resend({"type": "email.sent", "data": {"to": ["a@b.org"], "tags": listed}}),
        senders.resend({"type": "email.sent", "data": {"to": ["a@b.org"], "tags": ids}}),
    ):  # fmt: skip
        assert {name: only(sent)[name] for name in ids} == ids


TAMPERED: dict[str, Callable[[], Sent]] = {
    "sendgrid": lambda: altered(sample("sendgrid", "open_event"), b"recipient@", b"intruder@"),
    "sendgrid, another's key": lambda: senders.sendgrid([], key=ec.generate_private_key(ec.SECP256R1())),
    "sendgrid, no base64": lambda: with_header(senders.sendgrid([]), "X-Twilio-Email-Event-Webhook-Signature", "%%%"),
    "sendgrid, another time": lambda: with_header(
        senders.sendgrid([]), "X-Twilio-Email-Event-Webhook-Timestamp", senders.seconds(NOW - timedelta(seconds=1))
    ),
    # Mailgun signs no more than its token, and Postmark nothing: there the secret is all that can be wrong.
    "mailgun": lambda: senders.mailgun({"event-data": {"event": "opened"}}, key="another key"),
    "mailgun, another token": lambda: altered(senders.mailgun({"event-data": {}}), b'"t1"', b'"t2"'),
    "mailgun, unsigned": lambda: senders.mailgun({"event-data": {}, "signature": None}),
    "postmark": lambda: senders.postmark({"RecordType": "Open"}, secret="another secret"),
    "postmark, token": lambda: Sent("email/postmark", b"{}", {"X-Webhook-Token": "another secret"}),
    "postmark, no secret": lambda: Sent("email/postmark", b"{}", {}),
    "ses": lambda: altered(sample("ses", "click_event__raw_ses_event"), b"recipient@", b"intruder@"),
    "ses, another topic": lambda: altered(senders.sns({"Message": "{}"}), b":mails", b":spam"),
    "resend": lambda: altered(sample("resend", "opened_event"), b"to@", b"me@"),
    "resend, another's secret": lambda: senders.resend({}, secret=senders.OWN_SECRET),
    "own": lambda: altered(senders.own({"type": "email_event"}), b"email_event", b"email_evens"),
    "own, another id": lambda: with_header(senders.own({}), "webhook-id", "msg_2"),
    "stripe": lambda: altered(senders.stripe(senders.stripe_event("charge.succeeded", {})), b"usd", b"eur"),
    "stripe, unsigned": lambda: with_header(senders.stripe({}), "Stripe-Signature", f"t={senders.seconds(NOW)}"),
    "stripe, old scheme": lambda: with_header(
        senders.stripe({}), "Stripe-Signature", senders.stripe({}).headers["Stripe-Signature"].replace("v1", "v0")
    ),
}


def altered(sent: Sent, old: bytes, new: bytes) -> Sent:
    assert old in sent.body
    return sent.with_body(sent.body.replace(old, new))


def with_header(sent: Sent, name: str, value: str) -> Sent:
    return Sent(sent.path, sent.body, sent.headers | {name: value})


@pytest.mark.parametrize("case", TAMPERED)
def test_what_is_not_signed_by_its_provider_is_refused(case: str) -> None:
    assert refusal(TAMPERED[case]()) == "wrong-signature"


TIMED: dict[str, Callable[[datetime], Sent]] = {
    "sendgrid": lambda at: senders.sendgrid([1], at),
    "mailgun": lambda at: senders.mailgun({"event-data": {}}, at),
    "ses": lambda at: senders.sns({"Message": "{}"}, at),
    "resend": lambda at: senders.resend({}, at),
    "own": lambda at: senders.own({}, at),
    "stripe": lambda at: senders.stripe(senders.stripe_event("charge.succeeded", {}), at),
}


@pytest.mark.parametrize("provider", TIMED)
def test_a_clock_too_far_off_in_either_direction_is_refused(provider: str) -> None:
    past = timedelta(hours=8) if provider == "ses" else timedelta(seconds=300)
    assert accept(TIMED[provider](NOW - past)).records
    assert accept(TIMED[provider](NOW + timedelta(seconds=300))).records
    assert refusal(TIMED[provider](NOW - past - timedelta(seconds=1))) == "clock-off"
    assert refusal(TIMED[provider](NOW + timedelta(seconds=301))) == "clock-off"


def test_the_tolerance_is_a_setting() -> None:
    strict = INBOUND.model_copy(update={"clock_tolerance_seconds": 10})
    sent = senders.stripe(senders.stripe_event("charge.succeeded", {}), NOW - timedelta(seconds=11))
    assert accept(sent).records
    assert refusal(sent, strict) == "clock-off"


@pytest.mark.parametrize("timestamp", ["", "now", "1e9", "-5", "9" * 15, "9" * 40, "１７"])
def test_a_timestamp_that_is_none_is_refused(timestamp: str) -> None:
    sent = with_header(senders.resend({}), "svix-timestamp", timestamp)
    assert refusal(sent) in {"wrong-signature", "clock-off"}


def test_while_secrets_are_exchanged_the_old_and_the_new_are_good() -> None:
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    both = Inbound.model_validate(
        INBOUND.model_dump()
        | {
            "sendgrid_public_keys": [senders.sendgrid_public_key(key) for key in keys],
            "mailgun_signing_keys": ["old mailgun", "new mailgun"],
            "postmark_secrets": ["old postmark", "new postmark"],
            "resend_secrets": [senders.RESEND_SECRET, senders.OWN_SECRET],
            "stripe_secrets": ["old stripe secret", "new stripe secret"],
        }
    )
    for key in keys:
        assert accept(senders.sendgrid([1], key=key), both).records
    for age in ("old", "new"):
        assert accept(senders.mailgun({"event-data": {}}, key=f"{age} mailgun"), both).records
        assert accept(senders.postmark({}, secret=f"{age} postmark"), both).records
        assert accept(senders.stripe(senders.stripe_event("x", {}), secret=f"{age} stripe secret"), both).records
    for secret in (senders.RESEND_SECRET, senders.OWN_SECRET):
        assert accept(senders.resend({}, secret=secret), both).records
    assert refusal(senders.stripe(senders.stripe_event("x", {}), secret="older stripe secret"), both)


def test_one_good_signature_of_several_is_enough() -> None:
    sent = senders.stripe(senders.stripe_event("charge.succeeded", {}))
    several = sent.headers["Stripe-Signature"].replace("v1=", f"v1={'0' * 64},v1=")
    assert accept(with_header(sent, "Stripe-Signature", several)).records
    svix = senders.resend({})
    signatures = f"v1,bm8= v2,eA== nonsense {svix.headers['svix-signature']}"
    assert accept(with_header(svix, "svix-signature", signatures)).records


def test_sendgrids_own_signed_delivery_is_accepted_at_its_time_and_refused_now() -> None:
    said = json.loads((senders.MAIL / "sendgrid" / "signed" / "headers.json").read_bytes())
    settings = Inbound(sendgrid_public_keys=(said.pop("_public_key"),))
    sent = Sent("email/sendgrid", (senders.MAIL / "sendgrid" / "signed" / "body.bin").read_bytes(), said)
    at = datetime(2020, 9, 14, 19, 41, 42, tzinfo=UTC)
    (record,) = accept(sent, settings, at).records
    assert (record["event"], record["email"]) == ("dropped", "hello@world.com")
    assert refusal(sent.with_body(sent.body.rstrip()), settings, at) == "wrong-signature"
    assert refusal(sent, settings) == "clock-off"


def test_postmark_may_send_its_secret_as_a_header() -> None:
    sent = Sent("email/postmark", b'{"RecordType": "Open"}', {"X-Webhook-Token": senders.POSTMARK_SECRET})
    assert only(sent)["event"] == "open"


@pytest.mark.parametrize(
    ("send", "kind"),
    [
        (lambda: senders.sendgrid(b'[{"event": '), "bad-request"),
        (lambda: senders.sendgrid(b"\xff\xfe[]"), "bad-request"),
        (lambda: senders.sendgrid(b"[" * 100_000), "bad-request"),
        (lambda: senders.sendgrid({"event": "open"}), "invalid"),
        (lambda: Sent("email/mailgun", b"event=opened&token=x", {}), "bad-request"),
        (lambda: senders.mailgun({"event-data": [1]}), "invalid"),
        (lambda: senders.postmark(b"hello"), "bad-request"),
        (lambda: senders.postmark([]), "invalid"),
        (lambda: senders.sns({"Message": "not json"}), "bad-request"),
        (lambda: senders.sns({"Message": "[]"}), "invalid"),
        (lambda: senders.resend(b"{"), "bad-request"),
        (lambda: senders.resend(b"[]"), "invalid"),
        (lambda: with_header(senders.resend(b"{}"), "x", "y").with_body(b"\xff"), "bad-request"),
        (lambda: senders.own(b"[1]"), "invalid"),
        (lambda: senders.stripe(b"NaN"), "bad-request"),
        (lambda: senders.stripe({"id": "evt_1", "object": "v2.core.event"}), "invalid"),
    ],
)
def test_a_signed_body_that_cannot_be_read_is_told_so(send: Callable[[], Sent], kind: str) -> None:
    assert refusal(send()) == kind


@pytest.mark.parametrize("version", ["1", "2"])
def test_both_versions_of_amazons_signature_are_known(version: str) -> None:
    text = '{"eventType": "Send", "mail": {"destination": ["a@b.org"], "messageId": "m"}}'
    assert only(senders.sns({"Message": text, "Subject": "Amazon SES"}, version=version))["event"] == "sent"
    assert refusal(senders.sns({"Message": text}, SignatureVersion="3")) == "wrong-signature"


@pytest.mark.parametrize(
    "address",
    [
        "http://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.us-east-1.amazonaws.com.evil.org/SimpleNotificationService-0123456789abcdef.pem",
        "https://evil.org/sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.us-east-1.amazonaws.com@evil.org/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.us-east-1.amazonaws.com:8443/SimpleNotificationService-0123456789abcdef.pem",
        "https://s3.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.us-east-1.amazonaws.com/mine/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem?x=1",
        "file:///etc/ssl/cert.pem",
        "https://[::1",
        "",
    ],
)
def test_no_certificate_is_fetched_from_elsewhere_than_amazon(address: str) -> None:
    def never(asked: str) -> bytes:
        raise AssertionError(asked)

    sent = senders.sns({"Message": "{}"}, SigningCertURL=address)
    assert refusal(sent, fetch=never) == "wrong-signature"


def test_a_certificate_is_fetched_once_and_not_for_strangers() -> None:
    asked: list[str] = []

    def counted(address: str) -> bytes:
        asked.append(address)
        return fetch_certificate(address)

    known = providers(INBOUND, counted)["email/ses"]
    for number in range(3):
        sent = senders.sns({"Message": "{}", "MessageId": f"m-{number}"})
        known.accept(Delivery(sent.body, {}, NOW))
    assert len(asked) == 1
    assert refusal(senders.sns({"Message": "{}", "TopicArn": "arn:aws:sns:us-east-1:2:theirs"}), fetch=counted)
    assert len(asked) == 1


def test_an_expired_certificate_proves_nothing() -> None:
    later = NOW + timedelta(days=31)
    assert refusal(senders.sns({"Message": "{}"}, later), now=later) == "wrong-signature"


def test_a_certificate_that_cannot_be_had_is_no_refusal() -> None:
    def away(address: str) -> bytes:
        raise TransientError("away")

    for fetch in (away, lambda _: b"no certificate"):
        with pytest.raises(TransientError):
            accept(senders.sns({"Message": "{}"}), fetch=fetch)


SUBSCRIBE = "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token=abc"
CONFIRMATION = {"Type": "SubscriptionConfirmation", "Token": "abc", "Message": "You have chosen to subscribe"}


def test_a_subscription_of_a_named_topic_is_to_be_confirmed_at_amazon_alone() -> None:
    accepted = accept(senders.sns(CONFIRMATION | {"SubscribeURL": SUBSCRIBE}))
    assert (accepted.records, accepted.confirm) == ([], SUBSCRIBE)
    assert refusal(senders.sns(CONFIRMATION | {"SubscribeURL": "https://evil.org/?sns.amazonaws.com"})) == "invalid"
    assert refusal(senders.sns(CONFIRMATION | {"SubscribeURL": SUBSCRIBE}, SubscribeURL=SUBSCRIBE + "d"))


def test_a_webhook_of_ones_own_sends_records_alone_in_lists_or_wrapped() -> None:
    email = {"type": "email_event", "event": "open", "provider": "stripe", "occurred_at": "2026-06-01T09:00:00Z"}
    wrapped = {"type": "payment_event", "data": {"payment_id": "p1", "provider_event_id": "pe-7"}}
    records = accept(senders.own([email, wrapped], message_id="msg_9")).records
    # A webhook cannot speak for another provider.
    assert [(r["type"], r["provider"], r["provider_event_id"]) for r in records] == [
        ("email_event", "box-office", "msg_9"), ("payment_event", "box-office", "pe-7"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"stripe_secrets": ["short"]},
        {"resend_secrets": ["whsec_%%%%"]},
        {"resend_secrets": ["whsec_YWJj"]},
        {"sendgrid_public_keys": ["MFkwEwYH"]},
        {"webhooks": [{"name": "email", "secrets": [senders.OWN_SECRET]}]},
        {"webhooks": [{"name": "a/b", "secrets": [senders.OWN_SECRET]}]},
        {"webhooks": [{"name": "box", "secrets": []}]},
        {"webhooks": [{"name": "box", "secrets": [senders.OWN_SECRET]}] * 2},
    ],
)
def test_a_setting_by_which_nothing_could_be_proven_is_refused_at_the_start(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Inbound.model_validate(wrong)

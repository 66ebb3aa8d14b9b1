"""A mail event is one happening to one recipient: whom it is about, whether a machine did it, what a retry repeats."""

from __future__ import annotations

import json
from typing import Any

import pytest

from event_pipeline.inbound.delivery import Delivery
from event_pipeline.inbound.machines import is_machine
from event_pipeline.inbound.providers import providers
from event_pipeline.inbound.recipients import header_recipients, recipients
from event_pipeline_tests.inbound import senders
from event_pipeline_tests.inbound.senders import INBOUND, NOW, Sent, fetch_certificate

AT = 1_780_300_000
PAIR = ["a@b.org", "c@d.org"]
SENT_TO_BOTH = {"messageId": "m", "timestamp": "2026-06-01T09:00:00Z", "destination": PAIR}
GOOGLE = "Mozilla/5.0 (Windows NT 5.1) Firefox/11.0 (via ggpht.com GoogleImageProxy)"
BOTH = 'Asha <a@b.org>, "Rao, C." <c@d.org>'


def records(sent: Sent) -> list[dict[str, Any]]:
    headers = {name.lower(): value for name, value in sent.headers.items()}
    return providers(INBOUND, fetch_certificate)[sent.path].accept(Delivery(sent.body, headers, NOW)).records


def ses(message_id: str = "sns-1", **content: Any) -> Sent:
    return senders.sns({"Message": json.dumps(content), "MessageId": message_id})


def mailgun(event_id: str = "m1", **more: Any) -> Sent:
    event = {"event": "opened", "id": event_id, "timestamp": AT, "message": {"headers": {"message-id": "m"}}}
    return senders.mailgun({"event-data": event | more})


def mailgun_by(client: dict[str, str], **more: Any) -> Sent:
    return mailgun("m1", **{"client-info": client}, **more)


def sendgrid(event_id: str | None = "s1", **more: Any) -> Sent:
    event = {"event": "open", "sg_message_id": "m.x", "timestamp": AT, "email": "a@b.org"}
    return senders.sendgrid([event | ({"sg_event_id": event_id} if event_id else {}) | more])


def postmark(**more: Any) -> Sent:
    return senders.postmark({"RecordType": "Open", "MessageID": "m", "ReceivedAt": "2026-06-01T09:00:00Z"} | more)


def resend(**data: Any) -> Sent:
    return senders.resend(
        {"type": "email.opened", "created_at": "2026-06-01T09:00:00Z", "data": {"email_id": "m"} | data}
    )


def own(**more: Any) -> Sent:
    return senders.own({"type": "email_event", "event": "open", "message_id": "m", "occurred_at": "2026-06-01"} | more)


@pytest.mark.parametrize(
    "sent",
    [
        lambda: sendgrid(email=BOTH),
        lambda: mailgun(recipient=BOTH),
        lambda: mailgun(message={"headers": {"message-id": "m", "to": BOTH}}),
        lambda: postmark(Recipient=BOTH),
        lambda: postmark(Headers=[{"Name": "To", "Value": BOTH}]),
        lambda: ses(eventType="Open", open={}, mail={"messageId": "m", "destination": BOTH}),
        lambda: ses(eventType="Open", open={}, mail={"messageId": "m", "commonHeaders": {"to": [BOTH]}}),
        lambda: ses(
            eventType="Open", open={}, mail={"messageId": "m", "headers": [{"name": "To", "value": BOTH}]}
        ),
        lambda: ses(
            eventType="Bounce", mail={"messageId": "m", "destination": ["x@y.org"]},
            bounce={"bouncedRecipients": [{"emailAddress": "Asha <a@b.org>"}, {"emailAddress": "c@d.org"}]},
        ),
        lambda: resend(to=["Asha <a@b.org>", "c@d.org"]),
        lambda: resend(headers=[{"name": "To", "value": BOTH}]),
        lambda: own(email=BOTH),
        lambda: own(to=PAIR),
    ],
)  # fmt: skip
def test_several_recipients_are_a_record_each_for_every_provider(sent: Any) -> None:
    found = records(sent())
    assert [record["email"] for record in found] == PAIR
    assert len({record["provider_event_id"] for record in found}) == 2
    assert len({record["event_key"] for record in found}) == 2


def test_a_text_without_an_address_stays_for_quarantine_to_show() -> None:
    assert recipients("nobody at all") == ["nobody at all"]
    assert recipients(None, [], {}, ["a@b.org", "a@b.org"]) == ["a@b.org"]
    assert recipients(None) == [None]
    assert header_recipients([["To", "a@b.org"], {"name": "Subject", "value": "x@y.org"}]) == ["a@b.org"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Rao, Asha <a@b.org>", ["a@b.org"]),
        ('"Rao; Asha" <a@b.org>, c@d.org', PAIR),
        ("Team: Asha <a@b.org>, c@d.org;", PAIR),
        ("Team: a@b.org; c@d.org", PAIR),
        ("a@b.org c@d.org", PAIR),
        ("a@b.org|c@d.org", PAIR),
        ("a@b.org\r\n c@d.org", PAIR),
        ("a@b.org\nc@d.org", PAIR),
        ("old@x.org <a@b.org>", ["a@b.org"]),
        ("Asha @ club <a@b.org>", ["a@b.org"]),
        ("a@b.org <a@b.org>", ["a@b.org"]),
        ("A@b.org, Asha <a@B.org>", ["A@b.org"]),
        ("'a@b.org'", ["a@b.org"]),
        ("Asha <a@b.org", ["a@b.org"]),
        ("< a@b.org >", ["a@b.org"]),
        ("mailto:a@b.org", ["a@b.org"]),
        ("Asha (treasurer) <a@b.org>", ["a@b.org"]),
        ("rfc822; a@b.org", ["a@b.org"]),
        ("Deepa <दीपा@उदाहरण.भारत>", ["दीपा@उदाहरण.भारत"]),
        ('"a;b"@c.org', ['"a;b"@c.org']),
        ('"Asha" <a@b.org>, "unclosed <c@d.org>', PAIR),
        ("a@@b.org", ["a@@b.org"]),
        ("undisclosed-recipients:;", ["undisclosed-recipients:;"]),
        ({"email": {"address": "a@b.org"}}, ["a@b.org"]),
        ([["a@b.org"], {"Email": "c@d.org"}, 7, None], [*PAIR, "7"]),
        ("@" * 200_000, ["@" * 200_000]),
        ('"\\' * 100_000, ['"\\' * 100_000]),
    ],
)  # fmt: skip
def test_addresses_are_read_however_they_are_written(written: Any, expected: list[str]) -> None:
    assert recipients(written) == expected


@pytest.mark.parametrize(
    "sent",
    [
        lambda: mailgun("m1", recipient="a@b.org", **{"client-info": {"client-type": ["robot"], "bot": {}}}),
        lambda: mailgun(event="failed", reason=["suppress-bounce"], recipient="a@b.org"),
        lambda: mailgun(event=["opened"], recipient="a@b.org"),
        lambda: sendgrid(event={"open": 1}),
        lambda: sendgrid(useragent=["Mozilla"], timestamp=[], headers=7),
        lambda: postmark(Client={"client-type": {}}, Headers=[[], ["To"], 7], Recipient={"x": []}),
        lambda: ses(eventType=["Open"], open=[], mail="none"),
        lambda: ses(eventType="Bounce", bounce={"bouncedRecipients": {"emailAddress": ["a@b.org"]}}, mail={}),
        lambda: resend(to={"email": 7}, tags=[7, {"name": []}], click=[]),
        lambda: own(event=["open"], email="a@b.org"),
        lambda: own(event={}, email=[], headers={"To": 7}),
        lambda: own(type=["email_event"]),
        lambda: own(type={"scan": True}),
    ],
)  # fmt: skip
def test_a_value_of_another_shape_refuses_no_delivery(sent: Any) -> None:
    (record,) = records(sent())
    assert record["received_at"]
    assert record["provider_event_id"]


@pytest.mark.parametrize(
    ("subscription", "kind"),
    [
        ({"source": "UnsubscribeHeader"}, "email_event"),
        ({"newTopicPreferences": {"unsubscribeAll": True}}, "email_event"),
        (
            {"newTopicPreferences": {"topicSubscriptionStatus": [{"topicName": "t", "subscriptionStatus": "OptOut"}]}},
            "email_event",
        ),
        (
            {
                "newTopicPreferences": {
                    "unsubscribeAll": False,
                    "topicSubscriptionStatus": [{"topicName": "t", "subscriptionStatus": "OptIn"}],
                },
                "oldTopicPreferences": {"unsubscribeAll": True},
            },
            "unmapped_webhook",
        ),
    ],
)
def test_who_comes_back_to_a_list_of_ses_did_not_leave_it(subscription: dict[str, Any], kind: str) -> None:
    (record,) = records(
        ses(eventType="Subscription", subscription=subscription, mail=SENT_TO_BOTH | {"destination": "a@b.org"})
    )
    assert record["type"] == kind


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (lambda: sendgrid("s1"), lambda: sendgrid("s2")),
        (lambda: sendgrid(None), lambda: sendgrid("s2")),
        (lambda: mailgun("m1", recipient="a@b.org"), lambda: mailgun("m2", recipient="A@b.org")),
        (
            lambda: ses("n1", eventType="Send", send={}, mail=SENT_TO_BOTH),
            lambda: ses("n2", eventType="Send", send={}, mail=SENT_TO_BOTH),
        ),
        (lambda: postmark(Recipient="a@b.org"), lambda: postmark(Recipient="a@b.org", Geo={"City": "Pune"})),
        (lambda: resend(to="a@b.org"), lambda: resend(to=["a@b.org"])),
        (lambda: own(email="a@b.org"), lambda: own(email="a@b.org", provider_event_id="other")),
        (lambda: own(email="a@b.org", message_id=None), lambda: own(email="a@b.org", message_id=None, note="again")),
    ],
)  # fmt: skip
def test_a_retry_with_another_id_is_the_same_event(first: Any, again: Any) -> None:
    keys = [[record["event_key"] for record in records(sent())] for sent in (first, again)]
    assert keys[0] == keys[1]


@pytest.mark.parametrize(
    ("sent", "by_machine"),
    [
        (lambda: sendgrid(sg_machine_open=True), True),
        (lambda: sendgrid(sg_machine_open=False), False),
        (lambda: sendgrid(useragent="Mozilla/5.0"), True),
        (lambda: sendgrid(useragent="Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148"), False),
        (lambda: sendgrid(useragent=GOOGLE), False),
        (lambda: sendgrid(event="delivered", sg_machine_open=True), False),
        (lambda: mailgun_by({"bot": "apple"}), True),
        (lambda: mailgun_by({"bot": "", "user-agent": "Mozilla/5.0 (Macintosh)"}), False),
        (lambda: mailgun_by({"bot": "generic"}, event="clicked"), True),
        (lambda: mailgun_by({"client-type": "robot"}), True),
        (lambda: mailgun_by({"client-type": "Robot"}), True),
        (lambda: own(is_bot="n"), False),
        (lambda: own(bot=0.0), False),
        (lambda: postmark(UserAgent="Mozilla/5.0"), True),
        (lambda: ses(eventType="Click", click={"userAgent": "BarracudaCentral/1.0"}, mail={"messageId": "m"}), True),
        (lambda: ses(eventType="Click", click={"userAgent": "Mozilla/5.0 (X11) Chrome/99"}, mail={}), False),
        (lambda: resend(open={"userAgent": "Mozilla/5.0"}), True),
        (lambda: own(is_machine=True), True),
    ],
)  # fmt: skip
def test_opens_and_clicks_by_machines_are_kept_and_marked(sent: Any, by_machine: bool) -> None:
    (record,) = records(sent())
    assert record["is_machine"] is by_machine


def test_a_browser_of_a_person_is_no_machine() -> None:
    for agent in ("Mozilla/5.0 (Windows NT 10.0) Chrome/126 Safari/537.36", "Thunderbird", "Outlook-iOS/2.0", None):
        assert not is_machine({}, user_agent=agent)


def test_a_program_is_told_from_a_phone_of_that_name() -> None:
    for agent in ("Twitterbot", "Slackbot-LinkExpanding 1.0", "facebookexternalhit/1.1", "Applebot/0.1", "SafeLinks"):
        assert is_machine({}, user_agent=agent)
    for agent in ("Mozilla/5.0 (Linux; Android 9; Cubot P30 Build/PPR1)", "Mozilla/5.0 (Linux; CUBOT_X19) Mobile"):
        assert not is_machine({}, user_agent=agent)

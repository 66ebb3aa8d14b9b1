"""Mails in small: what really happens to them, and the webhooks that mail providers send of it, some of them again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import zip_longest
from typing import Any

from hypothesis import strategies as st

from event_pipeline.inbound.delivery import Delivery
from event_pipeline.inbound.provider import Provider
from event_pipeline.inbound.providers import providers
from event_pipeline.sources.change import Change
from event_pipeline.sources.documents import encode_document
from event_pipeline_tests.inbound import senders
from event_pipeline_tests.inbound.senders import INBOUND, NOW, Sent, fetch_certificate
from event_pipeline_tests.oracle.documents import Document
from event_pipeline_tests.oracle.history import History, Names, Told, document_of
from event_pipeline_tests.warehouse.documents import SEEN

_BEGIN = datetime(2025, 6, 1, 3, tzinfo=UTC)
_APPLE, _BROWSER = "Mozilla/5.0", "Mozilla/5.0 (Windows NT 10.0) Firefox/126.0"


@dataclass(frozen=True)
class Happening:
    """One thing that happened to a message, to all of its recipients alike."""

    message_id: str
    recipients: tuple[str, ...]
    word: str
    at: datetime
    registration_id: str | None
    event_id: str
    is_machine: bool

    @property
    def links(self) -> dict[str, str]:
        """What the app gave the mail along."""
        about = {"registration_id": self.registration_id, "event_id": self.event_id, "mail_type": "qr_code"}
        return {name: value for name, value in about.items() if value is not None}


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _microseconds(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _sendgrid(happened: Happening, attempt: int) -> Sent:
    """SendGrid reports each recipient apart; a retry of a batch may give its events other ids."""
    words = {"sent": "processed", "spam_report": "spamreport"}
    batch = [
        {
            "email": email, "event": words.get(happened.word, happened.word), "timestamp": int(happened.at.timestamp()),
            "sg_event_id": f"{happened.message_id}-{happened.word}-{number}-{attempt}",
            "sg_message_id": f"{happened.message_id}.filter{number:04}p1.17.1", **happened.links,
            **({"sg_machine_open": True} if happened.is_machine else {}),
        }
        for number, email in enumerate(happened.recipients)
    ]  # fmt: skip
    return senders.sendgrid(batch, NOW)


def _mailgun(happened: Happening, attempt: int) -> Sent:
    """Mailgun reports each recipient apart; here the one recipient stands in the message's headers only."""
    words = {
        "sent": "accepted", "open": "opened", "click": "clicked", "spam_report": "complained", "bounce": "failed",
        "deferred": "failed",
    }  # fmt: skip
    event = {
        "id": f"{happened.message_id}-{happened.word}-{attempt}",
        "event": words.get(happened.word, happened.word),
        "severity": "temporary" if happened.word == "deferred" else "permanent",
        "timestamp": happened.at.timestamp(),
        "message": {"headers": {"message-id": happened.message_id, "to": f"Somebody <{happened.recipients[0]}>"}},
        "user-variables": happened.links,
        "client-info": {"client-type": "mobile browser", **({"bot": "apple"} if happened.is_machine else {})},
    }
    return senders.mailgun({"event-data": event}, NOW, token=f"{happened.message_id}-{attempt}")


def _postmark(happened: Happening, attempt: int) -> Sent:
    """Postmark gives no event an id."""
    kinds = {
        "delivered": ("Delivery", "DeliveredAt", "Recipient"), "open": ("Open", "ReceivedAt", "Recipient"),
        "click": ("Click", "ReceivedAt", "Recipient"), "spam_report": ("SpamComplaint", "BouncedAt", "Email"),
        "bounce": ("Bounce", "BouncedAt", "Email"), "deferred": ("Bounce", "BouncedAt", "Email"),
    }  # fmt: skip
    kind, at, address = kinds[happened.word]
    event = {
        "RecordType": kind, at: _iso(happened.at), address: happened.recipients[0], "MessageID": happened.message_id,
        "Type": "Transient" if happened.word == "deferred" else "HardBounce",
        "UserAgent": _APPLE if happened.is_machine else _BROWSER,
        "Metadata": {name: text for name, text in happened.links.items() if name != "mail_type"},
        "Tag": happened.links["mail_type"],
        **({"ServerID": attempt} if attempt else {}),
    }  # fmt: skip
    return senders.postmark(event)


def _ses(happened: Happening, attempt: int) -> Sent:
    """One message of SES with all recipients in it; SNS may publish it again under another id."""
    kinds = {
        "sent": ("Send", "send", ""), "delivered": ("Delivery", "delivery", "recipients"),
        "open": ("Open", "open", ""), "click": ("Click", "click", ""),
        "bounce": ("Bounce", "bounce", "bouncedRecipients"),
        "deferred": ("DeliveryDelay", "deliveryDelay", "delayedRecipients"),
        "spam_report": ("Complaint", "complaint", "complainedRecipients"),
    }  # fmt: skip
    kind, place, listed = kinds[happened.word]
    people: list[Any] = list(happened.recipients)
    if listed != "recipients":
        people = [{"emailAddress": email} for email in people]
    content = {
        "eventType": kind,
        "mail": {
            "timestamp": _iso(_BEGIN), "messageId": happened.message_id, "destination": list(happened.recipients),
            "tags": {name: [text] for name, text in happened.links.items()},
        },
        place: {
            "timestamp": _iso(happened.at), "userAgent": _APPLE if happened.is_machine else _BROWSER,
            **({listed: people} if listed else {}),
        },
    }  # fmt: skip
    name = f"{happened.message_id}-{happened.word}-{attempt}"
    return senders.sns({"Message": json.dumps(content), "MessageId": name}, NOW)


def _resend(happened: Happening, attempt: int) -> Sent:
    """One event of Resend with all recipients in it."""
    words = {
        "deferred": "delivery_delayed", "bounce": "bounced", "open": "opened", "click": "clicked",
        "spam_report": "complained",
    }  # fmt: skip
    to = [f"Somebody <{email}>" for email in happened.recipients]
    seen = {happened.word: {"userAgent": _APPLE if happened.is_machine else _BROWSER}}
    tags = [{"name": name, "value": text} for name, text in happened.links.items()]
    data = {"email_id": happened.message_id, "to": to, "tags": tags, **(seen if happened.word in _SEEN else {})}
    event = {"type": f"email.{words.get(happened.word, happened.word)}", "created_at": _iso(happened.at), "data": data}
    return senders.resend(event, NOW, f"{happened.message_id}-{happened.word}-{attempt}")


def _own(happened: Happening, attempt: int) -> Sent:
    """A webhook of one's own, whose records are those of the inbox."""
    record = {
        "type": "email_event", "message_id": happened.message_id, "event": happened.word, **happened.links,
        "email": list(happened.recipients), "occurred_at": _iso(happened.at),
        **({"is_machine": True} if happened.is_machine else {}),
    }  # fmt: skip
    return senders.own([record], NOW, f"{happened.message_id}-{happened.word}-{attempt}")


_SEEN = ("open", "click")
_WORDS = ("sent", "delivered", "delivered", "open", "open", "click", "bounce", "deferred", "spam_report")


@dataclass(frozen=True)
class _Provider:
    send: Callable[[Happening, int], Sent]
    has_several: bool
    """Whether one event is about all recipients."""
    time: Callable[[datetime], str]
    """How the time of an event is kept."""
    words: Sequence[str] = _WORDS


_PROVIDERS = {
    "sendgrid": _Provider(_sendgrid, True, _microseconds),
    "mailgun": _Provider(_mailgun, False, _microseconds),
    "postmark": _Provider(_postmark, False, _iso, tuple(word for word in _WORDS if word != "sent")),
    "ses": _Provider(_ses, True, _iso),
    "resend": _Provider(_resend, True, _iso),
    "box-office": _Provider(_own, True, _iso),
}


@cache
def _accepting() -> dict[str, Provider]:
    return {provider.name: provider for provider in providers(INBOUND, fetch_certificate).values()}


@st.composite
def mailings(draw: st.DrawFn, names: Names, registrations: Sequence[str]) -> History:
    """What happened to a few messages, as their providers told it, once or twice."""
    found: History = []
    for number in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from(sorted(_PROVIDERS)))
        registration = draw(st.sampled_from([*registrations, "r9", None]))
        people = draw(st.sampled_from([("asha",), ("ravi",), ("only-mailed",), ("asha", "ravi")]))
        recipients = tuple(map(names.email, people[: None if _PROVIDERS[name].has_several else 1]))
        for word in draw(st.lists(st.sampled_from(_PROVIDERS[name].words), min_size=1, max_size=3, unique=True)):
            happened = Happening(
                f"m{number}-{names.number}", recipients, word,
                _BEGIN + timedelta(minutes=draw(st.sampled_from([0, 930, 1_500]))),
                None if registration is None else names.id(registration), names.id("e1"),
                word in _SEEN and draw(st.booleans()),
            )  # fmt: skip
            found += [
                reported for attempt in range(draw(st.integers(1, 2))) for reported in _told(name, happened, attempt)
            ]
    return found


def _told(provider: str, happened: Happening, attempt: int) -> History:
    """The changes that a provider's webhook brings, and what they mean, however often it is sent."""
    sent = _PROVIDERS[provider].send(happened, attempt)
    headers = {name.lower(): value for name, value in sent.headers.items()}
    records = _accepting()[provider].accept(Delivery(sent.body, headers, NOW)).records
    changes = [_change(record) for record in records]
    meant = [_meant(provider, happened, email) for email in happened.recipients]
    pairs = zip_longest(changes, meant)
    story = f"{provider} {happened.message_id} {happened.word}"
    return [Told(change, () if document is None else (document,), story) for change, document in pairs]


def _change(record: dict[str, Any]) -> Change:
    """The record as the inbox keeps it: under its key where it has one."""
    collection = "email_events" if record["type"] == "email_event" else "unreadable"
    name = f"{record['provider']}:{record.get('event_key') or record['provider_event_id']}"
    return Change.upsert("inbox", collection, name, encode_document(record), SEEN)


def _meant(provider: str, happened: Happening, email: str) -> Document:
    """The event as it happened to one recipient, by the id that the dictionary gives it."""
    at = _PROVIDERS[provider].time(happened.at)
    parts = [provider, happened.message_id, email, happened.word, at]
    digest = hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()[:40]
    content = {
        "provider": provider, "message_id": happened.message_id, "email": email, "event": happened.word,
        "occurred_at": at, "is_machine": happened.is_machine, **happened.links,
    }  # fmt: skip
    return document_of(Change.upsert("inbox", "email_events", f"{provider}:{digest}", encode_document(content), SEEN))

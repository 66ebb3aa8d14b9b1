"""Amazon SES, which publishes events to an SNS topic that posts them here."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from event_pipeline.inbound.delivery import Accepted, Delivery, Record, Refused, object_of, parsed, text_of
from event_pipeline.inbound.machines import is_machine
from event_pipeline.inbound.recipients import header_recipients, recipients
from event_pipeline.inbound.records import email_events, unmapped
from event_pipeline.inbound.signatures import require_recent
from event_pipeline.inbound.sns import SnsSignatures, is_amazon
from event_pipeline.settings import Inbound

RETRIED_FOR = timedelta(hours=8)
"""SNS signs a message when it is published, not when it is sent, and may retry it for hours."""

EVENTS = {
    "Send": ("sent", "send", ""),
    "Delivery": ("delivered", "delivery", "recipients"),
    "DeliveryDelay": ("deferred", "deliveryDelay", "delayedRecipients"),
    "Bounce": ("bounce", "bounce", "bouncedRecipients"),
    "Complaint": ("spam_report", "complaint", "complainedRecipients"),
    "Reject": ("dropped", "reject", ""),
    "Rendering Failure": ("dropped", "failure", ""),
    "Open": ("open", "open", ""),
    "Click": ("click", "click", ""),
    "Subscription": ("unsubscribe", "subscription", ""),
}
"""By the type of event: our word, where its details stand, and which list in them has the recipients, if any."""


class Ses:
    """``POST /webhooks/email/ses``. Ids travel as message tags."""

    name, setting = "ses", "inbound.ses_topic_arns"

    def __init__(self, settings: Inbound, signatures: SnsSignatures) -> None:
        self._settings, self._signatures = settings, signatures

    @property
    def is_set_up(self) -> bool:
        """Whether a topic is there."""
        return bool(self._settings.ses_topic_arns)

    def accept(self, delivery: Delivery) -> Accepted:
        """One record a recipient; a subscription's address to confirm. Raises Refused, TransientError."""
        message = delivery.json_object()
        # The topic first: a certificate is fetched for nobody else's messages.
        if message.get("TopicArn") not in self._settings.ses_topic_arns:
            raise Refused("wrong-signature", f"the message is of a topic that {self.setting} does not name")
        tolerance = timedelta(seconds=self._settings.clock_tolerance_seconds)
        require_recent(_published(message), delivery.received_at, max(RETRIED_FOR, tolerance), tolerance)
        self._signatures.require_signed(message, delivery.received_at)
        kind = message.get("Type")
        if kind == "SubscriptionConfirmation":
            return Accepted([], confirm=_confirmation(message))
        if kind != "Notification":
            return Accepted([_other(delivery, message, kind)])
        content = parsed(text_of(message.get("Message")) or "")
        if not isinstance(content, dict):
            raise Refused("invalid", "Message must hold an event of SES; switch raw message delivery off")
        return Accepted(_records(delivery, message, content))


def _published(message: dict[str, Any]) -> datetime:
    try:
        at = datetime.fromisoformat(text_of(message.get("Timestamp")) or "")
    except ValueError:
        raise Refused("wrong-signature", "the message has no Timestamp") from None
    if at.tzinfo is None:
        raise Refused("wrong-signature", "the message's Timestamp has no zone")
    return at


def _confirmation(message: dict[str, Any]) -> str:
    address = text_of(message.get("SubscribeURL")) or ""
    if not is_amazon(address):
        raise Refused("invalid", "SubscribeURL must be an address of SNS")
    return address


def _other(delivery: Delivery, message: dict[str, Any], kind: Any) -> Record:
    return unmapped(delivery, "ses", text_of(message.get("MessageId")) or "", kind, delivery.text)


def _records(delivery: Delivery, message: dict[str, Any], content: dict[str, Any]) -> list[Record]:
    said = text_of(content.get("eventType")) or text_of(content.get("notificationType")) or ""
    if said not in EVENTS:
        return [_other(delivery, message, said)]
    word, place, listed = EVENTS[said]
    details, mail = object_of(content.get(place)), object_of(content.get("mail"))
    if said == "Subscription" and not _leaves(details):
        return [_other(delivery, message, said)]
    times = (details.get("timestamp"), mail.get("timestamp"), message.get("Timestamp"))
    at = next((text for time in times if (text := text_of(time))), None)
    return email_events(
        delivery, "ses", text_of(message.get("MessageId")) or "", word,
        occurred_at=at, emails=_recipients(details, mail, listed), message_id=mail.get("messageId"),
        about=object_of(mail.get("tags")), raw=delivery.text,
        by_machine=is_machine(details, user_agent=details.get("userAgent")),
    )  # fmt: skip


def _leaves(subscription: dict[str, Any]) -> bool:
    """Whether somebody left a list; a change of preferences may also be that they came back to one."""
    if "newTopicPreferences" not in subscription:
        return True
    chosen, before = (object_of(subscription.get(name)) for name in ("newTopicPreferences", "oldTopicPreferences"))
    return chosen.get("unsubscribeAll") is True or bool(_left_topics(chosen) - _left_topics(before))


def _left_topics(preferences: dict[str, Any]) -> set[str]:
    """The topics of which a subscriber wants nothing."""
    listed = preferences.get("topicSubscriptionStatus") or preferences.get("topicDefaultSubscriptionStatus")
    topics = [object_of(topic) for topic in listed] if isinstance(listed, list) else []
    left = (topic for topic in topics if (text_of(topic.get("subscriptionStatus")) or "").lower() == "optout")
    return {text_of(topic.get("topicName")) or "" for topic in left}


def _recipients(details: dict[str, Any], mail: dict[str, Any], listed: str) -> list[str | None]:
    """Whom the event is about; everyone the mail went to where it does not say."""
    common = object_of(mail.get("commonHeaders"))
    return recipients(
        details.get(listed), mail.get("destination"), header_recipients(common), header_recipients(mail.get("headers"))
    )

from __future__ import annotations

from collections import Counter

import pytest

from event_pipeline.demo.mail import CONFIRMATION_MAIL, QR_MAIL, Funnel
from event_pipeline_tests.demo.reading import Demo, instant


def _messages(demo: Demo, mail_type: str) -> dict[str, set[str]]:
    """Messages of one kind, each under the steps that it reached."""
    steps: dict[str, set[str]] = {}
    for record in demo.records("email-events"):
        if record["mail_type"] == mail_type:
            steps.setdefault(record["event"], set()).add(record["message_id"])
    return steps


@pytest.mark.parametrize("funnel", [QR_MAIL, CONFIRMATION_MAIL], ids=lambda funnel: funnel.mail_type)
def test_mail_funnel_narrows_at_its_stated_rates(large: Demo, funnel: Funnel) -> None:
    steps = _messages(large, funnel.mail_type)
    assert steps["click"] < steps["open"] < steps["delivered"] < steps["sent"]
    assert not steps["bounce"] & steps["delivered"]
    # Mails of the last hours are still unread, so slightly fewer are open than will be.
    assert len(steps["open"]) / len(steps["delivered"]) == pytest.approx(funnel.opened, abs=0.025)
    assert len(steps["click"]) / len(steps["open"]) == pytest.approx(funnel.clicked, abs=0.025)
    assert len(steps["bounce"]) / len(steps["sent"]) == pytest.approx(funnel.bounced + 0.004, abs=0.005)


def test_mail_log_reaches_back_half_a_year_and_not_ahead(large: Demo) -> None:
    moments = [instant(record["occurred_at"]) for record in large.records("email-events")]
    ages = [(large.summary.as_of - moment).total_seconds() / 86_400 for moment in moments if moment]
    assert min(ages) >= 0
    assert 175 < max(ages) <= 181


def test_some_webhooks_are_delivered_twice_with_the_same_event_id(large: Demo) -> None:
    for stem, repeated in (
        ("email-events", large.summary.repeated_email_events),
        ("payment-events", large.summary.repeated_payment_events),
    ):
        seen = Counter(record["provider_event_id"] for record in large.records(stem))
        assert sum(count - 1 for count in seen.values()) == repeated > 0


def test_every_linked_mail_belongs_to_a_registration_and_its_event(large: Demo) -> None:
    linked = [record for record in large.records("email-events") if record["registration_id"]]
    assert all(large.documents[one["registration_id"]]["event_id"] == one["event_id"] for one in linked)
    kinds = {record["mail_type"] for record in large.records("email-events")}
    assert kinds == {"qr_code", "attendance_confirmation", "club_approval"}


def test_payments_agree_with_the_fee_and_status_of_their_registration(large: Demo) -> None:
    records = list(large.records("payment-events"))
    assert {record["status"] for record in records} == {"succeeded", "failed", "refunded"}
    for record in records:
        document = large.documents[record["registration_id"]]
        event = large.events.get(document["event_id"])
        if event is not None:
            assert record["amount_minor"] == int(str(event["payment_amount"]).removeprefix("₹")) * 100
        if record["status"] == "succeeded":
            assert document["payment_status"] == "verified"
        if record["status"] == "refunded":
            assert document["status"] in {"cancelled", "confirmed??"}

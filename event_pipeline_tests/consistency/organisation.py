"""The demo's organisation, and an event in it with every kind of difficult people."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from event_pipeline.sources.change import Change
from event_pipeline_tests.api.organisation import make_organisation
from event_pipeline_tests.oracle.account import Account, reported
from event_pipeline_tests.warehouse.documents import (
    changed,
    email_event,
    event,
    payment_event,
    qr_code,
    registration,
    scan,
    sheet_row,
)

HARD = "e1"
"""The event with teams, refunds, duplicates, cancelled people, another currency, walk-ins and shared addresses."""

_SEEN = {"attendance_status": "attended", "attendance_timestamp": "2025-06-08T04:50:00Z", "status": "attended"}
_TEAM = {"team_members": [{"name": "Bolt"}, {"name": "Nut"}], "team_name": "Bolts"}


def make_difficult_organisation(folder: Path) -> None:
    """The folder with everything made, as of AS_OF."""
    make_organisation(folder, difficult_changes())


def difficult_changes() -> list[Change]:
    """The documents of the event."""
    return [
        changed(
            "events", HARD, event(status="upcoming", requires_payment=True, payment_amount=150, max_participants=20)
        ),
        *_registrations(),
        changed("sheet_rows", "s/walk-in", sheet_row("walk-in", payment_verified="Yes", payment_amount="₹150")),
        changed("sheet_rows", "s/plain", sheet_row("plain", attendance_status="Attended")),
        changed("scans", "scan-team", scan(qr_code("team", "team"))),
        changed("scans", "scan-twice", scan(qr_code("twice-b", "twice"), "2025-06-08T04:45:00.000Z")),
        changed("scans", "scan-cancelled", scan(qr_code("cancelled", "cancelled"))),
        *(changed("email_events", f"sendgrid:{name}-{word}", email_event(name, name, word)) for name, word in _mails()),
        *_payments(),
    ]


def _registrations() -> list[Change]:
    paid, pending = {"payment_status": "verified", "payment_amount": 150}, {"payment_status": "pending"}
    shared = {"participant_email": "secretary@example.org"}
    people = {
        "plain": registration("plain", **paid),
        "team": registration("team", registration_type="team", additional_info=_TEAM, **paid),
        "twice-a": registration("twice", **pending),
        "twice-b": registration("twice", registration_date="2025-06-02T02:55:00.000Z", **paid),
        "cancelled": registration("cancelled", status="cancelled", **paid),
        "shared-a": registration("asha", **shared, **paid),
        "shared-b": registration("ravi", **shared, **_SEEN),
        "refunded": registration("refunded", **paid),
        "abroad": registration("abroad", **pending),
        "rejected": registration("rejected", payment_status="rejected", payment_amount=150),
    }
    return [changed("registrations", key, document) for key, document in people.items()]


def _mails() -> list[tuple[str, str]]:
    return [
        ("plain", "sent"), ("plain", "delivered"), ("plain", "open"), ("team", "delivered"), ("cancelled", "sent"),
        ("shared-a", "bounce"), ("twice-b", "click"),
    ]  # fmt: skip


def _payments() -> list[Change]:
    start = datetime(2025, 6, 4, 12, tzinfo=ZoneInfo("Asia/Kolkata"))
    whole, part = Account(1, "refunded", 15_000, "inr", start), Account(2, "team", 45_000, "inr", start)
    abroad = Account(3, "abroad", 2_000, "usd", start)
    for payment in (whole, part, abroad):
        payment.pay(None)
        payment.at += timedelta(days=1)
    whole.refund(15_000, "succeeded", is_told_by_charge=True)
    part.refund(15_000, "succeeded", is_told_by_charge=True)
    told = [reported(found) for payment in (whole, part, abroad) for found in payment.events]
    return [*told, changed("payment_events", "razorpay:twice", payment_event("twice-a", amount=15_000))]

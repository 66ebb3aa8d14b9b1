"""``GET events/{event_id}/payments``: an event's payments with who paid."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from event_pipeline.api.answers.common import Money, example


class Payment(BaseModel):
    """One payment with its person, what app and provider say of it, and why it needs a look."""

    payment_id: str
    registration_id: str | None
    person_name: str | None
    email: str | None
    method: str = Field(description="The provider, else app or sheet.")
    app_status: str | None = Field(description="What the app or the sheet marks.")
    provider_status: str | None = Field(description="What the provider says.")
    payment_status: str = Field(description="The state that counts.")
    amount: Money | None = Field(description="Received, else asked for; null when nothing says how much.")
    refunded: Money
    revenue: Money
    not_counted_reason: str | None = Field(description="Why not all of it is in the totals.")
    paid_at: datetime | None
    refunded_at: datetime | None
    discrepancies: list[str] = Field(description="Why a treasurer should look at it; empty when all agrees.")


class Payments(BaseModel):
    """A page of an event's payments, by their ids."""

    model_config = example(
        items=[{
            "payment_id": "stripe:pi_1", "registration_id": "-NxReg1", "person_name": "Asha Rao",
            "email": "asha@example.org", "method": "stripe", "app_status": "verified", "provider_status": "refunded",
            "payment_status": "refunded", "amount": {"amount_minor": 15000, "currency": "INR"},
            "refunded": {"amount_minor": 15000, "currency": "INR"}, "revenue": {"amount_minor": 0, "currency": "INR"},
            "not_counted_reason": "refunded", "paid_at": "2026-05-20T08:15:00Z", "refunded_at": "2026-05-28T10:00:00Z",
            "discrepancies": [],
        }],
        next_cursor=None,
    )  # fmt: skip

    items: list[Payment]
    next_cursor: str | None

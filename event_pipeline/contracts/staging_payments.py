"""Staging contracts of money: what each provider's payment came to, and since when hand marks have stood verified."""

from __future__ import annotations

from event_pipeline.contracts.contract import Column, Contract


def _derived(table: str, grain: str, key: tuple[str, ...], description: str, sources: tuple[str, ...], *columns: Column) -> Contract:  # fmt: skip
    return Contract("staging", table, grain, key, description, columns, sources)


PROVIDER_REFUNDS = _derived(
    "provider_refunds", "one row per amount given back by a provider", ("entry_id",),
    "Refunds that stand and disputes that are lost, from the latest state of each charge, refund and dispute.",
    ("staging.payment_events",),
    Column("entry_id", "string", "The payment's id, and that of the refund or dispute, else of the event that shows it.", nullable=False),
    Column("payment_id", "string", "{provider}:{payment id}.", nullable=False),
    Column("entry_kind", "string", "What gave it back.", nullable=False, allowed=("refund", "dispute")),
    Column("amount_minor", "int64", "Amount given back in minor units; together they may exceed what is known as paid.", nullable=False, minimum=1),
    Column("occurred_at", "timestamp", "When it was given back, as far as known.", nullable=False),
)  # fmt: skip

PROVIDER_PAYMENTS = _derived(
    "provider_payments", "one row per payment that a provider reported", ("payment_id",),
    "What each provider's payment came to; its session, intent and charges are one payment.",
    ("staging.payment_events", "staging.provider_refunds"),
    Column("payment_id", "string", "{provider}:{payment id}.", nullable=False),
    Column("provider", "string", "Payment provider.", nullable=False),
    Column("registration_id", "string", "Registration that any of its events names."),
    Column("event_id", "string", "Event that any of its events names."),
    Column("payment_status", "string", "State.", nullable=False, allowed=("pending", "verified", "failed", "refunded")),
    Column("amount_minor", "int64", "Received, else asked for, in minor units.", nullable=False, minimum=0),
    Column("received_minor", "int64", "Received, in minor units.", nullable=False, minimum=0),
    Column("refunded_minor", "int64", "Given back, lost disputes included, in minor units.", nullable=False, minimum=0),
    Column("currency", "string", "ISO 4217 code, upper case; empty when no event has one."),
    Column("is_disputed", "boolean", "A dispute or an inquiry is open.", nullable=False),
    Column("is_dispute_lost", "boolean", "A dispute was lost.", nullable=False),
    Column("paid_at", "timestamp", "When it was received."),
    Column("refunded_at", "timestamp", "When something of it was last given back."),
    Column("occurred_at", "timestamp", "When it was received, else when it was last reported.", nullable=False),
)  # fmt: skip

PAYMENT_VERIFICATIONS = _derived(
    "payment_verifications", "one row per document edited since it was marked as paid", ("collection", "document_id"),
    "When registrations and sheet rows of several versions were first seen paid, without a break since.",
    ("raw.firebase_registrations", "raw.sheets_rows"),
    Column("collection", "string", "registrations or sheet_rows.", nullable=False, allowed=("registrations", "sheet_rows")),
    Column("document_id", "string", "Registration or sheet row.", nullable=False, personal=True),
    Column("verified_at", "timestamp", "The document's update time then, else when that version was seen.", nullable=False),
)  # fmt: skip

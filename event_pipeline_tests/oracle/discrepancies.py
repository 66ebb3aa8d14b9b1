"""What a treasurer should look at: marks and providers that disagree, and money that should not be there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from event_pipeline_tests.oracle.fields import Row
from event_pipeline_tests.oracle.marts import Tables
from event_pipeline_tests.oracle.organisation import UNKNOWN, Organisation
from event_pipeline_tests.oracle.payments import Payments

_SHOWN = (
    "payment_id", "event_id", "registration_id", "user_id", "method", "app_status", "provider_status", "payment_status",
    "amount_minor", "revenue_minor", "currency", "paid_at", "occurred_at",
)  # fmt: skip
_BY_HAND = ("app", "sheet")


def rows(tables: Tables, payments: Payments, organisation: Organisation) -> list[Row]:
    """``marts.agg_payment_discrepancies``."""
    registrations = {row["registration_id"]: row for row in tables["core.fact_registrations"]}
    fees = {row["event_id"]: row["fee_minor"] for row in tables["core.dim_events"]}
    reported = {row["event_id"] for row in payments.rows if row["method"] not in _BY_HAND} - {UNKNOWN}
    standing = Counter(row["registration_id"] for row in payments.rows if _stands(row))
    found = []
    for row in payments.rows:
        registration = registrations.get(row["registration_id"])
        fee = fees.get(row["event_id"]) or None
        expected = None if fee is None else fee * (registration["team_size"] if registration else 1)
        is_twice = registration is not None and standing[row["registration_id"]] > 1
        kinds = [*_of_provider(row, row["event_id"] in reported, organisation), *_of_registration(row, registration)]
        kinds += ["paid_twice"] * (is_twice and _stands(row))
        is_own = row["currency"] == organisation.currency
        if fee is not None and _stands(row) and is_own and row["amount_minor"] not in (fee, expected):
            kinds.append("amount_differs_from_fee")
        for kind in kinds:
            found.append({name: row[name] for name in _SHOWN} | {"discrepancy": kind, "expected_minor": expected})
    return found


def _stands(row: Row) -> bool:
    """Whether money of it stands."""
    return row["payment_status"] == "verified" and row["revenue_minor"] > 0


def _of_provider(row: Row, is_reported: bool, organisation: Organisation) -> Iterator[str]:
    is_by_hand = row["method"] in _BY_HAND
    if _stands(row) and is_by_hand and is_reported:
        yield "marked_but_not_reported"
    if _stands(row) and not is_by_hand and row["app_status"] != "verified":
        yield "paid_but_not_marked"
    if row["is_disputed"]:
        yield "disputed"
    if _stands(row) and row["currency"] != organisation.currency:
        yield "other_currency"


def _of_registration(row: Row, registration: Row | None) -> Iterator[str]:
    if registration is not None and _stands(row):
        if registration["is_cancelled"]:
            yield "paid_for_cancelled"
        if registration["is_duplicate"]:
            yield "paid_for_duplicate"

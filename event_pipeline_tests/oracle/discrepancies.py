"""What a treasurer should look at: marks and providers that disagree, and money that should not be there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from event_pipeline_tests.oracle.fields import Row
from event_pipeline_tests.oracle.marts import Tables
from event_pipeline_tests.oracle.organisation import Organisation
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
    reported = {row["event_id"] for row in payments.rows if row["method"] not in _BY_HAND}
    standing = Counter(row["registration_id"] for row in payments.rows if row["payment_status"] == "verified")
    marked = {key for key, mark in payments.marks.items() if mark.status == "verified"}
    found = []
    for row in payments.rows:
        registration = registrations.get(row["registration_id"])
        fee = fees.get(row["event_id"])
        expected = None if fee is None else fee * (registration["team_size"] if registration else 1)
        for kind in _kinds(row, registration, fee, reported, standing, marked, organisation):
            found.append({name: row[name] for name in _SHOWN} | {"discrepancy": kind, "expected_minor": expected})
    return found


def _kinds(
    row: Row,
    registration: Row | None,
    fee: int | None,
    reported: set[str],
    standing: Mapping[str | None, int],
    marked: set[str],
    organisation: Organisation,
) -> list[str]:
    is_provided, is_verified = row["method"] not in _BY_HAND, row["payment_status"] == "verified"
    stands = is_verified and row["revenue_minor"] > 0
    is_home = row["currency"] == organisation.currency
    size = registration["team_size"] if registration else 1
    said = {
        "marked_but_not_reported": not is_provided and row["app_status"] == "verified" and row["event_id"] in reported,
        "paid_but_not_marked": is_provided and is_verified and row["registration_id"] not in marked,
        "amount_differs_from_fee": is_verified
        and is_home
        and bool(fee)
        and row["amount_minor"] not in (fee, fee * size if fee else None),
        "paid_twice": is_verified and row["registration_id"] is not None and standing[row["registration_id"]] > 1,
        "paid_for_cancelled": stands and registration is not None and registration["is_cancelled"],
        "paid_for_duplicate": stands and registration is not None and registration["is_duplicate"],
        "disputed": row["is_disputed"],
        "other_currency": stands and not is_home,
    }
    return [kind for kind, holds in said.items() if holds]

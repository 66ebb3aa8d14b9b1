"""Money: what each event took in, each currency by itself, and what a treasurer should look at."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
from ibis import _

from event_pipeline.contracts.contract import UNKNOWN
from event_pipeline.contracts.marts import AGG_PAYMENT_DISCREPANCIES
from event_pipeline.models.locale import Locale
from event_pipeline.models.marts.measures import sum_where


def agg_event_revenue(fact_payment_entries: ir.Table) -> ir.Table:
    """One row per event, day and currency on which money moved. From core.fact_payment_entries."""
    return fact_payment_entries.group_by("event_id", "currency", date=_.occurred_date).agg(
        paid_minor=sum_where(_.amount_minor > 0, _.amount_minor),
        refunded_minor=sum_where(_.amount_minor < 0, -_.amount_minor),
        revenue_minor=_.amount_minor.sum(),
    )


def agg_payment_discrepancies(
    dim_events: ir.Table, fact_registrations: ir.Table, fact_payments: ir.Table, *, locale: Locale
) -> ir.Table:
    """One row per payment and kind of discrepancy.

    From core.dim_events for the fee, core.fact_registrations for whom it is, and core.fact_payments.
    """
    found = _judged(dim_events, fact_registrations, fact_payments)
    stands = (found.payment_status == "verified") & (found.revenue_minor > 0)
    is_by_hand = found.method.isin(["app", "sheet"])
    is_own = found.currency == locale.currency
    # A team pays once, or once for each of its people.
    is_fee = (found.amount_minor == found._fee) | (found.amount_minor == found.expected_minor)
    kinds = {
        "marked_but_not_reported": stands & is_by_hand & (found.event_id != UNKNOWN) & found._is_reported.notnull(),
        "paid_but_not_marked": stands & ~is_by_hand & (found.app_status.fill_null("") != "verified"),
        "amount_differs_from_fee": stands & is_own & (found._fee > 0) & ~is_fee,
        "paid_twice": stands & (found._standing > 1),
        "paid_for_cancelled": stands & found._is_cancelled,
        "paid_for_duplicate": stands & found._is_duplicate,
        "disputed": found.is_disputed,
        "other_currency": stands & ~is_own,
    }
    nothing = ibis.null("string")
    named = [ibis.ifelse(holds.fill_null(False), kind, nothing) for kind, holds in kinds.items()]
    rows = found.mutate(discrepancy=ibis.array(named)).unnest("discrepancy")
    return rows.filter(rows.discrepancy.notnull()).select(*AGG_PAYMENT_DISCREPANCIES.column_names)


def _judged(dim_events: ir.Table, fact_registrations: ir.Table, fact_payments: ir.Table) -> ir.Table:
    """The payments with the event's fee, the registration's state and how many of its payments stand."""
    fees = dim_events.select("event_id", _fee=dim_events.fee_minor)
    registered = fact_registrations.select(
        "registration_id", "team_size", _is_cancelled=_.is_cancelled, _is_duplicate=_.is_duplicate
    )
    of_providers = fact_payments.filter(~_.method.isin(["app", "sheet"]))
    reported = of_providers.group_by("event_id").agg(_is_reported=_.count())
    standing = (
        fact_payments.filter((_.payment_status == "verified") & (_.revenue_minor > 0) & _.registration_id.notnull())
        .group_by("registration_id")
        .agg(_standing=_.count())
    )
    joined = fact_payments
    for part, key in (
        (fees, "event_id"), (reported, "event_id"), (registered, "registration_id"), (standing, "registration_id"),
    ):  # fmt: skip
        joined = joined.left_join(part, key).drop(f"{key}_right")
    expected = joined._fee.nullif(0) * joined.team_size.fill_null(1)
    return joined.mutate(expected_minor=expected.cast("int64"))

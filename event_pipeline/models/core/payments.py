"""Payments: one row each with what the app, a sheet and the provider say; and the money they moved, day by day."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from event_pipeline.contracts import core
from event_pipeline.contracts.contract import UNKNOWN
from event_pipeline.models.locale import Locale
from event_pipeline.models.parsers import local_date

_SETTLED = ["verified", "refunded"]


def fact_payments(
    resolved_registrations: ir.Table,
    provider_payments: ir.Table,
    sheet_corrections: ir.Table,
    payment_verifications: ir.Table,
    events: ir.Table,
    locale: Locale,
) -> ir.Table:
    """One row per payment. From resolved registrations, provider payments, sheet corrections, verifications, events.

    A mark made by hand and the provider's report of the same payment are one row; the provider's word counts.
    """
    provided = _provided(provider_payments, resolved_registrations, events, locale)
    marked = _marked(resolved_registrations, sheet_corrections, payment_verifications, events, locale)
    heads = _heads(provided)
    beside = marked.left_join(heads, "registration_id").drop("registration_id_right")
    is_same = beside._head_id.notnull() & (beside._is_head_settled | (beside.app_status != "verified"))
    # A sheet's word adds nothing to what the provider received: an uploaded workbook repeats what it was made from.
    said = ibis.ifelse(beside._is_head_settled, beside._app_status, beside.app_status)
    same = beside.filter(is_same).select(payment_id=beside._head_id, app_status=said)
    by_hand = beside.filter(~is_same).mutate(provider_status=beside._head_status)
    told = provided.left_join(same, "payment_id").drop("payment_id_right")
    names = [name for name in told.columns if name in by_hand.columns]
    payments = ibis.union(by_hand.select(*names), told.select(*names))
    paid = payments.mutate(
        paid_date=local_date(payments.paid_at, locale.time_zone),
        refunded_date=local_date(payments.refunded_at, locale.time_zone),
        occurred_date=local_date(payments.occurred_at, locale.time_zone),
        not_counted_reason=_reason(payments, locale),
    )
    return paid.select(*core.FACT_PAYMENTS.column_names)


def _reason(payments: ir.Table, locale: Locale) -> ir.StringValue:
    is_part = payments.refunded_minor > 0
    return ibis.cases(
        (payments.payment_status.isin(["pending", "rejected", "failed"]), payments.payment_status),
        (is_part & payments.is_dispute_lost, "dispute_lost"),
        (payments.payment_status == "refunded", "refunded"),
        (payments.currency != locale.currency, "other_currency"),
        (is_part, "partly_refunded"),
        (payments.amount_minor.isnull(), "no_amount"),
        else_=ibis.null("string"),
    )


def _heads(provided: ir.Table) -> ir.Table:
    """Of each registration the payment that its mark is about: the first that was received, else the last attempt."""
    known = provided.filter(provided.registration_id.notnull())
    is_settled = known.payment_status.isin(_SETTLED)
    nothing = ibis.null("timestamp('UTC')")
    ordered = known.mutate(
        _is_attempt=~is_settled,
        _settled_at=ibis.ifelse(is_settled, known.occurred_at, nothing),
        _tried_at=ibis.ifelse(is_settled, nothing, known.occurred_at),
    )
    rank = ibis.row_number().over(
        group_by="registration_id", order_by=["_is_attempt", "_settled_at", ibis.desc("_tried_at"), "payment_id"]
    )
    ranked = ordered.mutate(_rank=rank)
    return ranked.filter(ranked._rank == 0).select(
        "registration_id",
        _head_id=ranked.payment_id,
        _head_status=ranked.provider_status,
        _is_head_settled=~ranked._is_attempt,
    )


def _marked(
    registrations: ir.Table, corrections: ir.Table, verifications: ir.Table, events: ir.Table, locale: Locale
) -> ir.Table:
    """What the app says of payments checked by hand, and those an organiser marked as paid in the sheet."""
    of_app = verifications.filter(verifications.collection == "registrations")
    of_app = of_app.select(registration_id=of_app.document_id, _verified_at=of_app.verified_at)
    fees = events.select("event_id", _fee=events.fee_minor)
    joined = registrations.left_join(fees, "event_id").drop("event_id_right")
    for part in (_typed(corrections, verifications), of_app):
        joined = joined.left_join(part, "registration_id").drop("registration_id_right")
    paid = joined.filter(joined.payment_status.notnull() | joined._typed_at.notnull())
    is_typed = paid._typed_at.notnull()
    is_sheet = is_typed | paid.is_walk_in
    marked = paid.mutate(
        _app_status=paid.payment_status,
        app_status=ibis.ifelse(is_typed, "verified", paid.payment_status),
        amount_minor=ibis.coalesce(paid.amount_minor, paid._typed_amount, paid._fee),
        is_amount_from_event=paid.amount_minor.isnull() & paid._typed_amount.isnull() & paid._fee.notnull(),
    )
    is_verified = marked.app_status == "verified"
    verified_at = ibis.coalesce(marked._typed_at, marked._verified_at, marked.updated_at, marked.registered_at)
    nothing = ibis.null("timestamp('UTC')")
    return marked.select(
        "registration_id", "event_id", "user_id", "app_status", "amount_minor", "is_amount_from_event",
        _app_status=marked._app_status,
        payment_id=ibis.ifelse(is_sheet, "sheet:", "app:") + marked.registration_id,
        method=ibis.ifelse(is_sheet, "sheet", "app"),
        payment_status=marked.app_status,
        refunded_minor=ibis.literal(0, type="int64"),
        revenue_minor=ibis.ifelse(is_verified, marked.amount_minor.fill_null(0), 0).cast("int64"),
        currency=ibis.literal(locale.currency),
        is_disputed=ibis.literal(False),
        is_dispute_lost=ibis.literal(False),
        paid_at=ibis.ifelse(is_verified, verified_at, nothing),
        refunded_at=nothing,
        occurred_at=ibis.ifelse(is_verified, verified_at, ibis.coalesce(marked.updated_at, marked.registered_at)),
    )  # fmt: skip


def _typed(corrections: ir.Table, verifications: ir.Table) -> ir.Table:
    """Registrations that a sheet says are paid, since when and how much where it says so."""
    of_sheets = verifications.filter(verifications.collection == "sheet_rows")
    of_sheets = of_sheets.select(sheet_row_id=of_sheets.document_id, _verified_at=of_sheets.verified_at)
    typed = corrections.filter(corrections.correction == "payment").left_join(of_sheets, "sheet_row_id")
    at = ibis.coalesce(typed._verified_at, typed.occurred_at)
    return typed.group_by("registration_id").agg(
        _typed_at=at.min(), _typed_amount=typed.corrected_value.try_cast("int64").max()
    )


def _provided(payments: ir.Table, registrations: ir.Table, events: ir.Table, locale: Locale) -> ir.Table:
    """Providers' payments with the registration and event that they are for, as far as these exist."""
    known = registrations.select(_known=ibis._.registration_id, _event=ibis._.event_id, _user=ibis._.user_id)
    existing = events.select(_existing=ibis._.event_id)
    joined = payments.left_join(known, payments.registration_id == known._known)
    joined = joined.left_join(existing, joined.event_id == existing._existing)
    return joined.select(
        "payment_id", "payment_status", "amount_minor", "refunded_minor", "is_disputed", "is_dispute_lost", "paid_at",
        "refunded_at", "occurred_at",
        registration_id=joined._known,
        event_id=ibis.coalesce(joined._event, joined._existing, UNKNOWN),
        user_id=ibis.coalesce(joined._user, UNKNOWN),
        method=joined.provider,
        provider_status=ibis.ifelse(
            joined.is_disputed & (joined.payment_status != "refunded"), "disputed", joined.payment_status
        ),
        revenue_minor=(joined.received_minor - joined.refunded_minor).cast("int64"),
        currency=ibis.coalesce(joined.currency, locale.currency),
        is_amount_from_event=ibis.literal(False),
    )  # fmt: skip


def fact_payment_entries(fact_payments: ir.Table, provider_refunds: ir.Table, locale: Locale) -> ir.Table:
    """One row per movement of money. From core.fact_payments and staging.provider_refunds.

    Of what was given back no more counts than was received, the earliest first.
    """
    paid = fact_payments.mutate(_paid=fact_payments.revenue_minor + fact_payments.refunded_minor)
    paid = paid.filter(paid._paid > 0)
    about = ("payment_id", "registration_id", "event_id", "user_id", "currency")
    received = paid.select(
        *about, "occurred_at", entry_id=paid.payment_id + "/payment", entry_kind=ibis.literal("payment"),
        amount_minor=paid._paid,
    )  # fmt: skip
    back = provider_refunds.join(paid.select(*about, "_paid"), "payment_id")
    until_then = ibis.cumulative_window(group_by="payment_id", order_by=["occurred_at", "entry_id"])
    summed = back.mutate(_until=back.amount_minor.sum().over(until_then))
    before = summed.mutate(_before=ibis.least(summed._until - summed.amount_minor, summed._paid))
    amount = before._before - ibis.least(before._until, before._paid)
    returned = before.mutate(amount_minor=amount.cast("int64"))
    returned = returned.filter(returned.amount_minor < 0).select(*received.columns)
    moved = ibis.union(received, returned)
    dated = moved.mutate(occurred_date=local_date(moved.occurred_at, locale.time_zone))
    return dated.select(*core.FACT_PAYMENT_ENTRIES.column_names)

"""Payments: checked by hand in the app, typed into a sheet, or reported by a provider."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from event_pipeline.contracts import core
from event_pipeline.contracts.contract import UNKNOWN
from event_pipeline.models.locale import Locale
from event_pipeline.models.parsers import local_date


def fact_payments(
    resolved_registrations: ir.Table,
    payment_events: ir.Table,
    sheet_corrections: ir.Table,
    events: ir.Table,
    locale: Locale,
) -> ir.Table:
    """One row per payment. From staging.resolved_registrations, payment_events, sheet_corrections and events.

    A provider's payment outranks the app's hand-checked mark for the same registration, so no money counts twice;
    the mark on a duplicate registration is no money either.
    """
    provided = _provided(payment_events, resolved_registrations, events, locale)
    settled = provided.filter(
        provided.payment_status.isin(["verified", "refunded"]) & provided.registration_id.notnull()
    )
    settled = settled.select("registration_id").distinct().mutate(_settled=ibis.literal(True))
    marked = _marked(resolved_registrations, sheet_corrections, events, locale)
    joined = marked.left_join(settled, "registration_id").drop("registration_id_right")
    counts = (joined.payment_status == "verified") & ~joined.is_duplicate & joined._settled.isnull()
    by_hand = joined.mutate(revenue_minor=ibis.ifelse(counts, joined.amount_minor.fill_null(0), 0).cast("int64"))
    names = core.FACT_PAYMENTS.column_names
    payments = ibis.union(by_hand.drop("_settled", "is_duplicate"), provided)
    return payments.mutate(occurred_date=local_date(payments.occurred_at, locale.time_zone)).select(*names)


def _marked(registrations: ir.Table, corrections: ir.Table, events: ir.Table, locale: Locale) -> ir.Table:
    """The app's hand-checked payments, and those an organiser marked as paid in the sheet."""
    typed = corrections.filter(corrections.correction == "payment").group_by("registration_id")
    typed = typed.agg(_typed_at=corrections.occurred_at.min())
    fees = events.select("event_id", _fee=events.fee_minor)
    joined = registrations.left_join(fees, "event_id").drop("event_id_right")
    joined = joined.left_join(typed, "registration_id").drop("registration_id_right")
    is_typed = joined._typed_at.notnull()
    paid = joined.filter(joined.payment_status.notnull() | is_typed)
    is_typed = paid._typed_at.notnull()
    is_sheet = is_typed | paid.is_walk_in
    return paid.select(
        payment_id=ibis.ifelse(is_sheet, "sheet:", "app:") + paid.registration_id,
        registration_id=paid.registration_id,
        event_id=paid.event_id,
        user_id=paid.user_id,
        method=ibis.ifelse(is_sheet, "sheet", "app"),
        payment_status=ibis.ifelse(is_typed, "verified", paid.payment_status),
        amount_minor=ibis.coalesce(paid.amount_minor, paid._fee),
        refunded_minor=ibis.literal(0, type="int64"),
        currency=ibis.literal(locale.currency),
        is_amount_from_event=paid.amount_minor.isnull() & paid._fee.notnull(),
        occurred_at=ibis.coalesce(paid._typed_at, paid.updated_at, paid.registered_at),
        is_duplicate=paid.is_duplicate,
    )


def _provided(payment_events: ir.Table, registrations: ir.Table, events: ir.Table, locale: Locale) -> ir.Table:
    """Payments as their provider's events add up to: paid once, less what was given back."""
    e = payment_events
    latest = e.mutate(_order=ibis.struct({"at": e.occurred_at, "id": e.payment_event_id}))
    summed = latest.group_by("provider", "payment_id").agg(
        _registration=latest.registration_id.max(),
        _named_event=latest.event_id.max(),
        _paid=latest.amount_minor.max(where=latest.payment_event == "succeeded"),
        _tried=latest.amount_minor.max(),
        _given_back=latest.amount_minor.sum(where=latest.payment_event == "refunded"),
        _last=latest.payment_event.argmax(latest._order),
        currency=latest.currency.argmax(latest._order),
        occurred_at=latest.occurred_at.max(),
    )
    known = registrations.select("registration_id", _event=ibis._.event_id, _user=ibis._.user_id)
    existing = events.select("event_id", _existing=ibis._.event_id)
    joined = summed.left_join(known, summed._registration == known.registration_id)
    joined = joined.left_join(existing, joined._named_event == existing.event_id)
    refunded = ibis.coalesce(joined._given_back, 0)
    paid = ibis.coalesce(joined._paid, 0)
    settled = joined.mutate(
        _refunded=ibis.ifelse(paid > 0, ibis.least(refunded, paid), refunded).cast("int64"), _paid=paid.cast("int64")
    )
    return settled.select(
        payment_id=settled.provider + ":" + settled.payment_id,
        registration_id=settled.registration_id,
        event_id=ibis.coalesce(settled._event, settled._existing, UNKNOWN),
        user_id=ibis.coalesce(settled._user, UNKNOWN),
        method=settled.provider,
        payment_status=ibis.cases(
            ((settled._refunded > 0) & (settled._refunded >= settled._paid), "refunded"),
            (settled._paid > 0, "verified"),
            (settled._last == "succeeded", "verified"),
            (settled._last == "failed", "failed"),
            else_="pending",
        ),
        amount_minor=ibis.ifelse(settled._paid > 0, settled._paid, settled._tried),
        refunded_minor=settled._refunded,
        currency=ibis.coalesce(settled.currency.upper(), locale.currency),
        is_amount_from_event=ibis.literal(False),
        occurred_at=settled.occurred_at,
        revenue_minor=ibis.greatest(settled._paid - settled._refunded, 0).cast("int64"),
    )

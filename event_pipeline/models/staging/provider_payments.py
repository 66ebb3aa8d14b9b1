"""Staging model of what providers' payments came to: the latest state of each charge, refund and dispute counts."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from event_pipeline.models.staging.payment_states import ATTEMPTS, latest_currency, of_payments


def provider_payments(payment_events: ir.Table, provider_refunds: ir.Table) -> ir.Table:
    """One row per payment that a provider reported. From staging.payment_events and staging.provider_refunds.

    What was received is what the charge or the intent says, else the session. Where only refunds are known, as much was
    received as was given back.
    """
    events = of_payments(payment_events)
    joined = _reported(events)
    for part in (_charged(events), _disputed(events), _given_back(provider_refunds)):
        joined = joined.left_join(part, "payment_key").drop("payment_key_right")
    received = ibis.greatest(joined._charged.fill_null(0), joined._received.fill_null(0))
    known = joined.mutate(
        _known=ibis.coalesce(received.nullif(0), joined._of_session, 0), _back=joined._back.fill_null(0)
    )
    is_only_refund = (known._known == 0) & (known._last.fill_null("") != "failed")
    paid = known.mutate(_paid=ibis.ifelse(is_only_refund, known._back, known._known).cast("int64"))
    capped = paid.mutate(_refunded=ibis.least(paid._back, paid._paid).cast("int64"))
    status = ibis.cases(
        ((capped._refunded > 0) & (capped._refunded >= capped._paid), "refunded"),
        ((capped._paid > 0) | capped._is_succeeded.fill_null(False), "verified"),
        (capped._last == "failed", "failed"),
        else_="pending",
    )
    nothing = ibis.null("timestamp('UTC')")
    stated = capped.mutate(payment_status=status)
    is_settled = stated.payment_status.isin(["verified", "refunded"])
    dated = stated.mutate(
        paid_at=ibis.ifelse(is_settled, ibis.coalesce(stated._paid_at, stated._shown_at), nothing),
        refunded_at=ibis.ifelse(stated._refunded > 0, stated._back_at, nothing),
    )
    return dated.select(
        payment_id=dated.payment_key,
        provider=dated.provider,
        registration_id=dated.registration_id,
        event_id=dated.event_id,
        payment_status=dated.payment_status,
        amount_minor=ibis.ifelse(dated._paid > 0, dated._paid, dated._tried),
        received_minor=dated._paid,
        refunded_minor=dated._refunded,
        currency=dated.currency,
        is_disputed=dated._is_open.fill_null(False),
        is_dispute_lost=dated._is_lost.fill_null(False),
        paid_at=dated.paid_at,
        refunded_at=dated.refunded_at,
        occurred_at=ibis.coalesce(dated.paid_at, dated.refunded_at, dated._reported_at),
    )


def _reported(events: ir.Table) -> ir.Table:
    """One row per payment with what its session, its intent and events without an object say."""
    kind, said = events.object_type, events.payment_event
    captured = ibis.coalesce(events.captured_minor, ibis.ifelse(said == "succeeded", events.amount_minor, 0))
    is_attempt = kind.isin(ATTEMPTS)
    is_succeeded = kind.isin(["payment", "session"]) & (said == "succeeded")
    # Of one second, what failed or was cancelled comes after what it was tried with.
    attempt = ibis.struct({"at": events.occurred_at, "failed": (said == "failed").cast("int64"), "of": events._order})
    shown_at = ibis.coalesce(events.object_created_at, events.occurred_at)
    shown_at = ibis.ifelse(kind == "charge", shown_at, events.occurred_at)
    return events.group_by("payment_key").agg(
        provider=events.provider.max(),
        registration_id=events.registration_id.max(),
        event_id=events.event_id.max(),
        currency=ibis.coalesce(
            events.currency.upper().argmax(events._order, where=events.currency.notnull() & is_attempt),
            latest_currency(events),
        ),
        _received=captured.max(where=kind == "payment"),
        _of_session=captured.max(where=kind == "session"),
        _tried=ibis.coalesce(events.amount_minor.max(where=is_attempt), events.amount_minor.max()),
        _last=said.argmax(attempt, where=is_attempt),
        _is_succeeded=is_succeeded.any(),
        _paid_at=events.paid_at.min(),
        _shown_at=shown_at.min(where=is_succeeded | (is_attempt & (captured > 0))),
        _reported_at=ibis.coalesce(events.occurred_at.max(where=is_attempt), events.occurred_at.max()),
    )


def _charged(events: ir.Table) -> ir.Table:
    """What each payment's charges received, at their latest state."""
    charges = events.filter(events.object_type == "charge")
    captured = ibis.coalesce(
        charges.captured_minor, ibis.ifelse(charges.payment_event == "succeeded", charges.amount_minor, 0)
    )
    latest = charges.group_by("payment_key", "object_key").agg(_captured=captured.argmax(charges._order))
    return latest.group_by("payment_key").agg(_charged=latest._captured.sum())


def _disputed(events: ir.Table) -> ir.Table:
    disputes = events.filter(events.object_type == "dispute")
    latest = disputes.group_by("payment_key", "object_key").agg(_state=disputes.payment_event.argmax(disputes._order))
    return latest.group_by("payment_key").agg(
        _is_open=(latest._state == "open").any(), _is_lost=(latest._state == "lost").any()
    )


def _given_back(refunds: ir.Table) -> ir.Table:
    return refunds.group_by(payment_key=refunds.payment_id).agg(
        _back=refunds.amount_minor.sum(), _back_at=refunds.occurred_at.max()
    )

"""Staging model of what providers gave back: refunds that stand and disputes that are lost."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from event_pipeline.models.staging.payment_states import ATTEMPTS, latest_currency, of_payments

_BACK = ["pending", "succeeded", "refunded"]
"""States of a refund that stands; a pending one has left the provider's balance already."""


def provider_refunds(payment_events: ir.Table) -> ir.Table:
    """One row per refund that stands and per lost dispute. From staging.payment_events.

    What a charge shows as given back outranks older states of its refunds, so a refund counts whose own event never
    came, and one that failed does not. Refunds of which nobody but the charge knows count on the day it showed them.
    """
    events = of_payments(payment_events)
    return ibis.union(_refunds(events), _lost_disputes(events))


def _refunds(events: ir.Table) -> ir.Table:
    refunds = _latest_refunds(events)
    shown = _shown_by_charges(events, refunds.filter(~refunds.is_back))
    charges = _charges(events)
    totals = charges.group_by("payment_key").agg(
        _since=charges.occurred_at.min(),
        _until=charges.occurred_at.max(),
        _released=(charges.amount_minor - charges.captured_minor).max(),
    )
    in_all = shown.group_by("payment_key").agg(_shown=shown.amount_minor.sum())
    standing = refunds.filter(refunds.is_back & (refunds.amount_minor > 0))
    known = standing.left_join(totals, "payment_key").drop("payment_key_right")
    is_after = (known.occurred_at > known._until).fill_null(True)
    after = known.filter(is_after)
    # What a charge releases as it is captured in part may be told as a refund too.
    is_release = (known.amount_minor == known._released) & (known.occurred_at <= known._since)
    before = known.filter(~is_after & ~is_release.fill_null(False))
    # What was said of a refund after the charge's last word, or in the same second, holds beside it.
    late = before.group_by("payment_key").agg(_late=before.amount_minor.sum(where=before.last_at >= before._until))
    points = ibis.union(
        _points(before, before.object_key, "refund", before.amount_minor, 0),
        _points(shown, shown.payment_event_id, "charge", 0, shown.amount_minor),
    )
    points = points.left_join(in_all, "payment_key").drop("payment_key_right")
    points = points.left_join(late, "payment_key").drop("payment_key_right")
    return ibis.union(_steps(points), _points(after, after.object_key, "refund", after.amount_minor, 0)).select(
        entry_id=ibis._.payment_key + "/" + ibis._.named_by + "/" + ibis._.named,
        payment_id=ibis._.payment_key,
        entry_kind=ibis.literal("refund"),
        amount_minor=ibis._.known,
        occurred_at=ibis._.occurred_at,
    )


def _points(
    table: ir.Table, named: ir.StringValue, named_by: str, known: ir.Value | int, shown: ir.Value | int
) -> ir.Table:
    """Moments at which something was given back: as its refund says (``known``), or as its charge shows (``shown``)."""
    return table.select(
        "payment_key", "occurred_at", named=named, named_by=ibis.literal(named_by),
        known=ibis.literal(known).cast("int64") if isinstance(known, int) else known.cast("int64"),
        shown=ibis.literal(shown).cast("int64") if isinstance(shown, int) else shown.cast("int64"),
    )  # fmt: skip


def _steps(points: ir.Table) -> ir.Table:
    """What each moment added to the amount given back until then, by whoever knew more; never beyond what stands."""
    until_then = ibis.cumulative_window(
        group_by="payment_key", order_by=["occurred_at", ibis.desc("named_by"), "named"]
    )
    summed = points.mutate(
        _known_until=points.known.sum().over(until_then), _shown_until=points.shown.sum().over(until_then)
    )
    most = ibis.greatest(summed._shown.fill_null(0), summed._late.fill_null(0))
    level = summed.mutate(_level=ibis.least(ibis.greatest(summed._known_until, summed._shown_until), most))
    in_order = ibis.window(group_by="payment_key", order_by=["occurred_at", ibis.desc("named_by"), "named"])
    stepped = level.mutate(_step=(level._level - level._level.lag().over(in_order).fill_null(0)).cast("int64"))
    stepped = stepped.filter(stepped._step > 0)
    return stepped.select("payment_key", "occurred_at", "named", "named_by", known=stepped._step, shown=stepped.shown)


def _latest_refunds(events: ir.Table) -> ir.Table:
    """One row per refund: whether it stands, its amount, when it was made, last told of and first told to be off."""
    refunds = events.filter(events.object_type == "refund")
    is_back = refunds.payment_event.isin(_BACK)
    latest = refunds.group_by("payment_key", "object_key").agg(
        _state=refunds.payment_event.argmax(refunds._order),
        amount_minor=refunds.amount_minor.argmax(refunds._order),
        _made_at=refunds.object_created_at.min(),
        _seen_at=refunds.occurred_at.min(where=is_back),
        failed_at=refunds.occurred_at.min(where=~is_back),
        last_at=refunds.occurred_at.max(),
    )
    return latest.select(
        "payment_key", "object_key", "amount_minor", "failed_at", "last_at",
        is_back=latest._state.isin(_BACK), occurred_at=ibis.coalesce(latest._made_at, latest._seen_at),
    )  # fmt: skip


def _charges(events: ir.Table) -> ir.Table:
    """States of captured charges that tell what was given back."""
    is_captured = (events.object_type == "charge") & (events.captured_minor > 0) & events.refunded_minor.notnull()
    return events.filter(is_captured)


def _shown_by_charges(events: ir.Table, failed: ir.Table) -> ir.Table:
    """One row per state of a charge that added to what is given back in the end, with what it added."""
    charges = _charges(events)
    off = failed.select(
        "payment_key", _began_at=failed.occurred_at, _failed_at=failed.failed_at, _off=failed.amount_minor
    )
    beside = charges.join(off, "payment_key")
    # The charge shows a refund from its beginning until it fails; one that a charge's own event took off is off.
    is_within = (beside._began_at <= beside.occurred_at).fill_null(True)
    is_later = (beside._failed_at > beside.occurred_at) | (
        (beside._failed_at == beside.occurred_at) & (beside.returned_minor.fill_null(0) == 0)
    )
    taken = beside.filter(is_within & is_later).group_by("payment_event_id").agg(_off=ibis._._off.sum())
    joined = charges.left_join(taken, "payment_event_id").drop("payment_event_id_right")
    off_now = ibis.greatest(joined._off.fill_null(0) - joined.returned_minor.fill_null(0), 0)
    net = joined.mutate(_net=joined.refunded_minor - ibis.ifelse(off_now <= joined.refunded_minor, off_now, 0))
    # Nothing is given back for long that a later state does not show any more.
    latest_first = [ibis.desc("_at"), ibis.desc("_rank"), ibis.desc("payment_event_id")]
    later = ibis.cumulative_window(group_by=["payment_key", "object_key"], order_by=latest_first)
    ranked = net.mutate(_at=net.occurred_at, _rank=net.state_order.fill_null(0))
    lasting = ranked.mutate(_level=ranked._net.min().over(later))
    order = ibis.window(group_by=["payment_key", "object_key"], order_by=["_at", "_rank", "payment_event_id"])
    added = lasting.mutate(_added=lasting._level - lasting._level.lag().over(order).fill_null(0))
    added = added.filter(added._added > 0)
    return added.select("payment_key", "payment_event_id", "occurred_at", amount_minor=added._added.cast("int64"))


def _lost_disputes(events: ir.Table) -> ir.Table:
    disputes = events.filter(events.object_type == "dispute")
    is_lost = disputes.payment_event == "lost"
    last_other = ibis.ifelse(is_lost, ibis.null("timestamp('UTC')"), disputes.occurred_at).max()
    told = disputes.mutate(_other_at=last_other.over(ibis.window(group_by=["payment_key", "object_key"])))
    since = (told.payment_event == "lost") & (told.occurred_at >= told._other_at).fill_null(True)
    latest = told.group_by("payment_key", "object_key").agg(
        _state=told.payment_event.argmax(told._order),
        amount_minor=told.amount_minor.argmax(told._order),
        _currency=latest_currency(told),
        occurred_at=told.occurred_at.min(where=since),
    )
    lost = latest.filter((latest._state == "lost") & (latest.amount_minor > 0))
    asked = _asked(events)
    lost = lost.left_join(asked, "payment_key").drop("payment_key_right")
    # An amount of another currency cannot be taken off: whatever was left of the payment is lost.
    is_foreign = (lost._currency != lost._asked_in).fill_null(False)
    return lost.select(
        entry_id=lost.payment_key + "/dispute/" + lost.object_key,
        payment_id=lost.payment_key,
        entry_kind=ibis.literal("dispute"),
        amount_minor=ibis.ifelse(is_foreign, ibis.greatest(lost._asked, 1), lost.amount_minor),
        occurred_at=lost.occurred_at,
    )


def _asked(events: ir.Table) -> ir.Table:
    """The largest amount each payment was tried with, and in which currency."""
    attempts = events.filter(events.object_type.isin(ATTEMPTS))
    return attempts.group_by("payment_key").agg(_asked=attempts.amount_minor.max(), _asked_in=latest_currency(attempts))

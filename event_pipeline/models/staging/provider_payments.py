"""Staging models of what providers' payments came to: the latest state of each charge, refund and dispute counts."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

_BACK = ["pending", "succeeded", "refunded"]
"""States of a refund that stands; a pending one has left the provider's balance already."""


def provider_refunds(payment_events: ir.Table) -> ir.Table:
    """One row per refund that stands and per lost dispute. From staging.payment_events.

    What a charge shows as given back outranks older states of its refunds, so a refund counts whose own event never
    came, and one that failed does not. Refunds of which nobody but the charge knows count on the day it showed them.
    """
    events = _of_payments(payment_events)
    return ibis.union(_refunds(events), _lost_disputes(events))


def provider_payments(payment_events: ir.Table, provider_refunds: ir.Table) -> ir.Table:
    """One row per payment that a provider reported. From staging.payment_events and staging.provider_refunds.

    What was received is what the charge or the intent says, else the session. Where only refunds are known, as much was
    received as was given back.
    """
    events = _of_payments(payment_events)
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


def _of_payments(events: ir.Table) -> ir.Table:
    """The events with their ``payment_key``; ``_order`` tells which state of an object is the latest.

    What names a session or a charge belongs to the payment that this session or charge names.
    """
    naming = events.filter(
        events.object_type.isin(["session", "charge"]) & (events.object_id != events.payment_id).fill_null(False)
    )
    named = naming.group_by("provider", _named=naming.object_id).agg(_payment=naming.payment_id.max())
    joined = events.left_join(named, [events.provider == named.provider, events.payment_id == named._named])
    payment = ibis.coalesce(joined._payment, joined.payment_id)
    order = {"at": joined.occurred_at, "order": joined.state_order.fill_null(0), "id": joined.payment_event_id}
    is_refund = joined.object_type.isnull() & (joined.payment_event == "refunded")
    return joined.mutate(
        payment_key=joined.provider + ":" + payment,
        object_type=ibis.coalesce(joined.object_type, ibis.ifelse(is_refund, "refund", "payment")),
        # A refund without an id of its own is another one than those before.
        object_key=ibis.coalesce(
            ibis.ifelse(is_refund, ibis.null("string"), joined.object_id), joined.payment_event_id
        ),
        _order=ibis.struct(order),
    ).drop("_named", "_payment", "provider_right")


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
        occurred_at=told.occurred_at.min(where=since),
    )
    lost = latest.filter((latest._state == "lost") & (latest.amount_minor > 0))
    return lost.select(
        entry_id=lost.payment_key + "/dispute/" + lost.object_key,
        payment_id=lost.payment_key,
        entry_kind=ibis.literal("dispute"),
        amount_minor=lost.amount_minor,
        occurred_at=lost.occurred_at,
    )


def _reported(events: ir.Table) -> ir.Table:
    """One row per payment with what its session, its intent and events without an object say."""
    kind, said = events.object_type, events.payment_event
    captured = ibis.coalesce(events.captured_minor, ibis.ifelse(said == "succeeded", events.amount_minor, 0))
    is_attempt = kind.isin(["payment", "session", "charge"])
    is_succeeded = kind.isin(["payment", "session"]) & (said == "succeeded")
    # Of one second, what failed or was cancelled comes after what it was tried with.
    attempt = ibis.struct({"at": events.occurred_at, "failed": (said == "failed").cast("int64"), "of": events._order})
    shown_at = ibis.coalesce(events.object_created_at, events.occurred_at)
    shown_at = ibis.ifelse(kind == "charge", shown_at, events.occurred_at)
    return events.group_by("payment_key").agg(
        provider=events.provider.max(),
        registration_id=events.registration_id.max(),
        event_id=events.event_id.max(),
        currency=events.currency.upper().argmax(events._order, where=events.currency.notnull()),
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

"""What the models of providers' payments share: which payment an event is about, and which state is the latest."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

ATTEMPTS = ["payment", "session", "charge"]
"""Objects that are about receiving the money; their currency is the payment's."""


def of_payments(events: ir.Table) -> ir.Table:
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


def latest_currency(events: ir.Table) -> ir.StringValue:
    """The code, upper case, that the latest of these events with one names; an aggregate."""
    return events.currency.upper().argmax(events._order, where=events.currency.notnull())

"""An event's payments with who paid: facts of the warehouse, names from the private lake."""

from __future__ import annotations

from collections.abc import Iterator

from event_pipeline.api.answers.common import Money
from event_pipeline.api.answers.payments import Payment
from event_pipeline.api.catalog_session import Row, Session
from event_pipeline.api.queries.names import NAMES

_SELECT = """
WITH checks AS (
    SELECT payment_id, list(discrepancy ORDER BY discrepancy) AS discrepancies
    FROM warehouse.marts.agg_payment_discrepancies{version} WHERE event_id = $event_id GROUP BY payment_id
), wanted AS (SELECT * FROM warehouse.core.fact_payments{version} WHERE event_id = $event_id), {names}
SELECT y.payment_id, y.registration_id, coalesce(n.participant_name, p.person_name) AS person_name,
    coalesce(n.participant_email, p.email) AS email, y.method, y.app_status, y.provider_status, y.payment_status,
    y.amount_minor, y.refunded_minor, y.revenue_minor, y.currency, y.not_counted_reason, y.paid_at, y.refunded_at,
    coalesce(c.discrepancies, []) AS discrepancies
FROM wanted y
    LEFT JOIN checks c USING (payment_id)
    LEFT JOIN names n ON n.registration_id = y.registration_id
    LEFT JOIN lake.people.people p ON p.user_id = y.user_id AND y.user_id <> 'unknown'
"""
_PAGE = " WHERE y.payment_id > $after AND ($all OR c.payment_id IS NOT NULL) ORDER BY y.payment_id LIMIT $limit"
_ALL = " ORDER BY y.paid_at NULLS LAST, y.payment_id"


def payments(session: Session, event_id: str, to_check: bool, after: str, limit: int) -> list[Payment]:
    """Up to so many payments of the event whose ids come after that one; with ``to_check`` those with discrepancies."""
    parameters = {"event_id": event_id, "after": after, "all": not to_check, "limit": limit}
    return [_payment(row) for row in session.rows(_SELECT.format(version="", names=NAMES) + _PAGE, parameters)]


def all_payments(session: Session, event_id: str, snapshot: int) -> Iterator[Payment]:
    """Every payment of the event at that snapshot of the warehouse, the earliest first; read as they are asked for."""
    sql = _SELECT.format(version=f" AT (VERSION => {int(snapshot)})", names=NAMES) + _ALL
    for batch in session.batches(sql, {"event_id": event_id}, most_rows=2_000):
        yield from map(_payment, batch.to_pylist())


def _payment(row: Row) -> Payment:
    amount = None if row["amount_minor"] is None else _money(row, "amount_minor")
    plain = {name: row[name] for name in Payment.model_fields if name in row}
    return Payment(**plain, amount=amount, refunded=_money(row, "refunded_minor"), revenue=_money(row, "revenue_minor"))


def _money(row: Row, column: str) -> Money:
    return Money(amount_minor=row[column], currency=row["currency"])

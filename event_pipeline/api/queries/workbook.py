"""Registrations of an event with everything that its sheet shows: the facts of one snapshot, names from the lake."""

from __future__ import annotations

from collections.abc import Iterator

from event_pipeline.api.catalog_session import Row, Session

_SELECT = """
WITH facts AS (
    SELECT * FROM warehouse.core.fact_registrations AT (VERSION => {snapshot}) WHERE event_id = $event_id
),
typed AS (
    SELECT * FROM lake.staging.sheet_corrections WHERE registration_id IN (SELECT registration_id FROM facts)
),
walk_ins AS (
    SELECT t.registration_id, s.participant_name, s.participant_email, s.participant_phone, s.student_id,
        s.custom_fields
    FROM typed t JOIN lake.staging.sheet_rows s USING (sheet_row_id) WHERE t.correction = 'walk_in'
    QUALIFY row_number() OVER (PARTITION BY t.registration_id ORDER BY s.version DESC) = 1
),
notes AS (
    SELECT registration_id, string_agg(DISTINCT corrected_value, '; ' ORDER BY corrected_value) AS notes
    FROM typed WHERE correction = 'note' GROUP BY registration_id
),
paid AS (
    -- Of several payments those that stand, and of these one currency: amounts of two are never added.
    SELECT registration_id, sum(amount_minor)::BIGINT AS amount_minor, currency AS payment_currency
    FROM warehouse.core.fact_payments AT (VERSION => {snapshot})
    WHERE registration_id IN (SELECT registration_id FROM facts) GROUP BY registration_id, payment_status, currency
    QUALIFY row_number() OVER (
        PARTITION BY registration_id
        ORDER BY list_position(['verified', 'refunded', 'pending', 'rejected', 'failed'], payment_status), currency
    ) = 1
)
SELECT f.registration_id, f.registered_at, f.registration_type, f.registration_status, f.department, f.year_of_study,
    f.is_attended, f.attended_at, f.is_counted, f.is_cancelled, f.is_duplicate,
    coalesce(r.participant_name, w.participant_name, p.person_name) AS name,
    coalesce(r.participant_email, w.participant_email, p.email) AS email,
    coalesce(r.participant_phone, w.participant_phone, p.phone) AS phone,
    coalesce(r.student_id, w.student_id) AS student_id, f.is_walk_in, f.payment_status, r.team_name, r.team_members,
    r.custom_fields AS answers, w.custom_fields AS sheet_answers,
    r.payment_screenshot_url, n.notes, y.amount_minor, y.payment_currency,
    coalesce(f.payment_status = 'verified', false) AS is_payment_verified
FROM facts f
    LEFT JOIN lake.staging.registrations r USING (registration_id)
    LEFT JOIN lake.people.people p ON p.user_id = f.user_id AND f.user_id <> 'unknown'
    LEFT JOIN walk_ins w USING (registration_id)
    LEFT JOIN notes n USING (registration_id)
    LEFT JOIN paid y USING (registration_id)
ORDER BY f.registered_at NULLS LAST, f.registration_id
"""


def registrations(session: Session, event_id: str, snapshot: int) -> Iterator[Row]:
    """In the order in which they came, cancelled ones and duplicates included; read as they are asked for."""
    for batch in session.batches(_SELECT.format(snapshot=int(snapshot)), {"event_id": event_id}, most_rows=2_000):
        yield from batch.to_pylist()


def form(session: Session, event_id: str) -> str | None:
    """The event's own questions as JSON text."""
    row = session.row("SELECT custom_fields FROM lake.staging.events WHERE event_id = $id", {"id": event_id})
    return row["custom_fields"] if row else None

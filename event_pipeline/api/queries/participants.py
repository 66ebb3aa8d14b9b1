"""Registrations with names and addresses: the only query of the private lake's people."""

from __future__ import annotations

from event_pipeline.api.answers.participants import Participant
from event_pipeline.api.catalog_session import Session
from event_pipeline.api.queries.names import NAMES

_SELECT = f"""
WITH wanted AS (
    SELECT * FROM warehouse.core.fact_registrations WHERE event_id = $event_id AND registration_id > $after
    ORDER BY registration_id LIMIT $limit
), {NAMES}
SELECT f.registration_id, coalesce(n.participant_name, p.person_name) AS person_name,
    coalesce(n.participant_email, p.email) AS email, coalesce(n.participant_phone, p.phone) AS phone,
    f.department, f.year_of_study, f.team_size,
    f.registered_at, f.registration_status, f.is_counted, f.attended_at, f.payment_status
FROM wanted f
    LEFT JOIN names n USING (registration_id)
    LEFT JOIN lake.people.people p ON p.user_id = f.user_id AND f.user_id <> 'unknown'
ORDER BY f.registration_id
"""


def participants(session: Session, event_id: str, after: str, limit: int) -> list[Participant]:
    """Up to so many registrations of the event whose ids come after that one."""
    rows = session.rows(_SELECT, {"event_id": event_id, "after": after, "limit": limit})
    return [Participant(**row) for row in rows]


def event_exists(session: Session, event_id: str) -> bool:
    """Whether there is such an event."""
    return session.row("SELECT 1 FROM warehouse.core.dim_events WHERE event_id = $id", {"id": event_id}) is not None

"""Who a registration is of: its own name, address and number; several people may share an address."""

from __future__ import annotations

NAMES = """
names AS (
    SELECT registration_id, participant_name, participant_email, participant_phone FROM lake.staging.registrations
    WHERE registration_id IN (SELECT registration_id FROM wanted)
    UNION ALL
    SELECT t.registration_id, s.participant_name, s.participant_email, s.participant_phone
    FROM lake.staging.sheet_corrections t JOIN lake.staging.sheet_rows s USING (sheet_row_id)
    WHERE t.correction = 'walk_in' AND t.registration_id IN (SELECT registration_id FROM wanted)
    QUALIFY row_number() OVER (PARTITION BY t.registration_id ORDER BY s.version DESC) = 1
)
"""
"""A part of a WITH clause, after one named ``wanted`` with a column ``registration_id``."""

-- quarantine.rows
CREATE OR REPLACE TABLE lake.sql_quarantine.rows AS
SELECT table_name, document_id, source, version, c.field, c.rule, c.consequence,
    CASE
        WHEN c.field = '(document)' THEN '(not an object)'
        WHEN c.is_personal THEN left(broken.value, 1) || '*** (' || length(broken.value) || ' characters)'
        ELSE left(broken.value, 200)
    END AS offending_value,
    CASE
        WHEN contains(c.what_to_do, '{reason}')
        THEN replace(c.what_to_do, '{reason}', python_amount_refusal(broken.value, '{{writing}}'))
        ELSE c.what_to_do
    END AS what_to_do
FROM quarantined JOIN checks c USING (table_name) WHERE c.rule = broken.rule;

-- staging.attendance_reversals
CREATE OR REPLACE TABLE lake.sql_staging.attendance_reversals AS
WITH edited AS (
    SELECT document_id FROM lake.raw.firebase_registrations GROUP BY document_id HAVING count(*) > 1
), marks AS (
    SELECT document_id, version,
        coalesce(payload ->> '$.attendance_status' = 'attended', false)
            OR coalesce(payload ->> '$.status' = 'attended', false) AS is_marked
    FROM lake.raw.firebase_registrations SEMI JOIN edited USING (document_id)
    WHERE operation = 'upsert'
), last_marks AS (
    SELECT document_id, max(version) AS last_mark FROM marks WHERE is_marked GROUP BY document_id
)
SELECT document_id AS registration_id, version_instant(min(version)) AS undone_at
FROM marks JOIN last_marks USING (document_id)
WHERE version > last_mark
GROUP BY document_id;

-- staging.registration_cancellations
CREATE OR REPLACE TABLE lake.sql_staging.registration_cancellations AS
WITH cancelled AS (
    SELECT registration_id, registered_at, updated_at, version_at FROM lake.sql_staging.registrations
    WHERE registration_status = 'cancelled'
), edited AS (
    SELECT document_id FROM lake.raw.firebase_registrations r
    SEMI JOIN cancelled c ON c.registration_id = r.document_id
    GROUP BY document_id HAVING count(*) > 1
), versions AS MATERIALIZED (
    SELECT document_id, version,
        operation = 'upsert' AND coalesce(
            tidy_choice(payload ->> '$.status', ['registered', 'attended', 'cancelled']) = 'cancelled', false
        ) AS is_cancelled,
        payload ->> '$.updated_at' AS updated_at
    FROM lake.raw.firebase_registrations SEMI JOIN edited USING (document_id)
), others AS (
    SELECT document_id, max(version) AS last_other FROM versions WHERE NOT is_cancelled GROUP BY document_id
), runs AS (
    SELECT document_id, min(version) AS first_version, as_instant(tidy(arg_min(updated_at, version))) AS first_said_at
    FROM versions LEFT JOIN others USING (document_id)
    WHERE is_cancelled AND coalesce(version > last_other, true) GROUP BY document_id
), told AS (
    SELECT registration_id, registered_at,
        CASE WHEN first_version IS NOT NULL THEN version_instant(first_version) ELSE version_at END AS seen_at,
        CASE WHEN first_version IS NOT NULL THEN first_said_at ELSE updated_at END AS said_at
    FROM cancelled LEFT JOIN runs ON document_id = registration_id
)
SELECT registration_id, greatest(registered_at, least(said_at, seen_at)) AS cancelled_at FROM told;

-- staging.absent_registrations
CREATE OR REPLACE TABLE lake.sql_staging.absent_registrations AS
WITH absent AS (
    SELECT DISTINCT document_id FROM lake.raw.firebase_registrations r
    ANTI JOIN lake.sql_staging.registrations s ON s.registration_id = r.document_id
), history AS MATERIALIZED (
    -- Kept apart, or the conditions below would be put before the join, where they parse every payload there is.
    SELECT document_id, payload FROM lake.raw.firebase_registrations SEMI JOIN absent USING (document_id)
    WHERE operation = 'upsert'
), said AS (
    SELECT DISTINCT document_id AS registration_id, tidy(payload ->> '$.event_id') AS event_id,
        coalesce(as_email(tidy_email(payload ->> '$.participant_email')), '') AS participant_email,
        coalesce(name_key(payload ->> '$.participant_name'), '') AS name_key,
        coalesce(as_phone(tidy_phone(payload ->> '$.participant_phone')), '') AS participant_phone,
        coalesce(tidy(payload ->> '$.participant_id'), '') AS student_id
    FROM history
)
SELECT * FROM said WHERE event_id IS NOT NULL AND (participant_email <> '' OR name_key <> '');

-- staging.sheet_corrections
CREATE OR REPLACE TABLE lake.sql_staging.sheet_corrections AS
WITH matchable AS (
    SELECT * FROM lake.sql_staging.sheet_rows
    WHERE worksheet = 'Registrations' AND is_person AND NOT is_export_error AND event_id IS NOT NULL
), counted AS (
    SELECT event_id, participant_email, count(*) AS mentions FROM matchable
    WHERE participant_email IS NOT NULL GROUP BY ALL
), candidates AS (
    SELECT event_id, participant_email, registration_id, participant_name, registered_at,
        coalesce(registration_status = 'cancelled', false) AS is_cancelled,
        mentions > 1 OR count(*) OVER (PARTITION BY event_id, participant_email) > 1 AS is_several
    FROM lake.sql_staging.registrations JOIN counted USING (event_id, participant_email)
), keyed_candidates AS (
    SELECT *, CASE WHEN is_several THEN name_key(participant_name) END AS name FROM candidates
), by_address AS (
    SELECT event_id, participant_email, registration_id AS first_id, is_several FROM keyed_candidates
    QUALIFY row_number() OVER (
        PARTITION BY event_id, participant_email ORDER BY is_cancelled, registered_at NULLS LAST, registration_id
    ) = 1
), by_name AS (
    SELECT event_id, participant_email, name, registration_id AS named_id FROM keyed_candidates
    WHERE name IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY event_id, participant_email, name ORDER BY is_cancelled, registered_at NULLS LAST, registration_id
    ) = 1
), names AS (
    SELECT event_id, participant_email, count(*) AS names FROM by_name GROUP BY ALL
), keyed AS (
    SELECT m.*, first_id, names,
        CASE WHEN is_several OR participant_email IS NULL THEN name_key(participant_name) END AS name
    FROM matchable m
    LEFT JOIN by_address USING (event_id, participant_email)
    LEFT JOIN names USING (event_id, participant_email)
), addressed AS (
    SELECT keyed.*, named_id FROM keyed LEFT JOIN by_name USING (event_id, participant_email, name)
), taken AS (
    SELECT event_id, participant_email, count(DISTINCT named_id) AS taken FROM addressed
    WHERE named_id IS NOT NULL GROUP BY ALL
), lost AS (
    SELECT sheet_row_id, event_id, name, participant_phone AS phone, student_id AS student FROM addressed
    WHERE participant_email IS NULL AND name IS NOT NULL
), near AS (
    SELECT event_id, registration_id, registered_at, participant_email, participant_phone, student_id,
        registration_status, name_key(participant_name) AS name
    FROM lake.sql_staging.registrations SEMI JOIN lost USING (event_id)
), pairs AS (
    SELECT sheet_row_id, registration_id, registered_at, registration_status, participant_email,
        coalesce(phone = participant_phone, false) OR coalesce(student = student_id, false) AS is_exact,
        coalesce(phone <> participant_phone OR student <> student_id, false) AS is_other
    FROM lost JOIN near USING (event_id, name)
), found AS (
    SELECT sheet_row_id, registration_id AS found_id FROM pairs
    WHERE is_exact OR participant_email IS NULL AND NOT is_other
    QUALIFY row_number() OVER (
        PARTITION BY sheet_row_id
        ORDER BY NOT is_exact, participant_email IS NOT NULL, coalesce(registration_status = 'cancelled', false),
            registered_at NULLS LAST, registration_id
    ) = 1
), strangers AS (
    SELECT addressed.*, coalesce(named_id IS NULL AND name IS NOT NULL AND taken >= names, false) AS is_stranger,
        coalesce(
            CASE
                WHEN participant_email IS NULL THEN name || '|' || coalesce(
                    participant_phone, student_id, regexp_replace(sheet_row_id, '^[^/]*/', '')
                )
            END,
            sheet_row_id
        ) AS person
    FROM addressed LEFT JOIN taken USING (event_id, participant_email)
), gone AS (
    SELECT DISTINCT sheet_row_id, true AS was_deleted
    FROM strangers s JOIN lake.sql_staging.absent_registrations a ON a.event_id = s.event_id AND (
        a.participant_email = s.participant_email
        OR s.participant_email IS NULL AND a.name_key = s.name AND (
            a.participant_phone <> '' AND a.participant_phone = s.participant_phone
            OR a.student_id <> '' AND a.student_id = s.student_id
            OR a.participant_email = ''
                AND NOT coalesce(a.participant_phone <> '' AND a.participant_phone <> s.participant_phone, false)
                AND NOT coalesce(a.student_id <> '' AND a.student_id <> s.student_id, false)
        )
    )
), matched AS (
    SELECT s.*, was_deleted, min(sheet_row_id) OVER (PARTITION BY event_id, person) AS walk_in_row,
        coalesce(named_id, CASE WHEN NOT is_stranger THEN first_id END, found_id) AS matched_id
    FROM strangers s
    LEFT JOIN found USING (sheet_row_id)
    LEFT JOIN gone USING (sheet_row_id)
), known AS (
    SELECT m.*, r.payment_status,
        coalesce(r.attendance_status = 'attended' OR r.registration_status = 'attended', false) AS is_app_attended,
        matched_id IS NULL AND (was_deleted IS NULL OR is_stranger) AS is_walk_in,
        CASE
            WHEN matched_id IS NOT NULL THEN matched_id
            WHEN was_deleted IS NULL OR is_stranger THEN 'sheet:' || pseudonym(walk_in_row)
        END AS registration_id
    FROM matched m LEFT JOIN lake.sql_staging.registrations r ON r.registration_id = matched_id
), typed AS (
    SELECT sheet_row_id, 'walk_in' AS correction, registration_id, event_id, participant_name AS corrected_value,
        entered_at AS occurred_at, version
    FROM known WHERE is_walk_in AND sheet_row_id = walk_in_row
    UNION ALL
    SELECT sheet_row_id, 'attendance', registration_id, event_id, attendance_status, came_at, version
    FROM known WHERE attendance_status = 'attended' AND NOT is_app_attended
    UNION ALL
    SELECT sheet_row_id, 'payment', registration_id, event_id, amount_minor::VARCHAR, version_at, version
    FROM known WHERE payment_mark IN ('yes', 'verified') AND coalesce(payment_status, 'pending') = 'pending'
    UNION ALL
    SELECT sheet_row_id, 'note', registration_id, event_id, notes, version_at, version
    FROM known WHERE notes IS NOT NULL
)
SELECT * FROM typed WHERE registration_id IS NOT NULL
QUALIFY row_number() OVER (
    PARTITION BY correction, registration_id, CASE WHEN correction = 'note' THEN corrected_value END
    ORDER BY occurred_at NULLS LAST, sheet_row_id
) = 1;

-- people.people
CREATE OR REPLACE TABLE lake.sql_people.people AS
WITH mentions AS (
    SELECT participant_email AS email, participant_name AS name, participant_phone AS phone, registered_at AS seen_at
    FROM lake.sql_staging.registrations
    UNION ALL
    SELECT participant_email, participant_name, participant_phone, registered_at FROM lake.sql_staging.sheet_rows
    UNION ALL
    SELECT participant_email, NULL, NULL, occurred_at FROM lake.sql_staging.email_events
)
SELECT email, pseudonym(email) AS user_id,
    max({'at': coalesce(seen_at, to_timestamp(0)), 'value': name}) FILTER (name IS NOT NULL).value AS person_name,
    max({'at': coalesce(seen_at, to_timestamp(0)), 'value': phone}) FILTER (phone IS NOT NULL).value AS phone,
    min(seen_at) AS first_seen_at, max(seen_at) AS last_seen_at
FROM mentions WHERE email IS NOT NULL
GROUP BY email;

-- staging.resolved_registrations
CREATE OR REPLACE TABLE lake.sql_staging.resolved_registrations AS
WITH everyone AS (
    SELECT registration_id, event_id AS source_event_id, coalesce(pseudonym(participant_email), 'unknown') AS user_id,
        registered_at, coalesce(registration_status, 'registered') AS registration_status, registration_type, team_size,
        department, year_of_study, payment_status, amount_minor, updated_at,
        coalesce(attendance_status = 'attended', false) OR coalesce(registration_status = 'attended', false)
            AS is_app_attended,
        attended_at AS app_attended_at, coalesce(registration_status = 'cancelled', false) AS is_cancelled,
        false AS is_walk_in, participant_name
    FROM lake.sql_staging.registrations
    UNION ALL
    SELECT c.registration_id, s.event_id, coalesce(pseudonym(participant_email), 'unknown'),
        entered_at, coalesce(registration_status, 'registered'), registration_type, 1,
        department, year_of_study,
        CASE
            WHEN payment_mark IN ('yes', 'verified') THEN 'verified'
            WHEN payment_mark = 'rejected' THEN 'rejected'
            WHEN payment_mark IN ('no', 'pending') THEN 'pending'
        END,
        amount_minor, NULL, false, NULL, coalesce(registration_status = 'cancelled', false), true,
        participant_name
    FROM lake.sql_staging.sheet_corrections c JOIN lake.sql_staging.sheet_rows s USING (sheet_row_id)
    WHERE correction = 'walk_in'
), repeated AS (
    SELECT source_event_id, user_id, registration_id, registered_at, name_key(participant_name) AS name
    FROM everyone WHERE user_id <> 'unknown' QUALIFY count(*) OVER (PARTITION BY source_event_id, user_id) > 1
), addresses AS (
    SELECT source_event_id, user_id, min(name) <> max(name) AS has_several,
        first(name ORDER BY registered_at NULLS LAST, registration_id) AS earliest
    FROM repeated WHERE name IS NOT NULL GROUP BY ALL
), told_apart AS (
    SELECT everyone.*, coalesce(e.event_id, 'unknown') AS event_id,
        CASE
            WHEN everyone.user_id = 'unknown' THEN everyone.registration_id
            WHEN name <> earliest THEN pseudonym(everyone.user_id || '|' || name)
            ELSE everyone.user_id
        END AS registrant_key,
        coalesce(has_several, false) AS is_shared_address
    FROM everyone
    LEFT JOIN repeated USING (registration_id)
    LEFT JOIN addresses a ON a.source_event_id = everyone.source_event_id AND a.user_id = everyone.user_id
    LEFT JOIN lake.sql_staging.events e ON e.event_id = everyone.source_event_id
), ranked AS (
    SELECT *, row_number() OVER (
            PARTITION BY source_event_id, registrant_key
            ORDER BY is_cancelled, registered_at NULLS LAST, registration_id
        ) AS place
    FROM told_apart
)
SELECT * EXCLUDE (place, participant_name), place > 1 AND NOT is_cancelled AS is_duplicate
FROM ranked;

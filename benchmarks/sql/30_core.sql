-- core.dim_clubs
CREATE OR REPLACE TABLE warehouse.sql_core.dim_clubs AS
SELECT club_id, club_name, website, created_at FROM lake.sql_staging.clubs
UNION ALL SELECT 'unknown', NULL, NULL, NULL;

-- core.dim_categories
CREATE OR REPLACE TABLE warehouse.sql_core.dim_categories AS
SELECT category_id, category_name, color FROM lake.sql_staging.categories
UNION ALL SELECT 'unknown', NULL, NULL;

-- core.dim_events
CREATE OR REPLACE TABLE warehouse.sql_core.dim_events AS
SELECT event_id, title,
    coalesce(
        nullif(lower(trim(regexp_replace(regexp_replace(title, '{{year}}', ' ', 'g'), '\s+', ' ', 'g'))), ''), lower(title)
    ) AS edition_series,
    coalesce(c.club_id, 'unknown') AS club_id, coalesce(k.category_id, 'unknown') AS category_id, location,
    starts_at, ends_at, local_day(starts_at) AS start_date, registration_deadline_at, capacity, event_status,
    registration_method, participation_type, coalesce(is_paid, fee_minor > 0, false) AS is_paid, fee_minor,
    coalesce(is_featured, false) AS is_featured, coalesce(is_archived, false) AS is_archived, e.created_at
FROM lake.sql_staging.events e
LEFT JOIN lake.sql_staging.clubs c USING (club_id)
LEFT JOIN lake.sql_staging.categories k USING (category_id)
UNION ALL BY NAME
SELECT 'unknown' AS event_id, 'unknown' AS club_id, 'unknown' AS category_id, false AS is_paid, false AS is_featured,
    false AS is_archived;

-- core.bridge_event_tags
CREATE OR REPLACE TABLE warehouse.sql_core.bridge_event_tags AS
SELECT event_id, tag_name, max(color) AS color
FROM lake.sql_staging.event_tags
SEMI JOIN lake.sql_staging.events USING (event_id)
JOIN lake.sql_staging.tags USING (tag_id)
WHERE tag_name IS NOT NULL
GROUP BY ALL;

-- core.fact_attendance
CREATE OR REPLACE TABLE warehouse.sql_core.fact_attendance AS
WITH timed AS (
    -- A phone's time is believed when it is recent, or on a day of the event; else the time of receipt stands for it.
    SELECT s.*, e.start_date IS NOT NULL AS is_dated,
        CASE WHEN s.received_at <= version_at + INTERVAL 1 DAY THEN s.received_at END AS told_at,
        coalesce(told_at, version_at) AS seen_at,
        coalesce(local_day(scanned_at) BETWEEN e.start_date - 1
            AND greatest(e.start_date, local_day(e.ends_at)) + 1, false) AS is_of_event,
        coalesce(
            scanned_at <= seen_at + INTERVAL 10 MINUTE AND (told_at IS NULL OR scanned_at >= told_at - INTERVAL 30 DAY)
            OR is_of_event AND scanned_at <= seen_at,
        false) AS is_believed
    FROM lake.sql_staging.scans s
    LEFT JOIN warehouse.sql_core.dim_events e ON e.event_id = claimed_event_id
), claims AS (
    SELECT 'scan:' || scan_id AS attendance_id, 'qr_scan' AS method, claimed_registration_id AS registration_id,
        claimed_event_id, CASE WHEN is_believed THEN scanned_at ELSE seen_at END AS occurred_at, scanner_id,
        door_event_id, is_readable, is_checksum_valid, NOT is_believed AS is_clock_corrected, is_override,
        is_believed AND is_dated AND NOT is_of_event AS is_other_day
    FROM timed
    UNION ALL
    SELECT 'app:' || registration_id, 'app_mark', registration_id, source_event_id, coalesce(app_attended_at, updated_at), NULL,
        NULL, true, true, false, false, false
    FROM lake.sql_staging.resolved_registrations WHERE is_app_attended
    UNION ALL
    SELECT 'sheet:' || pseudonym(sheet_row_id), 'sheet_mark', registration_id, event_id, occurred_at, NULL, NULL, true, true, false,
        false, false
    FROM lake.sql_staging.sheet_corrections WHERE correction = 'attendance'
), judged AS (
    SELECT c.* EXCLUDE (registration_id, claimed_event_id, door_event_id, is_readable, is_checksum_valid),
        coalesce(door_event_id <> source_event_id, false) AS is_other_door,
        coalesce(c.claimed_event_id, 'unknown') AS claimed_event_id,
        r.registration_id, event_id, source_event_id, user_id, registrant_key,
        CASE
            WHEN NOT is_readable THEN 'garbled'
            WHEN NOT is_checksum_valid THEN 'bad_checksum'
            WHEN r.registration_id IS NULL THEN 'unknown_registration'
            WHEN method = 'qr_scan' AND coalesce(claimed_event_id, '') <> source_event_id THEN 'wrong_event'
            WHEN door_event_id <> source_event_id AND NOT is_override THEN 'wrong_event'
            WHEN is_cancelled THEN 'cancelled'
            WHEN undone_at IS NOT NULL AND coalesce(occurred_at <= undone_at, true) THEN 'undone'
            WHEN is_other_day AND NOT is_override THEN 'wrong_day'
        END AS refusal
    FROM claims c
    LEFT JOIN lake.sql_staging.resolved_registrations r USING (registration_id)
    LEFT JOIN lake.sql_staging.attendance_reversals u ON u.registration_id = c.registration_id
), ranked AS (
    SELECT *, refusal IS NULL AND row_number() OVER in_order = 1 AS is_counted,
        coalesce(
            refusal IS NULL AND method = 'sheet_mark' AND lag(method) OVER in_order <> 'sheet_mark'
            AND date_trunc('second', occurred_at)
                <= lag(date_trunc('second', occurred_at)) OVER in_order + INTERVAL 1 SECOND,
        false) AS is_repeat
    FROM judged
    WINDOW in_order AS (
        PARTITION BY refusal IS NULL, source_event_id, registrant_key
        ORDER BY occurred_at IS NULL, date_trunc('second', occurred_at), method = 'sheet_mark', occurred_at, attendance_id
    )
)
SELECT attendance_id, registration_id, coalesce(event_id, 'unknown') AS event_id, source_event_id, claimed_event_id,
    coalesce(user_id, 'unknown') AS user_id, method, occurred_at, local_day(occurred_at) AS occurred_date, scanner_id,
    refusal IS NULL AS is_valid,
    CASE WHEN refusal IS NULL AND NOT is_counted THEN 'already_in' ELSE refusal END AS refusal_reason, is_counted,
    is_clock_corrected, is_override AND refusal IS NULL AND (is_other_day OR is_other_door) AS is_override
FROM ranked WHERE NOT is_repeat;

-- core.fact_payments
CREATE OR REPLACE TABLE warehouse.sql_core.fact_payments AS
WITH provided AS (
    SELECT p.payment_id, r.registration_id, coalesce(r.event_id, e.event_id, 'unknown') AS event_id,
        coalesce(r.user_id, 'unknown') AS user_id, provider AS method, p.payment_status,
        CASE WHEN is_disputed AND p.payment_status <> 'refunded' THEN 'disputed' ELSE p.payment_status END
            AS provider_status,
        p.amount_minor, refunded_minor, received_minor - refunded_minor AS revenue_minor,
        coalesce(currency, '{{currency}}') AS currency, false AS is_amount_from_event, is_disputed, is_dispute_lost,
        paid_at, refunded_at, occurred_at
    FROM lake.sql_staging.provider_payments p
    LEFT JOIN lake.sql_staging.resolved_registrations r ON r.registration_id = p.registration_id
    LEFT JOIN lake.sql_staging.events e ON e.event_id = p.event_id
), heads AS (
    SELECT registration_id, payment_id AS head_id, provider_status AS head_status,
        payment_status IN ('verified', 'refunded') AS is_head_settled
    FROM provided WHERE registration_id IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY registration_id
        ORDER BY payment_status NOT IN ('verified', 'refunded'),
            CASE WHEN payment_status IN ('verified', 'refunded') THEN occurred_at END,
            CASE WHEN payment_status NOT IN ('verified', 'refunded') THEN occurred_at END DESC, payment_id
    ) = 1
), typed AS (
    SELECT registration_id, min(coalesce(verified_at, occurred_at)) AS typed_at,
        max(try_cast(corrected_value AS BIGINT)) AS typed_amount
    FROM lake.sql_staging.sheet_corrections c
    LEFT JOIN lake.sql_staging.payment_verifications v ON v.collection = 'sheet_rows' AND v.document_id = c.sheet_row_id
    WHERE correction = 'payment' GROUP BY ALL
), marked AS (
    SELECT r.registration_id, r.event_id, r.user_id, typed_at IS NOT NULL OR is_walk_in AS is_sheet,
        CASE WHEN typed_at IS NOT NULL THEN 'verified' ELSE payment_status END AS app_status, payment_status AS said_status,
        coalesce(amount_minor, typed_amount, fee_minor) AS amount_minor,
        amount_minor IS NULL AND typed_amount IS NULL AND fee_minor IS NOT NULL AS is_amount_from_event,
        coalesce(typed_at, verified_at, r.updated_at, r.registered_at) AS verified_at,
        coalesce(r.updated_at, r.registered_at) AS written_at
    FROM lake.sql_staging.resolved_registrations r
    LEFT JOIN lake.sql_staging.events e USING (event_id)
    LEFT JOIN typed USING (registration_id)
    LEFT JOIN lake.sql_staging.payment_verifications v
        ON v.collection = 'registrations' AND v.document_id = r.registration_id
    WHERE payment_status IS NOT NULL OR typed_at IS NOT NULL
), judged AS (
    SELECT *, app_status = 'verified' AS is_verified,
        head_id IS NOT NULL AND (is_head_settled OR app_status <> 'verified') AS is_same
    FROM marked LEFT JOIN heads USING (registration_id)
), payments AS (
    SELECT CASE WHEN is_sheet THEN 'sheet:' ELSE 'app:' END || registration_id AS payment_id, registration_id, event_id,
        user_id, CASE WHEN is_sheet THEN 'sheet' ELSE 'app' END AS method, app_status, head_status AS provider_status,
        app_status AS payment_status, amount_minor, 0::BIGINT AS refunded_minor,
        CASE WHEN is_verified THEN coalesce(amount_minor, 0) ELSE 0 END AS revenue_minor, '{{currency}}' AS currency,
        is_amount_from_event, false AS is_disputed, false AS is_dispute_lost,
        CASE WHEN is_verified THEN verified_at END AS paid_at, NULL::TIMESTAMPTZ AS refunded_at,
        CASE WHEN is_verified THEN verified_at ELSE written_at END AS occurred_at
    FROM judged WHERE NOT is_same
    UNION ALL BY NAME
    SELECT p.*, app_status
    FROM provided p
    LEFT JOIN (
        SELECT head_id, CASE WHEN is_head_settled THEN said_status ELSE app_status END AS app_status FROM judged WHERE is_same
    ) m ON m.head_id = p.payment_id
)
SELECT * EXCLUDE (is_dispute_lost), local_day(paid_at) AS paid_date, local_day(refunded_at) AS refunded_date,
    local_day(occurred_at) AS occurred_date,
    CASE
        WHEN payment_status IN ('pending', 'rejected', 'failed') THEN payment_status
        WHEN refunded_minor > 0 AND is_dispute_lost THEN 'dispute_lost'
        WHEN payment_status = 'refunded' THEN 'refunded'
        WHEN currency <> '{{currency}}' THEN 'other_currency'
        WHEN refunded_minor > 0 THEN 'partly_refunded'
        WHEN amount_minor IS NULL THEN 'no_amount'
    END AS not_counted_reason
FROM payments;

-- core.fact_payment_entries
CREATE OR REPLACE TABLE warehouse.sql_core.fact_payment_entries AS
WITH paid AS (
    SELECT payment_id, registration_id, event_id, user_id, currency, occurred_at, revenue_minor + refunded_minor AS paid
    FROM warehouse.sql_core.fact_payments WHERE revenue_minor + refunded_minor > 0
), capped AS (
    SELECT r.payment_id, registration_id, event_id, user_id, currency, r.occurred_at, entry_id, entry_kind,
        least((sum(amount_minor) OVER until_then)::BIGINT - amount_minor, paid)
            - least((sum(amount_minor) OVER until_then)::BIGINT, paid) AS amount_minor
    FROM lake.sql_staging.provider_refunds r JOIN paid USING (payment_id)
    WINDOW until_then AS (
        PARTITION BY payment_id ORDER BY r.occurred_at, entry_id ROWS UNBOUNDED PRECEDING
    )
), moved AS (
    SELECT * EXCLUDE (paid), payment_id || '/payment' AS entry_id, 'payment' AS entry_kind, paid AS amount_minor FROM paid
    UNION ALL BY NAME
    FROM capped WHERE amount_minor < 0
)
SELECT *, local_day(occurred_at) AS occurred_date FROM moved;

-- core.fact_registrations
CREATE OR REPLACE TABLE warehouse.sql_core.fact_registrations AS
WITH arrived AS (
    SELECT r.source_event_id, registrant_key, min(occurred_at) AS came_at, true AS came
    FROM warehouse.sql_core.fact_attendance a JOIN lake.sql_staging.resolved_registrations r USING (registration_id)
    WHERE is_counted GROUP BY ALL
), payments AS (
    SELECT registration_id, min(list_position(['verified', 'refunded', 'pending', 'rejected', 'failed'], payment_status))
        AS place
    FROM warehouse.sql_core.fact_payments WHERE registration_id IS NOT NULL GROUP BY registration_id
), joined AS (
    SELECT r.* REPLACE (['verified', 'refunded', 'pending', 'rejected', 'failed'][place] AS payment_status), e.start_date, local_day(registered_at) AS registered_date,
        NOT is_cancelled AND NOT is_duplicate AS is_counted,
        NOT is_cancelled AND NOT is_duplicate AND came IS NOT NULL AS is_attended, came_at,
        CASE WHEN is_cancelled THEN coalesce(cancelled_at, registered_at) END AS cancelled_at
    FROM lake.sql_staging.resolved_registrations r
    LEFT JOIN arrived USING (source_event_id, registrant_key)
    LEFT JOIN lake.sql_staging.registration_cancellations USING (registration_id)
    LEFT JOIN payments USING (registration_id)
    LEFT JOIN warehouse.sql_core.dim_events e USING (event_id)
), spanned AS (
    SELECT *, bool_or(NOT is_cancelled) OVER earlier AS has_other, max(cancelled_at) OVER earlier AS freed_at
    FROM joined
    WINDOW earlier AS (
        PARTITION BY source_event_id, registrant_key
        ORDER BY registered_at NULLS LAST, registration_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
)
SELECT registration_id, event_id, source_event_id, user_id, registrant_key, is_shared_address, registered_at,
    registered_date, registration_status, registration_type, team_size, department, year_of_study,
    date_diff('day', registered_date, start_date) AS lead_time_days, is_cancelled, cancelled_at,
    local_day(cancelled_at) AS cancelled_date, is_duplicate, is_counted,
    CASE
        WHEN registered_at IS NOT NULL AND (
            is_counted
            OR is_cancelled AND NOT coalesce(has_other, false) AND NOT coalesce(freed_at >= cancelled_at, false)
        ) THEN local_day(greatest(registered_at, freed_at))
    END AS counted_from_date,
    is_walk_in, is_attended, CASE WHEN is_attended THEN came_at END AS attended_at, payment_status
FROM spanned;

-- core.fact_email_events
CREATE OR REPLACE TABLE warehouse.sql_core.fact_email_events AS
SELECT email_event_id, message_id, r.registration_id, coalesce(r.event_id, e.event_id, 'unknown') AS event_id,
    coalesce(r.user_id, pseudonym(participant_email), 'unknown') AS user_id, provider, mail_type, email_event,
    is_machine AND email_event IN ('open', 'click') AS is_machine, occurred_at, local_day(occurred_at) AS occurred_date
FROM lake.sql_staging.email_events m
LEFT JOIN lake.sql_staging.resolved_registrations r USING (registration_id)
LEFT JOIN lake.sql_staging.events e ON e.event_id = m.event_id;

-- core.dim_users
CREATE OR REPLACE TABLE warehouse.sql_core.dim_users AS
WITH summary AS (
    SELECT user_id, first(department ORDER BY registered_at DESC NULLS LAST, registration_id DESC) AS department,
        first(year_of_study ORDER BY registered_at DESC NULLS LAST, registration_id DESC) AS year_of_study,
        min(registered_at) AS first_registered_at, min(registered_date) FILTER (is_counted) AS first_counted_date, max(registered_at) AS last_registered_at,
        count(*) FILTER (is_counted) AS registrations, count(*) FILTER (is_attended) AS events_attended
    FROM warehouse.sql_core.fact_registrations WHERE user_id <> 'unknown' GROUP BY user_id
)
SELECT user_id, department, year_of_study, first_registered_at, first_counted_date, last_registered_at,
    coalesce(registrations, 0) AS registrations, coalesce(events_attended, 0) AS events_attended
FROM lake.sql_people.people LEFT JOIN summary USING (user_id)
UNION ALL SELECT 'unknown', NULL, NULL, NULL, NULL, NULL, 0, 0;

-- core.dim_dates
CREATE OR REPLACE TABLE warehouse.sql_core.dim_dates AS
WITH mentioned AS (
    SELECT min(start_date) AS first, max(start_date) AS last FROM warehouse.sql_core.dim_events
    UNION ALL SELECT min(registered_date), max(registered_date) FROM warehouse.sql_core.fact_registrations
    UNION ALL SELECT min(cancelled_date), max(cancelled_date) FROM warehouse.sql_core.fact_registrations
    UNION ALL SELECT min(occurred_date), max(occurred_date) FROM warehouse.sql_core.fact_attendance
    UNION ALL SELECT min(occurred_date), max(occurred_date) FROM warehouse.sql_core.fact_payments
    UNION ALL SELECT min(occurred_date), max(occurred_date) FROM warehouse.sql_core.fact_payment_entries
    UNION ALL SELECT min(occurred_date), max(occurred_date) FROM warehouse.sql_core.fact_email_events
), days AS (
    SELECT unnest(generate_series(min(first)::TIMESTAMP, max(last)::TIMESTAMP, INTERVAL 1 DAY))::DATE AS date
    FROM mentioned
)
SELECT date, year(date) AS year, quarter(date) AS quarter, month(date) AS month, weekofyear(date) AS iso_week,
    isodow(date) AS day_of_week, isodow(date) >= 6 AS is_weekend
FROM days;

-- marts.agg_event_metrics
CREATE OR REPLACE TABLE warehouse.sql_marts.agg_event_metrics AS
WITH registered AS (
    SELECT event_id, registered_date AS date, count(*) FILTER (is_counted) AS registrations,
        count(*) FILTER (is_duplicate) AS duplicates,
        sum(team_size) FILTER (is_counted) AS participants, count(*) FILTER (is_counted AND is_walk_in) AS walk_ins
    FROM warehouse.sql_core.fact_registrations WHERE NOT is_cancelled GROUP BY ALL
), cancelled AS (
    SELECT event_id, cancelled_date AS date, count(*) AS cancellations
    FROM warehouse.sql_core.fact_registrations WHERE is_cancelled GROUP BY ALL
), arrived AS (
    SELECT event_id, occurred_date AS date, count(*) AS check_ins
    FROM warehouse.sql_core.fact_attendance WHERE is_counted GROUP BY ALL
), paid AS (
    SELECT event_id, occurred_date AS date, count(*) FILTER (payment_status = 'verified') AS payments_verified,
        count(*) FILTER (payment_status = 'pending') AS payments_pending
    FROM warehouse.sql_core.fact_payments WHERE payment_status IN ('verified', 'pending') GROUP BY ALL
), moved AS (
    SELECT event_id, occurred_date AS date, sum(amount_minor) AS revenue_minor
    FROM warehouse.sql_core.fact_payment_entries WHERE currency = '{{currency}}' GROUP BY ALL
), together AS (
    FROM registered UNION ALL BY NAME FROM cancelled UNION ALL BY NAME FROM arrived UNION ALL BY NAME FROM paid
    UNION ALL BY NAME FROM moved
)
SELECT event_id, date, coalesce(sum(registrations), 0)::BIGINT AS registrations,
    coalesce(sum(cancellations), 0)::BIGINT AS cancellations, coalesce(sum(duplicates), 0)::BIGINT AS duplicates,
    coalesce(sum(participants), 0)::BIGINT AS participants, coalesce(sum(walk_ins), 0)::BIGINT AS walk_ins,
    coalesce(sum(check_ins), 0)::BIGINT AS check_ins, coalesce(sum(revenue_minor), 0)::BIGINT AS revenue_minor,
    coalesce(sum(payments_verified), 0)::BIGINT AS payments_verified,
    coalesce(sum(payments_pending), 0)::BIGINT AS payments_pending, '{{currency}}' AS currency
FROM together GROUP BY event_id, date ORDER BY event_id, date;

-- marts.agg_registration_pace
CREATE OR REPLACE TABLE warehouse.sql_marts.agg_registration_pace AS
WITH changes AS (
    SELECT event_id, counted_from_date AS date, count(*) AS registrations, 0 AS cancellations,
        sum(team_size) AS participants, 0 AS cancelled_participants
    FROM warehouse.sql_core.fact_registrations WHERE counted_from_date IS NOT NULL GROUP BY ALL
    UNION ALL
    SELECT event_id, cancelled_date, 0, count(*), 0, sum(team_size)
    FROM warehouse.sql_core.fact_registrations WHERE counted_from_date IS NOT NULL AND is_cancelled GROUP BY ALL
), by_day AS (
    SELECT event_id, date_diff('day', date, start_date) AS days_before_start, registrations, cancellations,
        participants, cancelled_participants
    FROM changes JOIN warehouse.sql_core.dim_events USING (event_id)
    UNION ALL
    SELECT event_id, 0, 0, 0, 0, 0 FROM warehouse.sql_core.dim_events WHERE has_started(starts_at, event_status)
), daily AS (
    SELECT event_id, days_before_start, sum(registrations)::BIGINT AS registrations,
        sum(cancellations)::BIGINT AS cancellations, sum(participants)::BIGINT AS participants,
        sum(cancelled_participants)::BIGINT AS cancelled_participants
    FROM by_day GROUP BY ALL
), running AS (
    SELECT *, (sum(registrations - cancellations) OVER until_then)::BIGINT AS cumulative_registrations,
        (sum(participants - cancelled_participants) OVER until_then)::BIGINT AS cumulative_participants
    FROM daily WINDOW until_then AS (PARTITION BY event_id ORDER BY days_before_start DESC)
)
SELECT running.*, capacity, cumulative_participants / nullif(capacity, 0)::DOUBLE AS fill_rate
FROM running JOIN warehouse.sql_core.dim_events USING (event_id) WHERE starts_at IS NOT NULL
ORDER BY event_id, days_before_start;

-- marts.agg_arrivals
CREATE OR REPLACE TABLE warehouse.sql_marts.agg_arrivals AS
WITH buckets AS (
    SELECT event_id, epoch(occurred_at)::BIGINT // 300 * 300 AS second, count(*) AS check_ins
    FROM (
        SELECT event_id, date_trunc('minute', occurred_at) AS occurred_at
        FROM warehouse.sql_core.fact_attendance WHERE is_counted AND occurred_at IS NOT NULL
    )
    GROUP BY ALL
), registered AS (
    SELECT event_id, count(*) AS registered FROM warehouse.sql_core.fact_registrations WHERE is_counted GROUP BY ALL
)
SELECT event_id, make_timestamptz(second * 1000000) AS bucket_at,
    (second - epoch(date_trunc('minute', starts_at))::BIGINT) // 60 AS minutes_from_start, check_ins,
    (sum(check_ins) OVER (PARTITION BY event_id ORDER BY second))::BIGINT AS cumulative_check_ins,
    coalesce(registered, 0) AS registered
FROM buckets
LEFT JOIN warehouse.sql_core.dim_events USING (event_id)
LEFT JOIN registered USING (event_id)
ORDER BY event_id, bucket_at;

-- marts.agg_email_funnel
CREATE OR REPLACE TABLE warehouse.sql_marts.agg_email_funnel AS
WITH registered AS (
    SELECT event_id, count(*) AS registered, sum(team_size) AS registered_people,
        count(*) FILTER (is_attended) AS attended, sum(team_size) FILTER (is_attended) AS attended_people
    FROM warehouse.sql_core.fact_registrations WHERE is_counted GROUP BY ALL
), mailed AS (
    SELECT event_id, registration_id,
        bool_or(email_event IN ('delivered', 'open', 'click', 'spam_report')) AS delivered,
        bool_or(email_event IN ('open', 'click') AND NOT is_machine) AS opened,
        bool_or(email_event = 'click' AND NOT is_machine) AS clicked, bool_or(email_event = 'bounce') AS bounced
    FROM warehouse.sql_core.fact_email_events
    SEMI JOIN (SELECT registration_id FROM warehouse.sql_core.fact_registrations WHERE is_counted) USING (registration_id)
    WHERE email_event IN ('sent', 'delivered', 'deferred', 'bounce', 'open', 'click', 'spam_report') GROUP BY ALL
), steps AS (
    SELECT event_id, count(*) AS sent, count(*) FILTER (delivered) AS delivered,
        count(*) FILTER (opened) AS opened, count(*) FILTER (clicked) AS clicked, count(*) FILTER (bounced) AS bounced
    FROM mailed GROUP BY ALL
)
SELECT event_id, coalesce(registered, 0) AS registered, coalesce(registered_people, 0)::BIGINT AS registered_people,
    coalesce(sent, 0) AS sent, coalesce(delivered, 0) AS delivered,
    coalesce(opened, 0) AS opened, coalesce(clicked, 0) AS clicked, coalesce(bounced, 0) AS bounced,
    coalesce(attended, 0) AS attended, coalesce(attended_people, 0)::BIGINT AS attended_people
FROM warehouse.sql_core.dim_events LEFT JOIN registered USING (event_id) LEFT JOIN steps USING (event_id)
ORDER BY event_id;

-- marts.agg_daily_metrics
CREATE OR REPLACE TABLE warehouse.sql_marts.agg_daily_metrics AS
WITH people AS (
    SELECT min(registered_date) AS date
    FROM warehouse.sql_core.fact_registrations WHERE is_counted AND user_id <> 'unknown' GROUP BY user_id
), together AS (
    SELECT date FROM warehouse.sql_core.dim_dates
    UNION ALL BY NAME
    SELECT date, sum(registrations) AS registrations, sum(cancellations) AS cancellations,
        sum(duplicates) AS duplicates, sum(participants) AS participants, sum(check_ins) AS check_ins,
        sum(revenue_minor) AS revenue_minor
    FROM warehouse.sql_marts.agg_event_metrics GROUP BY date
    UNION ALL BY NAME
    SELECT date, count(*) AS new_people FROM people GROUP BY date
    UNION ALL BY NAME
    SELECT start_date AS date, count(*) AS events_started
    FROM warehouse.sql_core.dim_events WHERE has_started(starts_at, event_status) GROUP BY ALL
    UNION ALL BY NAME
    SELECT date, count(*) FILTER (is_sent) AS emails_sent, count(*) FILTER (is_delivered) AS emails_delivered
    FROM (
        SELECT occurred_date AS date, provider, user_id, coalesce(message_id, email_event_id) AS mail,
            bool_or(email_event = 'sent') AS is_sent, bool_or(email_event = 'delivered') AS is_delivered
        FROM warehouse.sql_core.fact_email_events WHERE email_event IN ('sent', 'delivered') GROUP BY ALL
    ) GROUP BY ALL
)
SELECT date, coalesce(sum(registrations), 0)::BIGINT AS registrations,
    coalesce(sum(cancellations), 0)::BIGINT AS cancellations, coalesce(sum(duplicates), 0)::BIGINT AS duplicates,
    coalesce(sum(participants), 0)::BIGINT AS participants, coalesce(sum(new_people), 0)::BIGINT AS new_people,
    coalesce(sum(check_ins), 0)::BIGINT AS check_ins, coalesce(sum(revenue_minor), 0)::BIGINT AS revenue_minor,
    coalesce(sum(events_started), 0)::BIGINT AS events_started, coalesce(sum(emails_sent), 0)::BIGINT AS emails_sent,
    coalesce(sum(emails_delivered), 0)::BIGINT AS emails_delivered, '{{currency}}' AS currency
FROM together GROUP BY date ORDER BY date;

-- marts.agg_cohorts
CREATE OR REPLACE TABLE warehouse.sql_marts.agg_cohorts AS
WITH months AS (
    SELECT DISTINCT user_id, date_trunc('month', occurred_date)::DATE AS month
    FROM warehouse.sql_core.fact_attendance
    WHERE is_counted AND occurred_date IS NOT NULL AND user_id <> 'unknown'
), attended AS (
    SELECT user_id, month, min(month) OVER (PARTITION BY user_id) AS cohort_month FROM months
), cohorts AS (
    SELECT cohort_month, count(DISTINCT user_id) AS cohort_people FROM attended GROUP BY ALL
), came AS (
    SELECT cohort_month, month, count(*) AS attended_people FROM attended GROUP BY ALL
), calendar AS (
    SELECT DISTINCT date_trunc('month', date)::DATE AS month FROM warehouse.sql_core.dim_dates
    WHERE date_trunc('month', date) <= (SELECT max(month) FROM attended)
)
SELECT cohort_month, date_diff('month', cohort_month, month) AS months_since, cohort_people,
    coalesce(attended_people, 0) AS attended_people,
    coalesce(attended_people, 0) / cohort_people::DOUBLE AS repeat_rate
FROM cohorts JOIN calendar ON month >= cohort_month LEFT JOIN came USING (cohort_month, month)
ORDER BY cohort_month, months_since;

-- marts.agg_club_metrics
CREATE OR REPLACE TABLE warehouse.sql_marts.agg_club_metrics AS
WITH events AS (
    SELECT event_id, club_id, capacity, has_started(starts_at, event_status) AS is_started
    FROM warehouse.sql_core.dim_events
), totals AS (
    SELECT event_id, sum(registrations) AS registrations, sum(participants) AS participants,
        sum(revenue_minor) AS revenue_minor
    FROM warehouse.sql_marts.agg_event_metrics GROUP BY event_id
), by_event AS (
    SELECT club_id, count(*) FILTER (event_id <> 'unknown') AS events, count(*) FILTER (is_started) AS events_started,
        coalesce(sum(registrations), 0) AS registrations, coalesce(sum(participants), 0) AS participants,
        coalesce(sum(registrations) FILTER (is_started), 0) AS expected,
        coalesce(sum(participants) FILTER (is_started), 0) AS expected_people,
        coalesce(sum(revenue_minor), 0) AS revenue_minor,
        sum(round(coalesce(participants, 0) * 1000000 / capacity)::BIGINT) FILTER (is_started AND capacity > 0)
            AS fill_millionths,
        count(*) FILTER (is_started AND capacity > 0) AS events_with_capacity
    FROM events LEFT JOIN totals USING (event_id) GROUP BY club_id
), people AS (
    SELECT club_id, user_id, count(*) FILTER (is_attended) AS attended,
        count(*) FILTER (is_attended AND is_started) AS expected_attended,
        sum(team_size) FILTER (is_attended) AS attended_people,
        sum(team_size) FILTER (is_attended AND is_started) AS expected_attended_people, min(event_id) <> max(event_id) AS is_returning
    FROM warehouse.sql_core.fact_registrations JOIN events USING (event_id) WHERE is_counted
    GROUP BY club_id, user_id
), by_club AS (
    SELECT club_id, sum(attended) AS attended, sum(expected_attended) AS expected_attended,
        sum(attended_people) AS attended_people, sum(expected_attended_people) AS expected_attended_people,
        count(*) FILTER (user_id <> 'unknown') AS people,
        count(*) FILTER (user_id <> 'unknown' AND is_returning) AS returning_people
    FROM people GROUP BY club_id
)
SELECT club_id, coalesce(events, 0) AS events, coalesce(events_started, 0) AS events_started,
    coalesce(registrations, 0)::BIGINT AS registrations, coalesce(participants, 0)::BIGINT AS participants,
    coalesce(attended, 0)::BIGINT AS attended, coalesce(expected, 0)::BIGINT AS expected,
    coalesce(expected_attended, 0)::BIGINT AS expected_attended,
    coalesce(expected_attended, 0) / nullif(expected, 0)::DOUBLE AS attendance_rate,
    coalesce(attended_people, 0)::BIGINT AS attended_people, coalesce(expected_people, 0)::BIGINT AS expected_people,
    coalesce(expected_attended_people, 0)::BIGINT AS expected_attended_people,
    coalesce(revenue_minor, 0)::BIGINT AS revenue_minor, '{{currency}}' AS currency, coalesce(people, 0) AS people,
    coalesce(returning_people, 0) AS returning_people,
    fill_millionths / nullif(events_with_capacity * 1000000, 0)::DOUBLE AS average_fill_rate
FROM warehouse.sql_core.dim_clubs LEFT JOIN by_event USING (club_id) LEFT JOIN by_club USING (club_id)
ORDER BY club_id;

-- marts.agg_event_revenue
CREATE OR REPLACE TABLE warehouse.sql_marts.agg_event_revenue AS
SELECT event_id, occurred_date AS date, currency,
    coalesce(sum(amount_minor) FILTER (amount_minor > 0), 0)::BIGINT AS paid_minor,
    coalesce(-sum(amount_minor) FILTER (amount_minor < 0), 0)::BIGINT AS refunded_minor,
    sum(amount_minor)::BIGINT AS revenue_minor
FROM warehouse.sql_core.fact_payment_entries GROUP BY ALL ORDER BY event_id, date, currency;

-- marts.agg_payment_discrepancies
CREATE OR REPLACE TABLE warehouse.sql_marts.agg_payment_discrepancies AS
WITH reported AS (
    SELECT DISTINCT event_id, true AS is_reported FROM warehouse.sql_core.fact_payments
    WHERE method NOT IN ('app', 'sheet')
), standing AS (
    SELECT registration_id, count(*) AS standing FROM warehouse.sql_core.fact_payments
    WHERE payment_status = 'verified' AND revenue_minor > 0 AND registration_id IS NOT NULL GROUP BY registration_id
), judged AS (
    SELECT p.*, nullif(e.fee_minor, 0) AS fee, nullif(e.fee_minor, 0) * coalesce(f.team_size, 1) AS expected_minor,
        p.payment_status = 'verified' AND revenue_minor > 0 AS stands, method IN ('app', 'sheet') AS is_by_hand,
        is_reported, standing, is_cancelled, is_duplicate
    FROM warehouse.sql_core.fact_payments p
    LEFT JOIN warehouse.sql_core.dim_events e USING (event_id)
    LEFT JOIN reported USING (event_id)
    LEFT JOIN warehouse.sql_core.fact_registrations f ON f.registration_id = p.registration_id
    LEFT JOIN standing s ON s.registration_id = p.registration_id
), named AS (
    SELECT *, unnest(list_filter([
        CASE WHEN stands AND is_by_hand AND event_id <> 'unknown' AND is_reported THEN 'marked_but_not_reported' END,
        CASE WHEN stands AND NOT is_by_hand AND app_status IS DISTINCT FROM 'verified' THEN 'paid_but_not_marked' END,
        CASE WHEN stands AND currency = '{{currency}}' AND amount_minor NOT IN (fee, expected_minor)
            THEN 'amount_differs_from_fee' END,
        CASE WHEN stands AND standing > 1 THEN 'paid_twice' END,
        CASE WHEN stands AND is_cancelled THEN 'paid_for_cancelled' END,
        CASE WHEN stands AND is_duplicate THEN 'paid_for_duplicate' END,
        CASE WHEN is_disputed THEN 'disputed' END,
        CASE WHEN stands AND currency <> '{{currency}}' THEN 'other_currency' END
    ], lambda kind: kind IS NOT NULL)) AS discrepancy
    FROM judged
)
SELECT payment_id, discrepancy, event_id, registration_id, user_id, method, app_status, provider_status,
    payment_status, amount_minor, expected_minor, revenue_minor, currency, paid_at, occurred_at
FROM named ORDER BY payment_id, discrepancy;

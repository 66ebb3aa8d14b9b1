-- staging.payment_verifications
CREATE OR REPLACE TABLE lake.sql_staging.payment_verifications AS
WITH edited AS (
    SELECT document_id FROM lake.raw.firebase_registrations GROUP BY document_id HAVING count(*) > 1
), history AS (
    SELECT document_id, version,
        CASE WHEN operation = 'upsert' THEN json_extract_string(payload, [
            '$.payment_status', '$.updated_at', '$.registration_date', '$.created_at'
        ]) END AS t
    FROM lake.raw.firebase_registrations SEMI JOIN edited USING (document_id)
), others AS (
    SELECT document_id, max(version) AS last_other FROM history
    WHERE NOT coalesce(lower(trim(t[1])) = 'verified', false) GROUP BY document_id
), runs AS (
    SELECT document_id, min(version) AS version, arg_min(t, version) AS t
    FROM history LEFT JOIN others USING (document_id)
    WHERE lower(trim(t[1])) = 'verified' AND coalesce(version > last_other, true)
    GROUP BY document_id
), edited_rows AS (
    SELECT document_id FROM lake.raw.sheets_rows GROUP BY document_id HAVING count(*) > 1
), row_history AS (
    SELECT document_id, version,
        coalesce(
            operation = 'upsert' AND lower(trim(payload ->> '$.fields.payment_verified')) IN ('yes', 'verified'), false
        ) AS is_verified
    FROM lake.raw.sheets_rows SEMI JOIN edited_rows USING (document_id)
), other_rows AS (
    SELECT document_id, max(version) AS last_other FROM row_history WHERE NOT is_verified GROUP BY document_id
)
SELECT 'registrations' AS collection, document_id,
    coalesce(as_instant(tidy(t[2])), as_instant(tidy(t[3])), as_instant(tidy(t[4])), version_instant(version))
        AS verified_at
FROM runs
UNION ALL
SELECT 'sheet_rows', document_id, version_instant(min(version))
FROM row_history LEFT JOIN other_rows USING (document_id)
WHERE is_verified AND coalesce(version > last_other, true)
GROUP BY document_id;

-- staging.provider_refunds
CREATE OR REPLACE TEMP TABLE payment_states AS
WITH named AS (
    SELECT provider, object_id AS named_id, max(payment_id) AS named_payment
    FROM lake.sql_staging.payment_events
    WHERE object_type IN ('session', 'charge') AND object_id <> payment_id
    GROUP BY ALL
)
SELECT e.* EXCLUDE (object_type), e.provider || ':' || coalesce(named_payment, payment_id) AS payment_key,
    coalesce(object_type, CASE WHEN payment_event = 'refunded' THEN 'refund' ELSE 'payment' END) AS object_type,
    coalesce(
        CASE WHEN object_type IS NULL AND payment_event = 'refunded' THEN NULL ELSE object_id END, payment_event_id
    ) AS object_key,
    {'at': occurred_at, 'step': coalesce(state_order, 0), 'id': payment_event_id} AS place
FROM lake.sql_staging.payment_events e
LEFT JOIN named n ON n.provider = e.provider AND n.named_id = e.payment_id;

CREATE OR REPLACE TABLE lake.sql_staging.provider_refunds AS
WITH refunds AS (
    SELECT payment_key, object_key, arg_max(payment_event, place) IN ('pending', 'succeeded', 'refunded') AS is_back,
        arg_max(amount_minor, place) AS amount,
        coalesce(
            min(object_created_at),
            min(occurred_at) FILTER (payment_event IN ('pending', 'succeeded', 'refunded'))
        ) AS began_at,
        min(occurred_at) FILTER (payment_event NOT IN ('pending', 'succeeded', 'refunded')) AS failed_at,
        max(occurred_at) AS last_at
    FROM payment_states WHERE object_type = 'refund' GROUP BY ALL
), charges AS (
    SELECT * FROM payment_states WHERE object_type = 'charge' AND captured_minor > 0 AND refunded_minor IS NOT NULL
), failed AS (
    SELECT c.payment_event_id, sum(r.amount) AS off
    FROM charges c JOIN refunds r USING (payment_key)
    WHERE NOT is_back AND coalesce(began_at <= occurred_at, true)
        AND (failed_at > occurred_at OR failed_at = occurred_at AND coalesce(returned_minor, 0) = 0)
    GROUP BY ALL
), net AS (
    SELECT c.*, greatest(coalesce(off, 0) - coalesce(returned_minor, 0), 0) AS off_now
    FROM charges c LEFT JOIN failed USING (payment_event_id)
), lasting AS (
    SELECT *, min(refunded_minor - CASE WHEN off_now <= refunded_minor THEN off_now ELSE 0 END) OVER (
        PARTITION BY payment_key, object_key ORDER BY occurred_at, coalesce(state_order, 0), payment_event_id
        ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
    ) AS level
    FROM net
), shown AS (
    SELECT payment_key, payment_event_id, occurred_at,
        (level - coalesce(lag(level) OVER (
            PARTITION BY payment_key, object_key ORDER BY occurred_at, coalesce(state_order, 0), payment_event_id
        ), 0))::BIGINT AS added
    FROM lasting QUALIFY added > 0
), totals AS (
    SELECT payment_key, min(occurred_at) AS since_at, max(occurred_at) AS until_at,
        max(amount_minor - captured_minor) AS released
    FROM charges GROUP BY ALL
), standing AS (
    SELECT r.*, until_at, coalesce(amount = released AND began_at <= since_at, false) AS is_release,
        coalesce(began_at > until_at, true) AS is_after
    FROM refunds r LEFT JOIN totals USING (payment_key) WHERE is_back AND amount > 0
), caps AS (
    SELECT payment_key, greatest(sum(shown), sum(late)) AS cap
    FROM (
        SELECT payment_key, added AS shown, 0 AS late FROM shown
        UNION ALL
        SELECT payment_key, 0, amount FROM standing WHERE NOT is_after AND NOT is_release AND last_at >= until_at
    )
    GROUP BY ALL
), points AS (
    SELECT payment_key, began_at AS occurred_at, 'refund' AS named_by, object_key AS named, amount AS known, 0 AS shown
    FROM standing WHERE NOT is_after AND NOT is_release
    UNION ALL
    SELECT payment_key, occurred_at, 'charge', payment_event_id, 0, added FROM shown
), levels AS (
    SELECT p.*, least(
        greatest(sum(known) OVER in_order, sum(shown) OVER in_order), coalesce(cap, 0)
    )::BIGINT AS level
    FROM points p LEFT JOIN caps USING (payment_key)
    WINDOW in_order AS (
        PARTITION BY payment_key ORDER BY occurred_at, named_by DESC, named ROWS UNBOUNDED PRECEDING
    )
), steps AS (
    SELECT payment_key, named_by, named, occurred_at,
        level - coalesce(lag(level) OVER (
            PARTITION BY payment_key ORDER BY occurred_at, named_by DESC, named
        ), 0) AS step
    FROM levels QUALIFY step > 0
), disputes AS (
    SELECT *, max(CASE WHEN payment_event <> 'lost' THEN occurred_at END)
        OVER (PARTITION BY payment_key, object_key) AS other_at
    FROM payment_states WHERE object_type = 'dispute'
), asked AS (
    SELECT payment_key, max(amount_minor) AS asked,
        arg_max(upper(currency), place) FILTER (currency IS NOT NULL) AS asked_in
    FROM payment_states WHERE object_type IN ('payment', 'session', 'charge') GROUP BY ALL
), latest_disputes AS (
    SELECT payment_key, object_key, arg_max(amount_minor, place) AS amount,
        arg_max(upper(currency), place) FILTER (currency IS NOT NULL) AS lost_in,
        min(occurred_at) FILTER (payment_event = 'lost' AND coalesce(occurred_at >= other_at, true)) AS lost_at
    FROM disputes GROUP BY ALL HAVING arg_max(payment_event, place) = 'lost'
), lost AS (
    SELECT d.* REPLACE (CASE WHEN lost_in <> asked_in THEN greatest(asked, 1) ELSE amount END AS amount)
    FROM latest_disputes d LEFT JOIN asked USING (payment_key)
)
SELECT payment_key || '/' || named_by || '/' || named AS entry_id, payment_key AS payment_id, 'refund' AS entry_kind,
    step AS amount_minor, occurred_at
FROM steps
UNION ALL
SELECT payment_key || '/refund/' || object_key, payment_key, 'refund', amount, began_at FROM standing WHERE is_after
UNION ALL
SELECT payment_key || '/dispute/' || object_key, payment_key, 'dispute', amount, lost_at FROM lost WHERE amount > 0;

-- staging.provider_payments
CREATE OR REPLACE TABLE lake.sql_staging.provider_payments AS
WITH states AS (
    SELECT *,
        coalesce(captured_minor, CASE WHEN payment_event = 'succeeded' THEN amount_minor ELSE 0 END) AS captured,
        object_type IN ('payment', 'session', 'charge') AS is_attempt,
        object_type IN ('payment', 'session') AND payment_event = 'succeeded' AS is_success
    FROM payment_states
), summed AS (
    SELECT payment_key, max(provider) AS provider, max(registration_id) AS registration_id, max(event_id) AS event_id,
        coalesce(
            arg_max(upper(currency), place) FILTER (currency IS NOT NULL AND is_attempt),
            arg_max(upper(currency), place) FILTER (currency IS NOT NULL)
        ) AS currency,
        max(captured) FILTER (object_type = 'payment') AS of_intent,
        max(captured) FILTER (object_type = 'session') AS of_session,
        coalesce(max(amount_minor) FILTER (is_attempt), max(amount_minor)) AS tried,
        arg_max(
            payment_event, {'at': occurred_at, 'failed': (payment_event = 'failed')::INT, 'place': place}
        ) FILTER (is_attempt) AS last_event,
        bool_or(is_success) AS is_success, min(paid_at) AS paid_at,
        min(CASE WHEN object_type = 'charge' THEN coalesce(object_created_at, occurred_at) ELSE occurred_at END)
            FILTER (is_success OR is_attempt AND captured > 0) AS shown_at,
        coalesce(max(occurred_at) FILTER (is_attempt), max(occurred_at)) AS reported_at
    FROM states GROUP BY payment_key
), charged AS (
    SELECT payment_key, sum(captured)::BIGINT AS of_charges
    FROM (
        SELECT payment_key, arg_max(captured, place) AS captured FROM states
        WHERE object_type = 'charge' GROUP BY payment_key, object_key
    )
    GROUP BY payment_key
), disputed AS (
    SELECT payment_key, bool_or(state = 'open') AS is_open, bool_or(state = 'lost') AS is_lost
    FROM (
        SELECT payment_key, arg_max(payment_event, place) AS state FROM states
        WHERE object_type = 'dispute' GROUP BY payment_key, object_key
    )
    GROUP BY payment_key
), returned AS (
    SELECT payment_id AS payment_key, sum(amount_minor)::BIGINT AS back, max(occurred_at) AS back_at
    FROM lake.sql_staging.provider_refunds GROUP BY ALL
), known AS (
    SELECT *, coalesce(
        nullif(greatest(coalesce(of_charges, 0), coalesce(of_intent, 0)), 0), of_session, 0
    ) AS received
    FROM summed LEFT JOIN charged USING (payment_key) LEFT JOIN disputed USING (payment_key)
    LEFT JOIN returned USING (payment_key)
), paid AS (
    SELECT * REPLACE (
        CASE WHEN received = 0 AND coalesce(last_event, '') <> 'failed' THEN coalesce(back, 0) ELSE received END
        AS received
    ) FROM known
), stated AS (
    SELECT *, least(coalesce(back, 0), received) AS refunded,
        CASE
            WHEN least(coalesce(back, 0), received) > 0 AND coalesce(back, 0) >= received THEN 'refunded'
            WHEN received > 0 OR is_success THEN 'verified'
            WHEN last_event = 'failed' THEN 'failed'
            ELSE 'pending'
        END AS payment_status
    FROM paid
), dated AS (
    SELECT * REPLACE (
        CASE WHEN payment_status IN ('verified', 'refunded') THEN coalesce(paid_at, shown_at) END AS paid_at
    ), CASE WHEN refunded > 0 THEN back_at END AS refunded_at
    FROM stated
)
SELECT payment_key AS payment_id, provider, registration_id, event_id, payment_status,
    CASE WHEN received > 0 THEN received ELSE tried END AS amount_minor, received AS received_minor,
    refunded AS refunded_minor, currency, coalesce(is_open, false) AS is_disputed,
    coalesce(is_lost, false) AS is_dispute_lost, paid_at, refunded_at,
    coalesce(paid_at, refunded_at, reported_at) AS occurred_at
FROM dated;
DROP TABLE payment_states;

-- staging.scans
CREATE OR REPLACE TEMP TABLE read_scans AS
WITH latest AS (
    SELECT document_id, max(version) AS version, arg_max(source, version || source) AS source
    FROM lake.raw.inbox_scans GROUP BY document_id
), documents AS (
    SELECT document_id, version, source, coalesce(left(payload, 1) = '{', false) AS is_object,
        version_instant(version) AS version_at,
        json_extract_string(payload, [
            '$.qr_code_data', '$.scanned_at', '$.scanner_id', '$.received_at', '$.event_id', '$.override',
            '$.override_by', '$.override_reason'
        ]) AS t
    FROM lake.raw.inbox_scans JOIN latest USING (document_id, version, source)
    WHERE operation = 'upsert'
), tidied AS (
    SELECT document_id, version, source, is_object, version_at, t,
        tidy(t[1]) AS p_qr_text,
        tidy_instant(t[2]) AS p_scanned_at,
        tidy(t[3]) AS p_scanner_id,
        tidy_instant(t[4]) AS p_received_at,
        tidy(t[5]) AS p_door_event_id,
        lower(tidy(t[6])) AS p_is_override,
        tidy(t[7]) AS p_override_by,
        tidy(t[8]) AS p_override_reason
    FROM documents
), values_read AS (
    SELECT document_id, version, source, is_object, version_at, t,
        p_scanned_at, p_scanner_id, p_received_at, p_door_event_id, p_is_override, p_override_by, p_override_reason,
        p_qr_text AS qr_text, as_instant(p_scanned_at) AS scanned_at, as_text(p_scanner_id) AS scanner_id,
        as_instant(p_received_at) AS received_at, as_text(p_door_event_id) AS door_event_id,
        as_boolean(p_is_override) AS said_override, as_text(p_override_by) AS override_by,
        as_text(p_override_reason) AS override_reason,
        replace(
            CASE WHEN p_qr_text LIKE '{%}' THEN p_qr_text ELSE regexp_replace(p_qr_text, '{{code_edges}}', '', 'g') END,
            '\u0000', '\ufffd'
        ) AS bare_text
    FROM tidied
), coded AS (
    SELECT * EXCLUDE (bare_text),
        json_extract_string(CASE WHEN json_valid(bare_text) THEN bare_text ELSE '{}' END, [
            '$.type', '$.registrationId', '$.eventId', '$.email', '$.timestamp', '$.hash'
        ]) AS code
    FROM values_read
), signed AS (
    SELECT * EXCLUDE (code), code[1] AS code_type,
        regexp_replace(code[2], '{{id_edges}}', '', 'g') AS claimed_registration_id,
        regexp_replace(code[3], '{{id_edges}}', '', 'g') AS claimed_event_id,
        code[2] || ':' || code[3] || ':' || code[4] || ':' || code[5] AS signed, code[6] AS code_hash
    FROM coded
), hashed AS (
    -- The app's checksum: h = 31 h + c in 32 bits over the characters, its absolute value in base 36.
    SELECT *,
        list_reduce(
            list_transform(
                string_split(
                    CASE WHEN length(signed) <= 1000 AND NOT regexp_matches(signed, '[^\x{0}-\x{ffff}]') THEN signed END,
                    ''
                ),
                lambda letter: ascii(letter)::BIGINT
            ),
            lambda h, code: (31 * h + code) % 4294967296
        ) AS bits
    FROM signed
), judged AS (
    SELECT * EXCLUDE (bits, code_type, signed, code_hash),
        coalesce(code_type = 'NITS_EVENT_ATTENDANCE' AND claimed_registration_id IS NOT NULL, false) AS is_readable,
        coalesce(
            lower(to_base(CASE WHEN bits >= 2147483648 THEN 4294967296 - bits ELSE bits END, 36)) = code_hash, false
        ) AS is_checksum_valid
    FROM hashed
), checked AS (
    SELECT *,
        coalesce(
            NOT is_object
            OR length(document_id) > 1600,
        false) AS is_rejected,
        coalesce(
            length(qr_text) > 5000
            OR p_scanned_at IS NOT NULL AND scanned_at IS NULL
            OR p_is_override IS NOT NULL AND said_override IS NULL
            OR p_override_by IS NOT NULL AND override_by IS NULL
            OR length(override_by) > 200
            OR p_override_reason IS NOT NULL AND override_reason IS NULL
            OR length(override_reason) > 200
            OR p_scanner_id IS NOT NULL AND scanner_id IS NULL
            OR length(scanner_id) > 200
            OR p_received_at IS NOT NULL AND received_at IS NULL
            OR p_door_event_id IS NOT NULL AND door_event_id IS NULL
            OR length(door_event_id) > 200,
        false) AS is_noted
    FROM judged
)
SELECT
    document_id, version, source, version_at, is_object, qr_text, scanned_at, scanner_id, received_at, door_event_id,
    said_override, override_by, override_reason, claimed_registration_id, claimed_event_id, is_readable,
    is_checksum_valid, is_rejected, is_noted,
    CASE WHEN is_rejected OR is_noted THEN t END AS t
FROM checked;

CREATE OR REPLACE TABLE lake.sql_staging.scans AS
SELECT
    document_id AS scan_id, CASE WHEN length(qr_text) <= 5000 THEN qr_text END AS qr_text, scanned_at,
    CASE WHEN length(scanner_id) <= 200 THEN scanner_id END AS scanner_id, received_at,
    CASE WHEN length(door_event_id) <= 200 THEN door_event_id END AS door_event_id,
    coalesce(said_override, false) AS is_override, CASE WHEN length(override_by) <= 200 THEN override_by END AS override_by,
    CASE WHEN length(override_reason) <= 200 THEN override_reason END AS override_reason, claimed_registration_id,
    claimed_event_id, is_readable, is_checksum_valid, source, version, version_at
FROM read_scans WHERE NOT is_rejected;

INSERT INTO quarantined
SELECT 'scans', document_id, source, version, unnest(list_filter([
        CASE WHEN NOT is_object THEN {'rule': '(document).not_an_object', 'value': NULL} END,
        CASE WHEN length(document_id) > 1600 THEN {'rule': 'scan_id.too_long', 'value': document_id} END,
        CASE WHEN length(qr_text) > 5000 THEN {'rule': 'qr_text.too_long', 'value': t[1]} END,
        CASE WHEN tidy_instant(t[2]) IS NOT NULL AND scanned_at IS NULL THEN {'rule': 'scanned_at.garbled', 'value': t[2]} END,
        CASE WHEN tidy(t[3]) IS NOT NULL AND scanner_id IS NULL THEN {'rule': 'scanner_id.garbled', 'value': t[3]} END,
        CASE WHEN length(scanner_id) > 200 THEN {'rule': 'scanner_id.too_long', 'value': t[3]} END,
        CASE WHEN tidy_instant(t[4]) IS NOT NULL AND received_at IS NULL THEN {'rule': 'received_at.garbled', 'value': t[4]} END,
        CASE WHEN tidy(t[5]) IS NOT NULL AND door_event_id IS NULL
            THEN {'rule': 'door_event_id.garbled', 'value': t[5]} END,
        CASE WHEN length(door_event_id) > 200 THEN {'rule': 'door_event_id.too_long', 'value': t[5]} END,
        CASE WHEN tidy(t[6]) IS NOT NULL AND said_override IS NULL THEN {'rule': 'is_override.garbled', 'value': t[6]} END,
        CASE WHEN tidy(t[7]) IS NOT NULL AND override_by IS NULL THEN {'rule': 'override_by.garbled', 'value': t[7]} END,
        CASE WHEN length(override_by) > 200 THEN {'rule': 'override_by.too_long', 'value': t[7]} END,
        CASE WHEN tidy(t[8]) IS NOT NULL AND override_reason IS NULL
            THEN {'rule': 'override_reason.garbled', 'value': t[8]} END,
        CASE WHEN length(override_reason) > 200 THEN {'rule': 'override_reason.too_long', 'value': t[8]} END
    ], lambda broken: broken IS NOT NULL))
FROM read_scans WHERE is_rejected OR is_noted;
DROP TABLE read_scans;

-- staging.email_events
CREATE OR REPLACE TEMP TABLE read_email_events AS
WITH latest AS (
    SELECT document_id, max(version) AS version, arg_max(source, version || source) AS source
    FROM lake.raw.inbox_email_events GROUP BY document_id
), documents AS (
    SELECT document_id, version, source, coalesce(left(payload, 1) = '{', false) AS is_object,
        version_instant(version) AS version_at,
        json_extract_string(payload, [
            '$.provider', '$.message_id', '$.registration_id', '$.event_id', '$.email', '$.mail_type', '$.event',
            '$.occurred_at', '$.is_machine'
        ]) AS t
    FROM lake.raw.inbox_email_events JOIN latest USING (document_id, version, source)
    WHERE operation = 'upsert'
), tidied AS (
    SELECT document_id, version, source, is_object, version_at, t,
        tidy(t[1]) AS p_provider,
        tidy(t[2]) AS p_message_id,
        tidy(t[3]) AS p_registration_id,
        tidy(t[4]) AS p_event_id,
        tidy_email(t[5]) AS p_participant_email,
        tidy(t[6]) AS p_mail_type,
        tidy_choice(t[7], ['sent', 'delivered', 'deferred', 'bounce', 'dropped', 'open', 'click', 'spam_report', 'unsubscribe']) AS p_email_event,
        tidy_instant(t[8]) AS p_occurred_at,
        lower(tidy(t[9])) AS p_is_machine
    FROM documents
), values_read AS (
    SELECT document_id, version, source, is_object, version_at, t,
        p_provider, p_message_id, p_registration_id, p_event_id, p_participant_email, p_mail_type, p_occurred_at,
        p_is_machine, as_boolean(p_is_machine) AS said_machine,
        as_text(p_provider) AS provider, as_text(p_message_id) AS message_id,
        as_text(p_registration_id) AS registration_id, as_text(p_event_id) AS event_id,
        as_email(p_participant_email) AS participant_email, as_text(p_mail_type) AS mail_type,
        p_email_event AS email_event, as_instant(p_occurred_at) AS occurred_at
    FROM tidied
), checked AS (
    SELECT *,
        coalesce(
            NOT is_object
            OR length(document_id) > 1600
            OR p_provider IS NOT NULL AND provider IS NULL
            OR provider IS NULL
            OR length(provider) > 100
            OR p_registration_id IS NOT NULL AND registration_id IS NULL
            OR length(registration_id) > 200
            OR p_event_id IS NOT NULL AND event_id IS NULL
            OR length(event_id) > 200
            OR p_participant_email IS NOT NULL AND participant_email IS NULL
            OR length(participant_email) > 320
            OR email_event IS NULL
            OR email_event NOT IN ('sent', 'delivered', 'deferred', 'bounce', 'dropped', 'open', 'click', 'spam_report', 'unsubscribe')
            OR p_occurred_at IS NOT NULL AND occurred_at IS NULL
            OR occurred_at IS NULL,
        false) AS is_rejected,
        coalesce(
            p_message_id IS NOT NULL AND message_id IS NULL
            OR length(message_id) > 1000
            OR p_mail_type IS NOT NULL AND mail_type IS NULL
            OR length(mail_type) > 100
            OR p_is_machine IS NOT NULL AND said_machine IS NULL,
        false) AS is_noted
    FROM values_read
)
SELECT
    document_id, version, source, version_at, is_object, provider, message_id, registration_id, event_id,
    participant_email, mail_type, email_event, occurred_at, said_machine, is_rejected, is_noted,
    CASE WHEN is_rejected OR is_noted THEN t END AS t
FROM checked;

CREATE OR REPLACE TABLE lake.sql_staging.email_events AS
SELECT
    document_id AS email_event_id, provider,
    CASE WHEN length(message_id) <= 1000 THEN message_id END AS message_id, registration_id, event_id,
    participant_email, CASE WHEN length(mail_type) <= 100 THEN mail_type END AS mail_type, email_event,
    occurred_at, coalesce(said_machine, false) AS is_machine, source, version, version_at
FROM read_email_events WHERE NOT is_rejected;

INSERT INTO quarantined
SELECT 'email_events', document_id, source, version, unnest(list_filter([
        CASE WHEN NOT is_object THEN {'rule': '(document).not_an_object', 'value': NULL} END,
        CASE WHEN length(document_id) > 1600 THEN {'rule': 'email_event_id.too_long', 'value': document_id} END,
        CASE WHEN tidy(t[1]) IS NOT NULL AND provider IS NULL THEN {'rule': 'provider.garbled', 'value': t[1]} END,
        CASE WHEN provider IS NULL THEN {'rule': 'provider.required', 'value': t[1]} END,
        CASE WHEN length(provider) > 100 THEN {'rule': 'provider.too_long', 'value': t[1]} END,
        CASE WHEN tidy(t[2]) IS NOT NULL AND message_id IS NULL THEN {'rule': 'message_id.garbled', 'value': t[2]} END,
        CASE WHEN length(message_id) > 1000 THEN {'rule': 'message_id.too_long', 'value': t[2]} END,
        CASE WHEN tidy(t[3]) IS NOT NULL AND registration_id IS NULL THEN {'rule': 'registration_id.garbled', 'value': t[3]} END,
        CASE WHEN length(registration_id) > 200 THEN {'rule': 'registration_id.too_long', 'value': t[3]} END,
        CASE WHEN tidy(t[4]) IS NOT NULL AND event_id IS NULL THEN {'rule': 'event_id.garbled', 'value': t[4]} END,
        CASE WHEN length(event_id) > 200 THEN {'rule': 'event_id.too_long', 'value': t[4]} END,
        CASE WHEN tidy_email(t[5]) IS NOT NULL AND participant_email IS NULL THEN {'rule': 'participant_email.garbled', 'value': t[5]} END,
        CASE WHEN length(participant_email) > 320 THEN {'rule': 'participant_email.too_long', 'value': t[5]} END,
        CASE WHEN tidy(t[6]) IS NOT NULL AND mail_type IS NULL THEN {'rule': 'mail_type.garbled', 'value': t[6]} END,
        CASE WHEN length(mail_type) > 100 THEN {'rule': 'mail_type.too_long', 'value': t[6]} END,
        CASE WHEN email_event IS NULL THEN {'rule': 'email_event.required', 'value': t[7]} END,
        CASE WHEN email_event NOT IN ('sent', 'delivered', 'deferred', 'bounce', 'dropped', 'open', 'click', 'spam_report', 'unsubscribe') THEN {'rule': 'email_event.allowed', 'value': t[7]} END,
        CASE WHEN tidy_instant(t[8]) IS NOT NULL AND occurred_at IS NULL THEN {'rule': 'occurred_at.garbled', 'value': t[8]} END,
        CASE WHEN occurred_at IS NULL THEN {'rule': 'occurred_at.required', 'value': t[8]} END,
        CASE WHEN tidy(t[9]) IS NOT NULL AND said_machine IS NULL THEN {'rule': 'is_machine.garbled', 'value': t[9]} END
    ], lambda broken: broken IS NOT NULL))
FROM read_email_events WHERE is_rejected OR is_noted;
DROP TABLE read_email_events;

-- staging.payment_events
CREATE OR REPLACE TEMP TABLE read_payment_events AS
WITH latest AS (
    SELECT document_id, max(version) AS version, arg_max(source, version || source) AS source
    FROM lake.raw.inbox_payment_events GROUP BY document_id
), documents AS (
    SELECT document_id, version, source, coalesce(left(payload, 1) = '{', false) AS is_object,
        version_instant(version) AS version_at,
        json_extract_string(payload, [
            '$.provider', '$.payment_id', '$.registration_id', '$.event_id', '$.status', '$.amount_minor',
            '$.currency', '$.occurred_at', '$.object', '$.object_id', '$.captured_minor', '$.refunded_minor',
            '$.returned_minor', '$.state_order', '$.paid_at', '$.object_created_at'
        ]) AS t
    FROM lake.raw.inbox_payment_events JOIN latest USING (document_id, version, source)
    WHERE operation = 'upsert'
), tidied AS (
    SELECT document_id, version, source, is_object, version_at, t,
        tidy(t[1]) AS p_provider,
        tidy(t[2]) AS p_payment_id,
        tidy(t[3]) AS p_registration_id,
        tidy(t[4]) AS p_event_id,
        tidy_choice(t[5], ['pending', 'succeeded', 'failed', 'refunded', 'canceled', 'open', 'won', 'lost']) AS p_payment_event,
        tidy_integer(t[6]) AS p_amount_minor,
        tidy(t[7]) AS p_currency,
        tidy_instant(t[8]) AS p_occurred_at,
        tidy_choice(t[9], ['payment', 'session', 'charge', 'refund', 'dispute']) AS p_object_type,
        tidy(t[10]) AS p_object_id,
        tidy_integer(t[11]) AS p_captured_minor,
        tidy_integer(t[12]) AS p_refunded_minor,
        tidy_integer(t[13]) AS p_returned_minor,
        tidy_integer(t[14]) AS p_state_order,
        tidy_instant(t[15]) AS p_paid_at,
        tidy_instant(t[16]) AS p_object_created_at
    FROM documents
), values_read AS (
    SELECT document_id, version, source, is_object, version_at, t,
        p_provider, p_payment_id, p_registration_id, p_event_id, p_amount_minor, p_currency, p_occurred_at,
        p_object_id, p_captured_minor, p_refunded_minor, p_returned_minor, p_state_order, p_paid_at, p_object_created_at,
        as_text(p_provider) AS provider, as_text(p_payment_id) AS payment_id,
        as_text(p_registration_id) AS registration_id, as_text(p_event_id) AS event_id,
        p_payment_event AS payment_event, as_integer(p_amount_minor) AS amount_minor,
        as_text(p_currency) AS currency, as_instant(p_occurred_at) AS occurred_at,
        p_object_type AS object_type, as_text(p_object_id) AS object_id, as_integer(p_captured_minor) AS captured_minor,
        as_integer(p_refunded_minor) AS refunded_minor, as_integer(p_returned_minor) AS returned_minor,
        as_integer(p_state_order) AS state_order, as_instant(p_paid_at) AS paid_at,
        as_instant(p_object_created_at) AS object_created_at
    FROM tidied
), checked AS (
    SELECT *,
        coalesce(
            NOT is_object
            OR length(document_id) > 1600
            OR p_provider IS NOT NULL AND provider IS NULL
            OR provider IS NULL
            OR length(provider) > 100
            OR p_payment_id IS NOT NULL AND payment_id IS NULL
            OR payment_id IS NULL
            OR length(payment_id) > 300
            OR p_registration_id IS NOT NULL AND registration_id IS NULL
            OR length(registration_id) > 200
            OR p_event_id IS NOT NULL AND event_id IS NULL
            OR length(event_id) > 200
            OR payment_event IS NULL
            OR payment_event NOT IN ('pending', 'succeeded', 'failed', 'refunded', 'canceled', 'open', 'won', 'lost')
            OR p_amount_minor IS NOT NULL AND amount_minor IS NULL
            OR amount_minor IS NULL
            OR amount_minor NOT BETWEEN 0 AND 100000000000
            OR object_type NOT IN ('payment', 'session', 'charge', 'refund', 'dispute')
            OR p_object_id IS NOT NULL AND object_id IS NULL
            OR length(object_id) > 300
            OR p_captured_minor IS NOT NULL AND captured_minor IS NULL
            OR captured_minor NOT BETWEEN 0 AND 100000000000
            OR p_refunded_minor IS NOT NULL AND refunded_minor IS NULL
            OR refunded_minor NOT BETWEEN 0 AND 100000000000
            OR p_returned_minor IS NOT NULL AND returned_minor IS NULL
            OR returned_minor NOT BETWEEN 0 AND 100000000000
            OR p_state_order IS NOT NULL AND state_order IS NULL
            OR state_order < 0
            OR p_currency IS NOT NULL AND currency IS NULL
            OR length(currency) > 10
            OR p_occurred_at IS NOT NULL AND occurred_at IS NULL
            OR occurred_at IS NULL,
        false) AS is_rejected,
        coalesce(
            p_paid_at IS NOT NULL AND paid_at IS NULL
            OR p_object_created_at IS NOT NULL AND object_created_at IS NULL,
        false) AS is_noted
    FROM values_read
)
SELECT
    document_id, version, source, version_at, is_object, provider, payment_id, registration_id, event_id,
    payment_event, amount_minor, currency, occurred_at, is_rejected, is_noted,
    object_type, object_id, captured_minor, refunded_minor, returned_minor, state_order, paid_at, object_created_at,
    CASE WHEN is_rejected OR is_noted THEN t END AS t
FROM checked;

CREATE OR REPLACE TABLE lake.sql_staging.payment_events AS
SELECT
    document_id AS payment_event_id, provider, payment_id, registration_id, event_id, payment_event, amount_minor,
    currency, occurred_at, source, version, version_at,
    object_type, object_id, captured_minor, refunded_minor, returned_minor, state_order, paid_at, object_created_at
FROM read_payment_events WHERE NOT is_rejected;

INSERT INTO quarantined
SELECT 'payment_events', document_id, source, version, unnest(list_filter([
        CASE WHEN NOT is_object THEN {'rule': '(document).not_an_object', 'value': NULL} END,
        CASE WHEN length(document_id) > 1600 THEN {'rule': 'payment_event_id.too_long', 'value': document_id} END,
        CASE WHEN tidy(t[1]) IS NOT NULL AND provider IS NULL THEN {'rule': 'provider.garbled', 'value': t[1]} END,
        CASE WHEN provider IS NULL THEN {'rule': 'provider.required', 'value': t[1]} END,
        CASE WHEN length(provider) > 100 THEN {'rule': 'provider.too_long', 'value': t[1]} END,
        CASE WHEN tidy(t[2]) IS NOT NULL AND payment_id IS NULL THEN {'rule': 'payment_id.garbled', 'value': t[2]} END,
        CASE WHEN payment_id IS NULL THEN {'rule': 'payment_id.required', 'value': t[2]} END,
        CASE WHEN length(payment_id) > 300 THEN {'rule': 'payment_id.too_long', 'value': t[2]} END,
        CASE WHEN tidy(t[3]) IS NOT NULL AND registration_id IS NULL THEN {'rule': 'registration_id.garbled', 'value': t[3]} END,
        CASE WHEN length(registration_id) > 200 THEN {'rule': 'registration_id.too_long', 'value': t[3]} END,
        CASE WHEN tidy(t[4]) IS NOT NULL AND event_id IS NULL THEN {'rule': 'event_id.garbled', 'value': t[4]} END,
        CASE WHEN length(event_id) > 200 THEN {'rule': 'event_id.too_long', 'value': t[4]} END,
        CASE WHEN payment_event IS NULL THEN {'rule': 'payment_event.required', 'value': t[5]} END,
        CASE WHEN payment_event NOT IN ('pending', 'succeeded', 'failed', 'refunded', 'canceled', 'open', 'won', 'lost') THEN {'rule': 'payment_event.allowed', 'value': t[5]} END,
        CASE WHEN tidy_integer(t[6]) IS NOT NULL AND amount_minor IS NULL THEN {'rule': 'amount_minor.garbled', 'value': t[6]} END,
        CASE WHEN amount_minor IS NULL THEN {'rule': 'amount_minor.required', 'value': t[6]} END,
        CASE WHEN amount_minor NOT BETWEEN 0 AND 100000000000 THEN {'rule': 'amount_minor.range', 'value': t[6]} END,
        CASE WHEN object_type NOT IN ('payment', 'session', 'charge', 'refund', 'dispute') THEN {'rule': 'object_type.allowed', 'value': t[9]} END,
        CASE WHEN tidy(t[10]) IS NOT NULL AND object_id IS NULL THEN {'rule': 'object_id.garbled', 'value': t[10]} END,
        CASE WHEN length(object_id) > 300 THEN {'rule': 'object_id.too_long', 'value': t[10]} END,
        CASE WHEN tidy_integer(t[11]) IS NOT NULL AND captured_minor IS NULL THEN {'rule': 'captured_minor.garbled', 'value': t[11]} END,
        CASE WHEN captured_minor NOT BETWEEN 0 AND 100000000000 THEN {'rule': 'captured_minor.range', 'value': t[11]} END,
        CASE WHEN tidy_integer(t[12]) IS NOT NULL AND refunded_minor IS NULL THEN {'rule': 'refunded_minor.garbled', 'value': t[12]} END,
        CASE WHEN refunded_minor NOT BETWEEN 0 AND 100000000000 THEN {'rule': 'refunded_minor.range', 'value': t[12]} END,
        CASE WHEN tidy_integer(t[13]) IS NOT NULL AND returned_minor IS NULL THEN {'rule': 'returned_minor.garbled', 'value': t[13]} END,
        CASE WHEN returned_minor NOT BETWEEN 0 AND 100000000000 THEN {'rule': 'returned_minor.range', 'value': t[13]} END,
        CASE WHEN tidy_integer(t[14]) IS NOT NULL AND state_order IS NULL THEN {'rule': 'state_order.garbled', 'value': t[14]} END,
        CASE WHEN state_order < 0 THEN {'rule': 'state_order.range', 'value': t[14]} END,
        CASE WHEN tidy_instant(t[15]) IS NOT NULL AND paid_at IS NULL THEN {'rule': 'paid_at.garbled', 'value': t[15]} END,
        CASE WHEN tidy_instant(t[16]) IS NOT NULL AND object_created_at IS NULL THEN {'rule': 'object_created_at.garbled', 'value': t[16]} END,
        CASE WHEN tidy(t[7]) IS NOT NULL AND currency IS NULL THEN {'rule': 'currency.garbled', 'value': t[7]} END,
        CASE WHEN length(currency) > 10 THEN {'rule': 'currency.too_long', 'value': t[7]} END,
        CASE WHEN tidy_instant(t[8]) IS NOT NULL AND occurred_at IS NULL THEN {'rule': 'occurred_at.garbled', 'value': t[8]} END,
        CASE WHEN occurred_at IS NULL THEN {'rule': 'occurred_at.required', 'value': t[8]} END
    ], lambda broken: broken IS NOT NULL))
FROM read_payment_events WHERE is_rejected OR is_noted;
DROP TABLE read_payment_events;

-- staging.unreadable
CREATE OR REPLACE TEMP TABLE read_unreadable AS
WITH latest AS (
    SELECT document_id, max(version) AS version, arg_max(source, version || source) AS source
    FROM lake.raw.unreadable GROUP BY document_id
), documents AS (
    SELECT document_id, version, source, coalesce(left(payload, 1) = '{', false) AS is_object,
        version_instant(version) AS version_at
    FROM lake.raw.unreadable JOIN latest USING (document_id, version, source)
    WHERE operation = 'upsert'
), checked AS (
    SELECT *,
        coalesce(
            NOT is_object
            OR length(document_id) > 1600,
        false) AS is_rejected,
        false AS is_noted
    FROM documents
)
SELECT
    document_id, version, source, version_at, is_object, is_rejected, is_noted
FROM checked;

CREATE OR REPLACE TABLE lake.sql_staging.unreadable AS
SELECT
    document_id AS unreadable_id, source, version, version_at
FROM read_unreadable WHERE NOT is_rejected;

INSERT INTO quarantined
SELECT 'unreadable', document_id, source, version, unnest(list_filter([
        CASE WHEN NOT is_object THEN {'rule': '(document).not_an_object', 'value': NULL} END,
        CASE WHEN length(document_id) > 1600 THEN {'rule': 'unreadable_id.too_long', 'value': document_id} END
    ], lambda broken: broken IS NOT NULL))
FROM read_unreadable WHERE is_rejected OR is_noted;
DROP TABLE read_unreadable;

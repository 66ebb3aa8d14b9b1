-- staging.registrations
CREATE OR REPLACE TEMP TABLE read_registrations AS
WITH latest AS (
    SELECT document_id, max(version) AS version, arg_max(source, version || source) AS source
    FROM lake.raw.firebase_registrations GROUP BY document_id
), documents AS (
    SELECT document_id, version, source, coalesce(left(payload, 1) = '{', false) AS is_object,
        version_instant(version) AS version_at,
        json_extract_string(payload, [
            '$.event_id', '$.participant_name', '$.participant_email', '$.participant_phone', '$.participant_id',
            '$.status', '$.registration_type', '$.additional_info.department', '$.additional_info.year',
            '$.additional_info.team_type', '$.additional_info.team_name', '$.additional_info.team_members',
            '$.additional_info.custom_fields', '$.payment_status', '$.payment_amount', '$.payment_screenshot_url',
            '$.qr_code_data', '$.qr_code_generated_at', '$.attendance_status', '$.attendance_timestamp',
            '$.registration_date', '$.created_at', '$.updated_at'
        ]) AS t,
        number_or_text(t[15], payload, '$.payment_amount') AS amount_text
    FROM lake.raw.firebase_registrations JOIN latest USING (document_id, version, source)
    WHERE operation = 'upsert'
), tidied AS (
    SELECT document_id, version, source, is_object, version_at, t,
        tidy(t[1]) AS p_event_id,
        tidy(t[2]) AS p_participant_name,
        tidy_email(t[3]) AS p_participant_email,
        tidy_phone(t[4]) AS p_participant_phone,
        tidy(t[5]) AS p_student_id,
        tidy_choice(t[6], ['registered', 'attended', 'cancelled']) AS p_registration_status,
        tidy_choice(t[7], ['individual', 'team', 'solo']) AS p_registration_type,
        tidy(t[8]) AS p_department,
        tidy(t[9]) AS p_year_of_study,
        tidy(t[10]) AS p_team_type,
        tidy(t[11]) AS p_team_name,
        tidy_json(t[12]) AS p_team_members,
        tidy_json(t[13]) AS p_custom_fields,
        tidy_choice(t[14], ['pending', 'verified', 'rejected']) AS p_payment_status,
        tidy_amount(amount_text) AS p_amount_minor,
        tidy(t[16]) AS p_payment_screenshot_url,
        tidy_json(t[17]) AS p_qr_code_data,
        tidy_instant(t[18]) AS p_qr_code_generated_at,
        tidy_choice(t[19], ['not_attended', 'attended']) AS p_attendance_status,
        tidy_instant(t[20]) AS p_attended_at,
        tidy_instant(t[21]) AS p_registered_at,
        tidy_instant(t[22]) AS p_created_at,
        tidy_instant(t[23]) AS p_updated_at
    FROM documents
), values_read AS (
    SELECT document_id, version, source, is_object, version_at, t,
        p_event_id, p_participant_name, p_participant_email, p_participant_phone, p_student_id, p_department,
        p_year_of_study, p_team_type, p_team_name, p_team_members, p_custom_fields, p_amount_minor,
        p_payment_screenshot_url, p_qr_code_data, p_qr_code_generated_at, p_attended_at, p_registered_at,
        p_created_at, p_updated_at,
        as_text(p_event_id) AS event_id, as_text(p_participant_name) AS participant_name,
        as_email(p_participant_email) AS participant_email, as_phone(p_participant_phone) AS participant_phone,
        as_text(p_student_id) AS student_id, p_registration_status AS registration_status,
        p_registration_type AS registration_type, as_text(p_department) AS department,
        as_text(p_year_of_study) AS year_of_study, as_text(p_team_type) AS team_type,
        as_text(p_team_name) AS team_name, as_json(p_team_members) AS team_members,
        as_json(p_custom_fields) AS custom_fields, p_payment_status AS payment_status,
        as_minor_units(p_amount_minor) AS amount_minor,
        as_text(p_payment_screenshot_url) AS payment_screenshot_url, as_json(p_qr_code_data) AS qr_code_data,
        as_instant(p_qr_code_generated_at) AS qr_code_generated_at, p_attendance_status AS attendance_status,
        as_instant(p_attended_at) AS attended_at, as_instant(p_registered_at) AS registered_at,
        as_instant(p_created_at) AS created_at, as_instant(p_updated_at) AS updated_at
    FROM tidied
), completed AS (
    SELECT * REPLACE (CASE WHEN p_registered_at IS NULL THEN created_at ELSE registered_at END AS registered_at),
        members_besides(team_members, participant_name, participant_email, student_id)::BIGINT + 1 AS team_size
    FROM values_read
), checked AS (
    SELECT *,
        coalesce(
            NOT is_object
            OR length(document_id) > 1600
            OR p_event_id IS NOT NULL AND event_id IS NULL
            OR event_id IS NULL
            OR length(event_id) > 200
            OR p_participant_name IS NOT NULL AND participant_name IS NULL
            OR length(participant_name) > 300
            OR p_participant_email IS NOT NULL AND participant_email IS NULL
            OR length(participant_email) > 320
            OR registration_status NOT IN ('registered', 'attended', 'cancelled')
            OR payment_status NOT IN ('pending', 'verified', 'rejected')
            OR p_amount_minor IS NOT NULL AND amount_minor IS NULL
            OR amount_minor NOT BETWEEN 0 AND 100000000000
            OR attendance_status NOT IN ('not_attended', 'attended')
            OR team_size NOT BETWEEN 1 AND 1000,
        false) AS is_rejected,
        coalesce(
            p_participant_phone IS NOT NULL AND participant_phone IS NULL
            OR registration_type NOT IN ('individual', 'team', 'solo')
            OR p_team_members IS NOT NULL AND team_members IS NULL
            OR length(team_members) > 200000
            OR p_attended_at IS NOT NULL AND attended_at IS NULL
            OR p_registered_at IS NOT NULL AND registered_at IS NULL
            OR p_student_id IS NOT NULL AND student_id IS NULL
            OR length(student_id) > 100
            OR p_department IS NOT NULL AND department IS NULL
            OR length(department) > 200
            OR p_year_of_study IS NOT NULL AND year_of_study IS NULL
            OR length(year_of_study) > 50
            OR p_team_type IS NOT NULL AND team_type IS NULL
            OR length(team_type) > 50
            OR p_team_name IS NOT NULL AND team_name IS NULL
            OR length(team_name) > 300
            OR p_custom_fields IS NOT NULL AND custom_fields IS NULL
            OR length(custom_fields) > 200000
            OR p_payment_screenshot_url IS NOT NULL AND payment_screenshot_url IS NULL
            OR length(payment_screenshot_url) > 4000
            OR p_qr_code_data IS NOT NULL AND qr_code_data IS NULL
            OR length(qr_code_data) > 200000
            OR p_qr_code_generated_at IS NOT NULL AND qr_code_generated_at IS NULL
            OR p_created_at IS NOT NULL AND created_at IS NULL
            OR p_updated_at IS NOT NULL AND updated_at IS NULL,
        false) AS is_noted
    FROM completed
)
SELECT
    document_id, version, source, version_at, is_object, event_id, participant_name, participant_email,
    participant_phone, student_id, registration_status, registration_type, department, year_of_study, team_type,
    team_name, team_members, custom_fields, payment_status, amount_minor, payment_screenshot_url, qr_code_data,
    qr_code_generated_at, attendance_status, attended_at, registered_at, created_at, updated_at, team_size,
    is_rejected, is_noted, CASE WHEN is_rejected OR is_noted THEN t END AS t
FROM checked;

CREATE OR REPLACE TABLE lake.sql_staging.registrations AS
SELECT
    document_id AS registration_id, event_id, participant_name, participant_email, participant_phone,
    CASE WHEN length(student_id) <= 100 THEN student_id END AS student_id, registration_status,
    CASE WHEN registration_type IN ('individual', 'team', 'solo') THEN registration_type END AS registration_type,
    CASE WHEN length(department) <= 200 THEN department END AS department,
    CASE WHEN length(year_of_study) <= 50 THEN year_of_study END AS year_of_study,
    CASE WHEN length(team_type) <= 50 THEN team_type END AS team_type,
    CASE WHEN length(team_name) <= 300 THEN team_name END AS team_name,
    CASE WHEN length(team_members) <= 200000 THEN team_members END AS team_members,
    CASE WHEN length(custom_fields) <= 200000 THEN custom_fields END AS custom_fields, payment_status,
    amount_minor,
    CASE WHEN length(payment_screenshot_url) <= 4000 THEN payment_screenshot_url END AS payment_screenshot_url,
    CASE WHEN length(qr_code_data) <= 200000 THEN qr_code_data END AS qr_code_data, qr_code_generated_at,
    attendance_status, attended_at, registered_at, created_at, updated_at, team_size, source, version, version_at
FROM read_registrations WHERE NOT is_rejected;

INSERT INTO quarantined
SELECT 'registrations', document_id, source, version, unnest(list_filter([
        CASE WHEN NOT is_object THEN {'rule': '(document).not_an_object', 'value': NULL} END,
        CASE WHEN length(document_id) > 1600 THEN {'rule': 'registration_id.too_long', 'value': document_id} END,
        CASE WHEN tidy(t[1]) IS NOT NULL AND event_id IS NULL THEN {'rule': 'event_id.garbled', 'value': t[1]} END,
        CASE WHEN event_id IS NULL THEN {'rule': 'event_id.required', 'value': t[1]} END,
        CASE WHEN length(event_id) > 200 THEN {'rule': 'event_id.too_long', 'value': t[1]} END,
        CASE WHEN tidy(t[2]) IS NOT NULL AND participant_name IS NULL THEN {'rule': 'participant_name.garbled', 'value': t[2]} END,
        CASE WHEN length(participant_name) > 300 THEN {'rule': 'participant_name.too_long', 'value': t[2]} END,
        CASE WHEN tidy_email(t[3]) IS NOT NULL AND participant_email IS NULL THEN {'rule': 'participant_email.garbled', 'value': t[3]} END,
        CASE WHEN length(participant_email) > 320 THEN {'rule': 'participant_email.too_long', 'value': t[3]} END,
        CASE WHEN tidy_phone(t[4]) IS NOT NULL AND participant_phone IS NULL THEN {'rule': 'participant_phone.garbled', 'value': t[4]} END,
        CASE WHEN tidy(t[5]) IS NOT NULL AND student_id IS NULL THEN {'rule': 'student_id.garbled', 'value': t[5]} END,
        CASE WHEN length(student_id) > 100 THEN {'rule': 'student_id.too_long', 'value': t[5]} END,
        CASE WHEN registration_status NOT IN ('registered', 'attended', 'cancelled') THEN {'rule': 'registration_status.allowed', 'value': t[6]} END,
        CASE WHEN registration_type NOT IN ('individual', 'team', 'solo') THEN {'rule': 'registration_type.allowed', 'value': t[7]} END,
        CASE WHEN tidy(t[8]) IS NOT NULL AND department IS NULL THEN {'rule': 'department.garbled', 'value': t[8]} END,
        CASE WHEN length(department) > 200 THEN {'rule': 'department.too_long', 'value': t[8]} END,
        CASE WHEN tidy(t[9]) IS NOT NULL AND year_of_study IS NULL THEN {'rule': 'year_of_study.garbled', 'value': t[9]} END,
        CASE WHEN length(year_of_study) > 50 THEN {'rule': 'year_of_study.too_long', 'value': t[9]} END,
        CASE WHEN tidy(t[10]) IS NOT NULL AND team_type IS NULL THEN {'rule': 'team_type.garbled', 'value': t[10]} END,
        CASE WHEN length(team_type) > 50 THEN {'rule': 'team_type.too_long', 'value': t[10]} END,
        CASE WHEN tidy(t[11]) IS NOT NULL AND team_name IS NULL THEN {'rule': 'team_name.garbled', 'value': t[11]} END,
        CASE WHEN length(team_name) > 300 THEN {'rule': 'team_name.too_long', 'value': t[11]} END,
        CASE WHEN tidy_json(t[12]) IS NOT NULL AND team_members IS NULL THEN {'rule': 'team_members.garbled', 'value': t[12]} END,
        CASE WHEN length(team_members) > 200000 THEN {'rule': 'team_members.too_long', 'value': t[12]} END,
        CASE WHEN tidy_json(t[13]) IS NOT NULL AND custom_fields IS NULL THEN {'rule': 'custom_fields.garbled', 'value': t[13]} END,
        CASE WHEN length(custom_fields) > 200000 THEN {'rule': 'custom_fields.too_long', 'value': t[13]} END,
        CASE WHEN payment_status NOT IN ('pending', 'verified', 'rejected') THEN {'rule': 'payment_status.allowed', 'value': t[14]} END,
        CASE WHEN tidy_amount(t[15]) IS NOT NULL AND amount_minor IS NULL THEN {'rule': 'amount_minor.garbled', 'value': t[15]} END,
        CASE WHEN amount_minor NOT BETWEEN 0 AND 100000000000 THEN {'rule': 'amount_minor.range', 'value': t[15]} END,
        CASE WHEN tidy(t[16]) IS NOT NULL AND payment_screenshot_url IS NULL THEN {'rule': 'payment_screenshot_url.garbled', 'value': t[16]} END,
        CASE WHEN length(payment_screenshot_url) > 4000 THEN {'rule': 'payment_screenshot_url.too_long', 'value': t[16]} END,
        CASE WHEN tidy_json(t[17]) IS NOT NULL AND qr_code_data IS NULL THEN {'rule': 'qr_code_data.garbled', 'value': t[17]} END,
        CASE WHEN length(qr_code_data) > 200000 THEN {'rule': 'qr_code_data.too_long', 'value': t[17]} END,
        CASE WHEN tidy_instant(t[18]) IS NOT NULL AND qr_code_generated_at IS NULL THEN {'rule': 'qr_code_generated_at.garbled', 'value': t[18]} END,
        CASE WHEN attendance_status NOT IN ('not_attended', 'attended') THEN {'rule': 'attendance_status.allowed', 'value': t[19]} END,
        CASE WHEN tidy_instant(t[20]) IS NOT NULL AND attended_at IS NULL THEN {'rule': 'attended_at.garbled', 'value': t[20]} END,
        CASE WHEN tidy_instant(t[21]) IS NOT NULL AND registered_at IS NULL THEN {'rule': 'registered_at.garbled', 'value': t[21]} END,
        CASE WHEN tidy_instant(t[22]) IS NOT NULL AND created_at IS NULL THEN {'rule': 'created_at.garbled', 'value': t[22]} END,
        CASE WHEN tidy_instant(t[23]) IS NOT NULL AND updated_at IS NULL THEN {'rule': 'updated_at.garbled', 'value': t[23]} END,
        CASE WHEN team_size NOT BETWEEN 1 AND 1000 THEN {'rule': 'team_size.range', 'value': team_size::VARCHAR} END
    ], lambda broken: broken IS NOT NULL))
FROM read_registrations WHERE is_rejected OR is_noted;
DROP TABLE read_registrations;

-- staging.sheet_rows
CREATE OR REPLACE TEMP TABLE read_sheet_rows AS
WITH latest AS (
    SELECT document_id, max(version) AS version, arg_max(source, version || source) AS source
    FROM lake.raw.sheets_rows GROUP BY document_id
), documents AS (
    SELECT document_id, version, source, coalesce(left(payload, 1) = '{', false) AS is_object,
        version_instant(version) AS version_at,
        json_extract_string(payload, [
            '$.spreadsheet_id', '$.event_id', '$.worksheet', '$.row_number', '$.is_export_error', '$.fields.name',
            '$.fields.email', '$.fields.phone', '$.fields.department', '$.fields.year',
            '$.fields.registration_type', '$.fields.registration_status', '$.fields.attendance_status',
            '$.fields.attendance_time', '$.fields.registration_date', '$.fields.payment_verified',
            '$.fields.payment_amount', '$.fields.notes', '$.custom_fields'
        ]) AS t,
        number_or_text(t[17], payload, '$.fields.payment_amount') AS amount_text
    FROM lake.raw.sheets_rows JOIN latest USING (document_id, version, source)
    WHERE operation = 'upsert'
), tidied AS (
    SELECT document_id, version, source, is_object, version_at, t,
        tidy(t[1]) AS p_spreadsheet_id,
        tidy(t[2]) AS p_event_id,
        tidy(t[3]) AS p_worksheet,
        tidy_integer(t[4]) AS p_row_number,
        lower(tidy(t[5])) AS p_is_export_error,
        tidy(t[6]) AS p_participant_name,
        tidy_email(t[7]) AS p_participant_email,
        tidy_phone(t[8]) AS p_participant_phone,
        tidy(t[9]) AS p_department,
        tidy(t[10]) AS p_year_of_study,
        tidy_choice(t[11], ['individual', 'team', 'solo']) AS p_registration_type,
        tidy_choice(t[12], ['registered', 'attended', 'cancelled']) AS p_registration_status,
        tidy_choice(t[13], ['not_attended', 'attended']) AS p_attendance_status,
        tidy_instant(t[14]) AS p_attended_at,
        tidy_instant(t[15]) AS p_registered_at,
        tidy_choice(t[16], ['yes', 'no', 'verified', 'pending', 'rejected']) AS p_payment_mark,
        tidy_amount(amount_text) AS p_amount_minor,
        tidy(t[18]) AS p_notes,
        tidy(t[19]) AS p_custom_fields
    FROM documents
), values_read AS (
    SELECT document_id, version, source, is_object, version_at, t,
        p_spreadsheet_id, p_event_id, p_worksheet, p_row_number, p_is_export_error, p_participant_name,
        p_participant_email, p_participant_phone, p_department, p_year_of_study, p_attended_at, p_registered_at,
        p_amount_minor, p_notes, p_custom_fields,
        as_text(p_spreadsheet_id) AS spreadsheet_id, as_text(p_event_id) AS event_id,
        as_text(p_worksheet) AS worksheet, as_integer(p_row_number) AS row_number,
        as_boolean(p_is_export_error) AS is_export_error, as_text(p_participant_name) AS participant_name,
        as_email(p_participant_email) AS participant_email, as_phone(p_participant_phone) AS participant_phone,
        as_text(p_department) AS department, as_text(p_year_of_study) AS year_of_study,
        p_registration_type AS registration_type, p_registration_status AS registration_status,
        p_attendance_status AS attendance_status, as_instant(p_attended_at) AS attended_at,
        as_instant(p_registered_at) AS registered_at, p_payment_mark AS payment_mark,
        as_minor_units(p_amount_minor) AS amount_minor, as_text(p_notes) AS notes,
        as_json(p_custom_fields) AS custom_fields
    FROM tidied
), owners AS (
    SELECT google_sheet_id AS spreadsheet_id, min(event_id) AS owner
    FROM lake.sql_staging.events WHERE google_sheet_id IS NOT NULL GROUP BY 1
), owned AS (
    SELECT values_read.* REPLACE (
        coalesce(event_id, owner) AS event_id, coalesce(is_export_error, false) AS is_export_error
    )
    FROM values_read LEFT JOIN owners USING (spreadsheet_id)
), checked AS (
    SELECT *,
        coalesce(
            NOT is_object
            OR length(document_id) > 1600
            OR p_spreadsheet_id IS NOT NULL AND spreadsheet_id IS NULL
            OR spreadsheet_id IS NULL
            OR length(spreadsheet_id) > 200
            OR p_event_id IS NOT NULL AND event_id IS NULL
            OR length(event_id) > 200
            OR p_worksheet IS NOT NULL AND worksheet IS NULL
            OR worksheet IS NULL
            OR length(worksheet) > 200
            OR p_row_number IS NOT NULL AND row_number IS NULL,
        false) AS is_rejected,
        coalesce(
            p_is_export_error IS NOT NULL AND is_export_error IS NULL
            OR p_participant_name IS NOT NULL AND participant_name IS NULL
            OR length(participant_name) > 300
            OR p_participant_email IS NOT NULL AND participant_email IS NULL
            OR length(participant_email) > 320
            OR p_participant_phone IS NOT NULL AND participant_phone IS NULL
            OR p_department IS NOT NULL AND department IS NULL
            OR length(department) > 200
            OR p_year_of_study IS NOT NULL AND year_of_study IS NULL
            OR length(year_of_study) > 50
            OR registration_type NOT IN ('individual', 'team', 'solo')
            OR registration_status NOT IN ('registered', 'attended', 'cancelled')
            OR attendance_status NOT IN ('not_attended', 'attended')
            OR p_attended_at IS NOT NULL AND attended_at IS NULL
            OR p_registered_at IS NOT NULL AND registered_at IS NULL
            OR payment_mark NOT IN ('yes', 'no', 'verified', 'pending', 'rejected')
            OR p_amount_minor IS NOT NULL AND amount_minor IS NULL
            OR amount_minor NOT BETWEEN 0 AND 100000000000
            OR p_notes IS NOT NULL AND notes IS NULL
            OR length(notes) > 10000
            OR p_custom_fields IS NOT NULL AND custom_fields IS NULL
            OR length(custom_fields) > 200000,
        false) AS is_noted
    FROM owned
)
SELECT
    document_id, version, source, version_at, is_object, spreadsheet_id, event_id, worksheet, row_number,
    is_export_error, participant_name, participant_email, participant_phone, department, year_of_study,
    registration_type, registration_status, attendance_status, attended_at, registered_at, payment_mark,
    amount_minor, notes, custom_fields, is_rejected, is_noted, CASE WHEN is_rejected OR is_noted THEN t END AS t
FROM checked;

CREATE OR REPLACE TABLE lake.sql_staging.sheet_rows AS
SELECT
    document_id AS sheet_row_id, spreadsheet_id, event_id, worksheet, row_number, is_export_error,
    CASE WHEN length(participant_name) <= 300 THEN participant_name END AS participant_name,
    CASE WHEN length(participant_email) <= 320 THEN participant_email END AS participant_email, participant_phone,
    CASE WHEN length(department) <= 200 THEN department END AS department,
    CASE WHEN length(year_of_study) <= 50 THEN year_of_study END AS year_of_study,
    CASE WHEN registration_type IN ('individual', 'team', 'solo') THEN registration_type END AS registration_type,
    CASE WHEN registration_status IN ('registered', 'attended', 'cancelled') THEN registration_status END AS registration_status,
    CASE WHEN attendance_status IN ('not_attended', 'attended') THEN attendance_status END AS attendance_status,
    attended_at, registered_at,
    CASE WHEN payment_mark IN ('yes', 'no', 'verified', 'pending', 'rejected') THEN payment_mark END AS payment_mark,
    CASE WHEN amount_minor BETWEEN 0 AND 100000000000 THEN amount_minor END AS amount_minor,
    CASE WHEN length(notes) <= 10000 THEN notes END AS notes,
    CASE WHEN length(custom_fields) <= 200000 THEN custom_fields END AS custom_fields, source, version, version_at
FROM read_sheet_rows WHERE NOT is_rejected;

INSERT INTO quarantined
SELECT 'sheet_rows', document_id, source, version, unnest(list_filter([
        CASE WHEN NOT is_object THEN {'rule': '(document).not_an_object', 'value': NULL} END,
        CASE WHEN length(document_id) > 1600 THEN {'rule': 'sheet_row_id.too_long', 'value': document_id} END,
        CASE WHEN tidy(t[1]) IS NOT NULL AND spreadsheet_id IS NULL THEN {'rule': 'spreadsheet_id.garbled', 'value': t[1]} END,
        CASE WHEN spreadsheet_id IS NULL THEN {'rule': 'spreadsheet_id.required', 'value': t[1]} END,
        CASE WHEN length(spreadsheet_id) > 200 THEN {'rule': 'spreadsheet_id.too_long', 'value': t[1]} END,
        CASE WHEN tidy(t[2]) IS NOT NULL AND event_id IS NULL THEN {'rule': 'event_id.garbled', 'value': t[2]} END,
        CASE WHEN length(event_id) > 200 THEN {'rule': 'event_id.too_long', 'value': t[2]} END,
        CASE WHEN tidy(t[3]) IS NOT NULL AND worksheet IS NULL THEN {'rule': 'worksheet.garbled', 'value': t[3]} END,
        CASE WHEN worksheet IS NULL THEN {'rule': 'worksheet.required', 'value': t[3]} END,
        CASE WHEN length(worksheet) > 200 THEN {'rule': 'worksheet.too_long', 'value': t[3]} END,
        CASE WHEN tidy_integer(t[4]) IS NOT NULL AND row_number IS NULL THEN {'rule': 'row_number.garbled', 'value': t[4]} END,
        CASE WHEN lower(tidy(t[5])) IS NOT NULL AND is_export_error IS NULL THEN {'rule': 'is_export_error.garbled', 'value': t[5]} END,
        CASE WHEN tidy(t[6]) IS NOT NULL AND participant_name IS NULL THEN {'rule': 'participant_name.garbled', 'value': t[6]} END,
        CASE WHEN length(participant_name) > 300 THEN {'rule': 'participant_name.too_long', 'value': t[6]} END,
        CASE WHEN tidy_email(t[7]) IS NOT NULL AND participant_email IS NULL THEN {'rule': 'participant_email.garbled', 'value': t[7]} END,
        CASE WHEN length(participant_email) > 320 THEN {'rule': 'participant_email.too_long', 'value': t[7]} END,
        CASE WHEN tidy_phone(t[8]) IS NOT NULL AND participant_phone IS NULL THEN {'rule': 'participant_phone.garbled', 'value': t[8]} END,
        CASE WHEN tidy(t[9]) IS NOT NULL AND department IS NULL THEN {'rule': 'department.garbled', 'value': t[9]} END,
        CASE WHEN length(department) > 200 THEN {'rule': 'department.too_long', 'value': t[9]} END,
        CASE WHEN tidy(t[10]) IS NOT NULL AND year_of_study IS NULL THEN {'rule': 'year_of_study.garbled', 'value': t[10]} END,
        CASE WHEN length(year_of_study) > 50 THEN {'rule': 'year_of_study.too_long', 'value': t[10]} END,
        CASE WHEN registration_type NOT IN ('individual', 'team', 'solo') THEN {'rule': 'registration_type.allowed', 'value': t[11]} END,
        CASE WHEN registration_status NOT IN ('registered', 'attended', 'cancelled') THEN {'rule': 'registration_status.allowed', 'value': t[12]} END,
        CASE WHEN attendance_status NOT IN ('not_attended', 'attended') THEN {'rule': 'attendance_status.allowed', 'value': t[13]} END,
        CASE WHEN tidy_instant(t[14]) IS NOT NULL AND attended_at IS NULL THEN {'rule': 'attended_at.garbled', 'value': t[14]} END,
        CASE WHEN tidy_instant(t[15]) IS NOT NULL AND registered_at IS NULL THEN {'rule': 'registered_at.garbled', 'value': t[15]} END,
        CASE WHEN payment_mark NOT IN ('yes', 'no', 'verified', 'pending', 'rejected') THEN {'rule': 'payment_mark.allowed', 'value': t[16]} END,
        CASE WHEN tidy_amount(t[17]) IS NOT NULL AND amount_minor IS NULL THEN {'rule': 'amount_minor.garbled', 'value': t[17]} END,
        CASE WHEN amount_minor NOT BETWEEN 0 AND 100000000000 THEN {'rule': 'amount_minor.range', 'value': t[17]} END,
        CASE WHEN tidy(t[18]) IS NOT NULL AND notes IS NULL THEN {'rule': 'notes.garbled', 'value': t[18]} END,
        CASE WHEN length(notes) > 10000 THEN {'rule': 'notes.too_long', 'value': t[18]} END,
        CASE WHEN tidy(t[19]) IS NOT NULL AND custom_fields IS NULL THEN {'rule': 'custom_fields.garbled', 'value': t[19]} END,
        CASE WHEN length(custom_fields) > 200000 THEN {'rule': 'custom_fields.too_long', 'value': t[19]} END
    ], lambda broken: broken IS NOT NULL))
FROM read_sheet_rows WHERE is_rejected OR is_noted;
DROP TABLE read_sheet_rows;

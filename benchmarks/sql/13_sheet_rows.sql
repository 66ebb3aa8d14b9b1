-- staging.sheet_rows
CREATE OR REPLACE TEMP MACRO plain_label(x) AS regexp_replace(lower(x), '[^\pL\pM\pN]+', '', 'g');
CREATE OR REPLACE TEMP MACRO is_label(labels, answer) AS
    coalesce(contains(labels, '|' || plain_label(json_keys(answer)[1]) || '|'), false);
CREATE OR REPLACE TEMP MACRO with_answer(answers, is_asked, answer) AS
    CASE WHEN is_asked THEN json_merge_patch(answers, answer)::VARCHAR ELSE answers END;
CREATE OR REPLACE TEMP TABLE read_sheet_rows AS
WITH latest AS (
    SELECT document_id, max(version) AS version, arg_max(source, version || source) AS source
    FROM lake.raw.sheets_rows GROUP BY document_id
), documents AS (
    SELECT document_id, version, source, coalesce(left(payload, 1) = '{', false) AS is_object,
        version_instant(version) AS version_at,
        json_extract_string(payload, [
            '$.spreadsheet_id', '$.event_id', '$.worksheet', '$.row_number', '$.is_export_error', '$.fields.name',
            '$.fields.email', '$.fields.phone', '$.fields.student_id', '$.fields.department', '$.fields.year',
            '$.fields.registration_type', '$.fields.registration_status', '$.fields.attendance_status',
            '$.fields.attendance_time', '$.fields.registration_date', '$.fields.payment_verified',
            '$.fields.payment_amount', '$.fields.notes', '$.custom_fields', '$.questions', '$.doubt'
        ]) AS t,
        number_or_text(t[18], payload, '$.fields.payment_amount') AS amount_text
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
        tidy(t[9]) AS p_student_id,
        tidy(t[10]) AS p_department,
        tidy(t[11]) AS p_year_of_study,
        tidy_choice(t[12], ['individual', 'team', 'solo']) AS p_registration_type,
        tidy_choice(t[13], ['registered', 'attended', 'cancelled']) AS p_registration_status,
        tidy_choice(t[14], ['not_attended', 'attended']) AS p_attendance_status,
        tidy_instant(t[15]) AS p_attended_at,
        tidy_instant(t[16]) AS p_registered_at,
        tidy_choice(t[17], ['yes', 'no', 'verified', 'pending', 'rejected']) AS p_payment_mark,
        tidy_amount(amount_text) AS p_amount_minor,
        tidy(t[19]) AS p_notes,
        tidy_json(t[20]) AS p_custom_fields,
        tidy_json(t[21]) AS p_questions,
        tidy_choice(t[22], ['none']) AS p_row_doubt
    FROM documents
), values_read AS (
    SELECT document_id, version, source, is_object, version_at, t,
        p_spreadsheet_id, p_event_id, p_worksheet, p_row_number, p_is_export_error, p_participant_name,
        p_participant_email, p_participant_phone, p_student_id, p_department, p_year_of_study, p_attended_at, p_registered_at,
        p_payment_mark, p_amount_minor, p_notes, p_custom_fields, p_questions, p_row_doubt,
        as_text(p_spreadsheet_id) AS spreadsheet_id, as_text(p_event_id) AS event_id,
        as_text(p_worksheet) AS worksheet, as_integer(p_row_number) AS row_number,
        as_boolean(p_is_export_error) AS is_export_error, as_text(p_participant_name) AS participant_name,
        as_email(p_participant_email) AS participant_email, as_phone(p_participant_phone) AS participant_phone,
        as_text(p_student_id) AS student_id, as_text(p_department) AS department, as_text(p_year_of_study) AS year_of_study,
        p_registration_type AS registration_type, p_registration_status AS registration_status,
        p_attendance_status AS attendance_status, as_instant(p_attended_at) AS attended_at,
        as_instant(p_registered_at) AS registered_at, p_payment_mark AS payment_mark,
        as_minor_units(p_amount_minor) AS amount_minor, as_text(p_notes) AS notes,
        as_json(p_custom_fields) AS custom_fields, as_json(p_questions) AS questions, p_row_doubt AS row_doubt
    FROM tidied
), owners AS (
    SELECT google_sheet_id AS spreadsheet_id, min(event_id) AS owner
    FROM lake.sql_staging.events WHERE google_sheet_id IS NOT NULL GROUP BY 1
), owned AS (
    SELECT values_read.* REPLACE (
        coalesce(event_id, owner) AS event_id, coalesce(is_export_error, false) AS is_export_error
    )
    FROM values_read LEFT JOIN owners USING (spreadsheet_id)
), asked AS (
    SELECT event_id, '|' || array_to_string(list_transform(CASE
            WHEN starts_with(custom_fields, '{') THEN json_extract_string(custom_fields, '$.*.label')
            ELSE json_extract_string(custom_fields, '$[*].label')
        END, lambda label: plain_label(label)), '|') || '|' AS labels
    FROM lake.sql_staging.events WHERE custom_fields IS NOT NULL
), answers AS (
    SELECT owned.*, labels,
        CASE WHEN labels IS NOT NULL THEN questions ->> '$.payment_verified' END AS mark_answer,
        CASE WHEN labels IS NOT NULL THEN questions ->> '$.payment_amount' END AS amount_answer,
        CASE WHEN labels IS NOT NULL THEN questions ->> '$.payment_screenshot' END AS screenshot_answer,
        CASE WHEN labels IS NOT NULL THEN questions ->> '$.notes' END AS notes_answer
    FROM owned LEFT JOIN asked USING (event_id)
), asked_for AS (
    SELECT *, is_label(labels, mark_answer) AS is_mark_asked, is_label(labels, amount_answer) AS is_amount_asked,
        is_label(labels, screenshot_answer) AS is_screenshot_asked, is_label(labels, notes_answer) AS is_notes_asked
    FROM answers
), told_apart AS (
    SELECT * REPLACE (
            CASE WHEN NOT is_mark_asked THEN payment_mark END AS payment_mark,
            CASE WHEN NOT is_mark_asked THEN p_payment_mark END AS p_payment_mark,
            CASE WHEN NOT is_amount_asked THEN amount_minor END AS amount_minor,
            CASE WHEN NOT is_amount_asked THEN p_amount_minor END AS p_amount_minor,
            CASE WHEN NOT is_notes_asked THEN notes END AS notes,
            CASE WHEN NOT is_notes_asked THEN p_notes END AS p_notes,
            CASE
                WHEN is_mark_asked OR is_amount_asked OR is_screenshot_asked OR is_notes_asked
                THEN with_answer(with_answer(with_answer(with_answer(coalesce(custom_fields, '{}'),
                    is_mark_asked, mark_answer), is_amount_asked, amount_answer),
                    is_screenshot_asked, screenshot_answer), is_notes_asked, notes_answer)
                ELSE custom_fields
            END AS custom_fields
        ),
        p_row_doubt IS NULL AS is_person
    FROM asked_for
), first_read AS (
    SELECT document_id, version_instant(min(version)) AS first_at FROM lake.raw.sheets_rows
    WHERE operation = 'upsert' GROUP BY document_id
), others AS (
    SELECT document_id, max(version) AS last_other FROM lake.raw.sheets_rows
    WHERE NOT coalesce(operation = 'upsert' AND lower(trim(payload ->> '$.fields.attendance_status')) = 'attended', false)
    GROUP BY document_id
), attended AS (
    SELECT document_id, version_instant(min(version)) AS since_at
    FROM lake.raw.sheets_rows LEFT JOIN others USING (document_id)
    WHERE operation = 'upsert' AND lower(trim(payload ->> '$.fields.attendance_status')) = 'attended'
        AND coalesce(version > last_other, true)
    GROUP BY document_id
), dated AS (
    SELECT told_apart.*, CASE WHEN p_registered_at IS NULL THEN first_at ELSE registered_at END AS entered_at,
        CASE WHEN p_attended_at IS NULL THEN coalesce(since_at, version_at) ELSE attended_at END AS came_at
    FROM told_apart LEFT JOIN first_read USING (document_id) LEFT JOIN attended USING (document_id)
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
            OR p_student_id IS NOT NULL AND student_id IS NULL
            OR length(student_id) > 200
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
            OR length(custom_fields) > 200000
            OR p_questions IS NOT NULL AND questions IS NULL
            OR length(questions) > 200000
            OR row_doubt <> 'none',
        false) AS is_noted
    FROM dated
)
SELECT
    document_id, version, source, version_at, is_object, spreadsheet_id, event_id, worksheet, row_number,
    is_export_error, participant_name, participant_email, participant_phone, student_id, department, year_of_study,
    registration_type, registration_status, attendance_status, attended_at, registered_at, entered_at, came_at,
    payment_mark, amount_minor, notes, custom_fields, questions, row_doubt, is_person,
    p_amount_minor, p_notes, is_rejected, is_noted,
    CASE WHEN is_rejected OR is_noted THEN t END AS t
FROM checked;

CREATE OR REPLACE TABLE lake.sql_staging.sheet_rows AS
SELECT
    document_id AS sheet_row_id, spreadsheet_id, event_id, worksheet, row_number, is_export_error,
    CASE WHEN length(participant_name) <= 300 THEN participant_name END AS participant_name,
    CASE WHEN length(participant_email) <= 320 THEN participant_email END AS participant_email, participant_phone,
    CASE WHEN length(student_id) <= 200 THEN student_id END AS student_id,
    CASE WHEN length(department) <= 200 THEN department END AS department,
    CASE WHEN length(year_of_study) <= 50 THEN year_of_study END AS year_of_study,
    CASE WHEN registration_type IN ('individual', 'team', 'solo') THEN registration_type END AS registration_type,
    CASE WHEN registration_status IN ('registered', 'attended', 'cancelled') THEN registration_status END AS registration_status,
    CASE WHEN attendance_status IN ('not_attended', 'attended') THEN attendance_status END AS attendance_status,
    attended_at, registered_at, entered_at, came_at,
    CASE WHEN payment_mark IN ('yes', 'no', 'verified', 'pending', 'rejected') THEN payment_mark END AS payment_mark,
    CASE WHEN amount_minor BETWEEN 0 AND 100000000000 THEN amount_minor END AS amount_minor,
    CASE WHEN length(notes) <= 10000 THEN notes END AS notes,
    CASE WHEN length(custom_fields) <= 200000 THEN custom_fields END AS custom_fields,
    CASE WHEN length(questions) <= 200000 THEN questions END AS questions,
    CASE WHEN row_doubt = 'none' THEN row_doubt END AS row_doubt, is_person, source, version, version_at
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
        CASE WHEN tidy(t[9]) IS NOT NULL AND student_id IS NULL THEN {'rule': 'student_id.garbled', 'value': t[9]} END,
        CASE WHEN length(student_id) > 200 THEN {'rule': 'student_id.too_long', 'value': t[9]} END,
        CASE WHEN tidy(t[10]) IS NOT NULL AND department IS NULL THEN {'rule': 'department.garbled', 'value': t[10]} END,
        CASE WHEN length(department) > 200 THEN {'rule': 'department.too_long', 'value': t[10]} END,
        CASE WHEN tidy(t[11]) IS NOT NULL AND year_of_study IS NULL THEN {'rule': 'year_of_study.garbled', 'value': t[11]} END,
        CASE WHEN length(year_of_study) > 50 THEN {'rule': 'year_of_study.too_long', 'value': t[11]} END,
        CASE WHEN registration_type NOT IN ('individual', 'team', 'solo') THEN {'rule': 'registration_type.allowed', 'value': t[12]} END,
        CASE WHEN registration_status NOT IN ('registered', 'attended', 'cancelled') THEN {'rule': 'registration_status.allowed', 'value': t[13]} END,
        CASE WHEN attendance_status NOT IN ('not_attended', 'attended') THEN {'rule': 'attendance_status.allowed', 'value': t[14]} END,
        CASE WHEN tidy_instant(t[15]) IS NOT NULL AND attended_at IS NULL THEN {'rule': 'attended_at.garbled', 'value': t[15]} END,
        CASE WHEN tidy_instant(t[16]) IS NOT NULL AND registered_at IS NULL THEN {'rule': 'registered_at.garbled', 'value': t[16]} END,
        CASE WHEN payment_mark NOT IN ('yes', 'no', 'verified', 'pending', 'rejected') THEN {'rule': 'payment_mark.allowed', 'value': t[17]} END,
        CASE WHEN p_amount_minor IS NOT NULL AND amount_minor IS NULL THEN {'rule': 'amount_minor.garbled', 'value': t[18]} END,
        CASE WHEN amount_minor NOT BETWEEN 0 AND 100000000000 THEN {'rule': 'amount_minor.range', 'value': t[18]} END,
        CASE WHEN p_notes IS NOT NULL AND notes IS NULL THEN {'rule': 'notes.garbled', 'value': t[19]} END,
        CASE WHEN length(notes) > 10000 THEN {'rule': 'notes.too_long', 'value': t[19]} END,
        CASE WHEN tidy_json(t[20]) IS NOT NULL AND custom_fields IS NULL THEN {'rule': 'custom_fields.garbled', 'value': t[20]} END,
        CASE WHEN length(custom_fields) > 200000 THEN {'rule': 'custom_fields.too_long', 'value': t[20]} END,
        CASE WHEN tidy_json(t[21]) IS NOT NULL AND questions IS NULL THEN {'rule': 'questions.garbled', 'value': t[21]} END,
        CASE WHEN length(questions) > 200000 THEN {'rule': 'questions.too_long', 'value': t[21]} END,
        CASE WHEN row_doubt <> 'none' THEN {'rule': 'row_doubt.allowed', 'value': t[22]} END
    ], lambda broken: broken IS NOT NULL))
FROM read_sheet_rows WHERE is_rejected OR is_noted;
DROP TABLE read_sheet_rows;

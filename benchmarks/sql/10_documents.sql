-- staging.clubs
CREATE OR REPLACE TEMP TABLE read_clubs AS
WITH latest AS (
    SELECT document_id, max(version) AS version, arg_max(source, version || source) AS source
    FROM lake.raw.firebase_clubs GROUP BY document_id
), documents AS (
    SELECT document_id, version, source, coalesce(left(payload, 1) = '{', false) AS is_object,
        version_instant(version) AS version_at,
        json_extract_string(payload, [
            '$.name', '$.description', '$.logo_url', '$.contact_email', '$.contact_phone', '$.website',
            '$.created_at', '$.updated_at'
        ]) AS t
    FROM lake.raw.firebase_clubs JOIN latest USING (document_id, version, source)
    WHERE operation = 'upsert'
), tidied AS (
    SELECT document_id, version, source, is_object, version_at, t,
        tidy(t[1]) AS p_club_name,
        tidy(t[2]) AS p_description,
        tidy(t[3]) AS p_logo_url,
        tidy_email(t[4]) AS p_contact_email,
        tidy_phone(t[5]) AS p_contact_phone,
        tidy(t[6]) AS p_website,
        tidy_instant(t[7]) AS p_created_at,
        tidy_instant(t[8]) AS p_updated_at
    FROM documents
), values_read AS (
    SELECT document_id, version, source, is_object, version_at, t,
        p_club_name, p_description, p_logo_url, p_contact_email, p_contact_phone, p_website, p_created_at,
        p_updated_at,
        as_text(p_club_name) AS club_name, as_text(p_description) AS description, as_text(p_logo_url) AS logo_url,
        as_email(p_contact_email) AS contact_email, as_phone(p_contact_phone) AS contact_phone,
        as_text(p_website) AS website, as_instant(p_created_at) AS created_at,
        as_instant(p_updated_at) AS updated_at
    FROM tidied
), checked AS (
    SELECT *,
        coalesce(
            NOT is_object
            OR length(document_id) > 1600
            OR p_club_name IS NOT NULL AND club_name IS NULL
            OR length(club_name) > 1000
            OR p_description IS NOT NULL AND description IS NULL
            OR length(description) > 20000
            OR p_contact_email IS NOT NULL AND contact_email IS NULL
            OR length(contact_email) > 320,
        false) AS is_rejected,
        coalesce(
            p_logo_url IS NOT NULL AND logo_url IS NULL
            OR length(logo_url) > 4000
            OR p_contact_phone IS NOT NULL AND contact_phone IS NULL
            OR p_website IS NOT NULL AND website IS NULL
            OR length(website) > 4000
            OR p_created_at IS NOT NULL AND created_at IS NULL
            OR p_updated_at IS NOT NULL AND updated_at IS NULL,
        false) AS is_noted
    FROM values_read
)
SELECT
    document_id, version, source, version_at, is_object, club_name, description, logo_url, contact_email,
    contact_phone, website, created_at, updated_at, is_rejected, is_noted,
    CASE WHEN is_rejected OR is_noted THEN t END AS t
FROM checked;

CREATE OR REPLACE TABLE lake.sql_staging.clubs AS
SELECT
    document_id AS club_id, club_name, description,
    CASE WHEN length(logo_url) <= 4000 THEN logo_url END AS logo_url, contact_email, contact_phone,
    CASE WHEN length(website) <= 4000 THEN website END AS website, created_at, updated_at, source, version,
    version_at
FROM read_clubs WHERE NOT is_rejected;

INSERT INTO quarantined
SELECT 'clubs', document_id, source, version, unnest(list_filter([
        CASE WHEN NOT is_object THEN {'rule': '(document).not_an_object', 'value': NULL} END,
        CASE WHEN length(document_id) > 1600 THEN {'rule': 'club_id.too_long', 'value': document_id} END,
        CASE WHEN tidy(t[1]) IS NOT NULL AND club_name IS NULL THEN {'rule': 'club_name.garbled', 'value': t[1]} END,
        CASE WHEN length(club_name) > 1000 THEN {'rule': 'club_name.too_long', 'value': t[1]} END,
        CASE WHEN tidy(t[2]) IS NOT NULL AND description IS NULL THEN {'rule': 'description.garbled', 'value': t[2]} END,
        CASE WHEN length(description) > 20000 THEN {'rule': 'description.too_long', 'value': t[2]} END,
        CASE WHEN tidy(t[3]) IS NOT NULL AND logo_url IS NULL THEN {'rule': 'logo_url.garbled', 'value': t[3]} END,
        CASE WHEN length(logo_url) > 4000 THEN {'rule': 'logo_url.too_long', 'value': t[3]} END,
        CASE WHEN tidy_email(t[4]) IS NOT NULL AND contact_email IS NULL THEN {'rule': 'contact_email.garbled', 'value': t[4]} END,
        CASE WHEN length(contact_email) > 320 THEN {'rule': 'contact_email.too_long', 'value': t[4]} END,
        CASE WHEN tidy_phone(t[5]) IS NOT NULL AND contact_phone IS NULL THEN {'rule': 'contact_phone.garbled', 'value': t[5]} END,
        CASE WHEN tidy(t[6]) IS NOT NULL AND website IS NULL THEN {'rule': 'website.garbled', 'value': t[6]} END,
        CASE WHEN length(website) > 4000 THEN {'rule': 'website.too_long', 'value': t[6]} END,
        CASE WHEN tidy_instant(t[7]) IS NOT NULL AND created_at IS NULL THEN {'rule': 'created_at.garbled', 'value': t[7]} END,
        CASE WHEN tidy_instant(t[8]) IS NOT NULL AND updated_at IS NULL THEN {'rule': 'updated_at.garbled', 'value': t[8]} END
    ], lambda broken: broken IS NOT NULL))
FROM read_clubs WHERE is_rejected OR is_noted;
DROP TABLE read_clubs;

-- staging.categories
CREATE OR REPLACE TEMP TABLE read_categories AS
WITH latest AS (
    SELECT document_id, max(version) AS version, arg_max(source, version || source) AS source
    FROM lake.raw.firebase_categories GROUP BY document_id
), documents AS (
    SELECT document_id, version, source, coalesce(left(payload, 1) = '{', false) AS is_object,
        version_instant(version) AS version_at,
        json_extract_string(payload, [
            '$.name', '$.color', '$.created_at', '$.updated_at'
        ]) AS t
    FROM lake.raw.firebase_categories JOIN latest USING (document_id, version, source)
    WHERE operation = 'upsert'
), tidied AS (
    SELECT document_id, version, source, is_object, version_at, t,
        tidy(t[1]) AS p_category_name,
        tidy(t[2]) AS p_color,
        tidy_instant(t[3]) AS p_created_at,
        tidy_instant(t[4]) AS p_updated_at
    FROM documents
), values_read AS (
    SELECT document_id, version, source, is_object, version_at, t,
        p_category_name, p_color, p_created_at, p_updated_at,
        as_text(p_category_name) AS category_name, as_text(p_color) AS color,
        as_instant(p_created_at) AS created_at, as_instant(p_updated_at) AS updated_at
    FROM tidied
), checked AS (
    SELECT *,
        coalesce(
            NOT is_object
            OR length(document_id) > 1600
            OR p_category_name IS NOT NULL AND category_name IS NULL
            OR length(category_name) > 1000,
        false) AS is_rejected,
        coalesce(
            p_color IS NOT NULL AND color IS NULL
            OR length(color) > 32
            OR p_created_at IS NOT NULL AND created_at IS NULL
            OR p_updated_at IS NOT NULL AND updated_at IS NULL,
        false) AS is_noted
    FROM values_read
)
SELECT
    document_id, version, source, version_at, is_object, category_name, color, created_at, updated_at, is_rejected,
    is_noted, CASE WHEN is_rejected OR is_noted THEN t END AS t
FROM checked;

CREATE OR REPLACE TABLE lake.sql_staging.categories AS
SELECT
    document_id AS category_id, category_name, CASE WHEN length(color) <= 32 THEN color END AS color, created_at,
    updated_at, source, version, version_at
FROM read_categories WHERE NOT is_rejected;

INSERT INTO quarantined
SELECT 'categories', document_id, source, version, unnest(list_filter([
        CASE WHEN NOT is_object THEN {'rule': '(document).not_an_object', 'value': NULL} END,
        CASE WHEN length(document_id) > 1600 THEN {'rule': 'category_id.too_long', 'value': document_id} END,
        CASE WHEN tidy(t[1]) IS NOT NULL AND category_name IS NULL THEN {'rule': 'category_name.garbled', 'value': t[1]} END,
        CASE WHEN length(category_name) > 1000 THEN {'rule': 'category_name.too_long', 'value': t[1]} END,
        CASE WHEN tidy(t[2]) IS NOT NULL AND color IS NULL THEN {'rule': 'color.garbled', 'value': t[2]} END,
        CASE WHEN length(color) > 32 THEN {'rule': 'color.too_long', 'value': t[2]} END,
        CASE WHEN tidy_instant(t[3]) IS NOT NULL AND created_at IS NULL THEN {'rule': 'created_at.garbled', 'value': t[3]} END,
        CASE WHEN tidy_instant(t[4]) IS NOT NULL AND updated_at IS NULL THEN {'rule': 'updated_at.garbled', 'value': t[4]} END
    ], lambda broken: broken IS NOT NULL))
FROM read_categories WHERE is_rejected OR is_noted;
DROP TABLE read_categories;

-- staging.events
CREATE OR REPLACE TEMP TABLE read_events AS
WITH latest AS (
    SELECT document_id, max(version) AS version, arg_max(source, version || source) AS source
    FROM lake.raw.firebase_events GROUP BY document_id
), documents AS (
    SELECT document_id, version, source, coalesce(left(payload, 1) = '{', false) AS is_object,
        version_instant(version) AS version_at,
        json_extract_string(payload, [
            '$.title', '$.description', '$.start_date', '$.end_date', '$.location', '$.min_participants',
            '$.max_participants', '$.registration_deadline', '$.registration_open', '$.status', '$.is_featured',
            '$.is_archived', '$.club_id', '$.category_id', '$.registration_method', '$.participation_type',
            '$.requires_payment', '$.payment_amount', '$.custom_fields', '$.google_sheet_id', '$.last_sync_at',
            '$.created_at', '$.updated_at'
        ]) AS t,
        number_or_text(t[18], payload, '$.payment_amount') AS amount_text
    FROM lake.raw.firebase_events JOIN latest USING (document_id, version, source)
    WHERE operation = 'upsert'
), tidied AS (
    SELECT document_id, version, source, is_object, version_at, t,
        tidy(t[1]) AS p_title,
        tidy(t[2]) AS p_description,
        tidy_instant(t[3]) AS p_starts_at,
        tidy_instant(t[4]) AS p_ends_at,
        tidy(t[5]) AS p_location,
        tidy_integer(t[6]) AS p_min_participants,
        tidy_integer(t[7]) AS p_capacity,
        tidy_instant(t[8]) AS p_registration_deadline_at,
        lower(tidy(t[9])) AS p_is_registration_open,
        tidy_choice(t[10], ['upcoming', 'ongoing', 'completed', 'cancelled']) AS p_event_status,
        lower(tidy(t[11])) AS p_is_featured,
        lower(tidy(t[12])) AS p_is_archived,
        tidy(t[13]) AS p_club_id,
        tidy(t[14]) AS p_category_id,
        tidy_choice(t[15], ['internal', 'external', 'both']) AS p_registration_method,
        tidy_choice(t[16], ['individual', 'team', 'both']) AS p_participation_type,
        lower(tidy(t[17])) AS p_is_paid,
        tidy_amount(amount_text) AS p_fee_minor,
        tidy_json(t[19]) AS p_custom_fields,
        tidy(t[20]) AS p_google_sheet_id,
        tidy_instant(t[21]) AS p_last_synced_at,
        tidy_instant(t[22]) AS p_created_at,
        tidy_instant(t[23]) AS p_updated_at
    FROM documents
), values_read AS (
    SELECT document_id, version, source, is_object, version_at, t,
        p_title, p_description, p_starts_at, p_ends_at, p_location, p_min_participants, p_capacity,
        p_registration_deadline_at, p_is_registration_open, p_is_featured, p_is_archived, p_club_id, p_category_id,
        p_is_paid, p_fee_minor, p_custom_fields, p_google_sheet_id, p_last_synced_at, p_created_at, p_updated_at,
        as_text(p_title) AS title, as_text(p_description) AS description, as_instant(p_starts_at) AS starts_at,
        as_instant(p_ends_at) AS ends_at, as_text(p_location) AS location,
        as_integer(p_min_participants) AS min_participants, as_integer(p_capacity) AS capacity,
        as_instant(p_registration_deadline_at) AS registration_deadline_at,
        as_boolean(p_is_registration_open) AS is_registration_open, p_event_status AS event_status,
        as_boolean(p_is_featured) AS is_featured, as_boolean(p_is_archived) AS is_archived,
        as_text(p_club_id) AS club_id, as_text(p_category_id) AS category_id,
        p_registration_method AS registration_method, p_participation_type AS participation_type,
        as_boolean(p_is_paid) AS is_paid, as_minor_units(p_fee_minor) AS fee_minor,
        as_json(p_custom_fields) AS custom_fields, as_text(p_google_sheet_id) AS google_sheet_id,
        as_instant(p_last_synced_at) AS last_synced_at, as_instant(p_created_at) AS created_at,
        as_instant(p_updated_at) AS updated_at
    FROM tidied
), checked AS (
    SELECT *,
        coalesce(
            NOT is_object
            OR length(document_id) > 1600
            OR p_fee_minor IS NOT NULL AND fee_minor IS NULL
            OR fee_minor NOT BETWEEN 0 AND 100000000000,
        false) AS is_rejected,
        coalesce(
            p_description IS NOT NULL AND description IS NULL
            OR p_title IS NOT NULL AND title IS NULL
            OR length(title) > 1000
            OR p_starts_at IS NOT NULL AND starts_at IS NULL
            OR p_ends_at IS NOT NULL AND ends_at IS NULL
            OR p_location IS NOT NULL AND location IS NULL
            OR length(location) > 1000
            OR p_capacity IS NOT NULL AND capacity IS NULL
            OR capacity NOT BETWEEN 0 AND 10000000
            OR p_registration_deadline_at IS NOT NULL AND registration_deadline_at IS NULL
            OR p_is_registration_open IS NOT NULL AND is_registration_open IS NULL
            OR p_is_featured IS NOT NULL AND is_featured IS NULL
            OR p_is_archived IS NOT NULL AND is_archived IS NULL
            OR p_club_id IS NOT NULL AND club_id IS NULL
            OR length(club_id) > 200
            OR p_category_id IS NOT NULL AND category_id IS NULL
            OR length(category_id) > 200
            OR p_is_paid IS NOT NULL AND is_paid IS NULL
            OR length(description) > 100000
            OR p_min_participants IS NOT NULL AND min_participants IS NULL
            OR min_participants NOT BETWEEN 0 AND 10000000
            OR event_status NOT IN ('upcoming', 'ongoing', 'completed', 'cancelled')
            OR registration_method NOT IN ('internal', 'external', 'both')
            OR participation_type NOT IN ('individual', 'team', 'both')
            OR p_custom_fields IS NOT NULL AND custom_fields IS NULL
            OR length(custom_fields) > 200000
            OR p_google_sheet_id IS NOT NULL AND google_sheet_id IS NULL
            OR length(google_sheet_id) > 200
            OR p_last_synced_at IS NOT NULL AND last_synced_at IS NULL
            OR p_created_at IS NOT NULL AND created_at IS NULL
            OR p_updated_at IS NOT NULL AND updated_at IS NULL,
        false) AS is_noted
    FROM values_read
)
SELECT
    document_id, version, source, version_at, is_object, title, description, starts_at, ends_at, location,
    min_participants, capacity, registration_deadline_at, is_registration_open, event_status, is_featured,
    is_archived, club_id, category_id, registration_method, participation_type, is_paid, fee_minor, custom_fields,
    google_sheet_id, last_synced_at, created_at, updated_at, is_rejected, is_noted,
    CASE WHEN is_rejected OR is_noted THEN t END AS t
FROM checked;

CREATE OR REPLACE TABLE lake.sql_staging.events AS
SELECT
    document_id AS event_id, CASE WHEN length(title) <= 1000 THEN title END AS title,
    CASE WHEN length(description) <= 100000 THEN description END AS description,
    starts_at, ends_at, CASE WHEN length(location) <= 1000 THEN location END AS location,
    CASE WHEN min_participants BETWEEN 0 AND 10000000 THEN min_participants END AS min_participants,
    CASE WHEN capacity BETWEEN 0 AND 10000000 THEN capacity END AS capacity,
    registration_deadline_at, is_registration_open,
    CASE WHEN event_status IN ('upcoming', 'ongoing', 'completed', 'cancelled') THEN event_status END AS event_status,
    is_featured, is_archived, CASE WHEN length(club_id) <= 200 THEN club_id END AS club_id,
    CASE WHEN length(category_id) <= 200 THEN category_id END AS category_id,
    CASE WHEN registration_method IN ('internal', 'external', 'both') THEN registration_method END AS registration_method,
    CASE WHEN participation_type IN ('individual', 'team', 'both') THEN participation_type END AS participation_type,
    is_paid, fee_minor,
    CASE WHEN length(custom_fields) <= 200000 THEN custom_fields END AS custom_fields,
    CASE WHEN length(google_sheet_id) <= 200 THEN google_sheet_id END AS google_sheet_id, last_synced_at,
    created_at, updated_at, source, version, version_at
FROM read_events WHERE NOT is_rejected;

INSERT INTO quarantined
SELECT 'events', document_id, source, version, unnest(list_filter([
        CASE WHEN NOT is_object THEN {'rule': '(document).not_an_object', 'value': NULL} END,
        CASE WHEN length(document_id) > 1600 THEN {'rule': 'event_id.too_long', 'value': document_id} END,
        CASE WHEN tidy(t[1]) IS NOT NULL AND title IS NULL THEN {'rule': 'title.garbled', 'value': t[1]} END,
        CASE WHEN length(title) > 1000 THEN {'rule': 'title.too_long', 'value': t[1]} END,
        CASE WHEN tidy(t[2]) IS NOT NULL AND description IS NULL THEN {'rule': 'description.garbled', 'value': t[2]} END,
        CASE WHEN length(description) > 100000 THEN {'rule': 'description.too_long', 'value': t[2]} END,
        CASE WHEN tidy_instant(t[3]) IS NOT NULL AND starts_at IS NULL THEN {'rule': 'starts_at.garbled', 'value': t[3]} END,
        CASE WHEN tidy_instant(t[4]) IS NOT NULL AND ends_at IS NULL THEN {'rule': 'ends_at.garbled', 'value': t[4]} END,
        CASE WHEN tidy(t[5]) IS NOT NULL AND location IS NULL THEN {'rule': 'location.garbled', 'value': t[5]} END,
        CASE WHEN length(location) > 1000 THEN {'rule': 'location.too_long', 'value': t[5]} END,
        CASE WHEN tidy_integer(t[6]) IS NOT NULL AND min_participants IS NULL THEN {'rule': 'min_participants.garbled', 'value': t[6]} END,
        CASE WHEN min_participants NOT BETWEEN 0 AND 10000000 THEN {'rule': 'min_participants.range', 'value': t[6]} END,
        CASE WHEN tidy_integer(t[7]) IS NOT NULL AND capacity IS NULL THEN {'rule': 'capacity.garbled', 'value': t[7]} END,
        CASE WHEN capacity NOT BETWEEN 0 AND 10000000 THEN {'rule': 'capacity.range', 'value': t[7]} END,
        CASE WHEN tidy_instant(t[8]) IS NOT NULL AND registration_deadline_at IS NULL THEN {'rule': 'registration_deadline_at.garbled', 'value': t[8]} END,
        CASE WHEN lower(tidy(t[9])) IS NOT NULL AND is_registration_open IS NULL THEN {'rule': 'is_registration_open.garbled', 'value': t[9]} END,
        CASE WHEN event_status NOT IN ('upcoming', 'ongoing', 'completed', 'cancelled') THEN {'rule': 'event_status.allowed', 'value': t[10]} END,
        CASE WHEN lower(tidy(t[11])) IS NOT NULL AND is_featured IS NULL THEN {'rule': 'is_featured.garbled', 'value': t[11]} END,
        CASE WHEN lower(tidy(t[12])) IS NOT NULL AND is_archived IS NULL THEN {'rule': 'is_archived.garbled', 'value': t[12]} END,
        CASE WHEN tidy(t[13]) IS NOT NULL AND club_id IS NULL THEN {'rule': 'club_id.garbled', 'value': t[13]} END,
        CASE WHEN length(club_id) > 200 THEN {'rule': 'club_id.too_long', 'value': t[13]} END,
        CASE WHEN tidy(t[14]) IS NOT NULL AND category_id IS NULL THEN {'rule': 'category_id.garbled', 'value': t[14]} END,
        CASE WHEN length(category_id) > 200 THEN {'rule': 'category_id.too_long', 'value': t[14]} END,
        CASE WHEN registration_method NOT IN ('internal', 'external', 'both') THEN {'rule': 'registration_method.allowed', 'value': t[15]} END,
        CASE WHEN participation_type NOT IN ('individual', 'team', 'both') THEN {'rule': 'participation_type.allowed', 'value': t[16]} END,
        CASE WHEN lower(tidy(t[17])) IS NOT NULL AND is_paid IS NULL THEN {'rule': 'is_paid.garbled', 'value': t[17]} END,
        CASE WHEN tidy_amount(t[18]) IS NOT NULL AND fee_minor IS NULL THEN {'rule': 'fee_minor.garbled', 'value': t[18]} END,
        CASE WHEN fee_minor NOT BETWEEN 0 AND 100000000000 THEN {'rule': 'fee_minor.range', 'value': t[18]} END,
        CASE WHEN tidy_json(t[19]) IS NOT NULL AND custom_fields IS NULL THEN {'rule': 'custom_fields.garbled', 'value': t[19]} END,
        CASE WHEN length(custom_fields) > 200000 THEN {'rule': 'custom_fields.too_long', 'value': t[19]} END,
        CASE WHEN tidy(t[20]) IS NOT NULL AND google_sheet_id IS NULL THEN {'rule': 'google_sheet_id.garbled', 'value': t[20]} END,
        CASE WHEN length(google_sheet_id) > 200 THEN {'rule': 'google_sheet_id.too_long', 'value': t[20]} END,
        CASE WHEN tidy_instant(t[21]) IS NOT NULL AND last_synced_at IS NULL THEN {'rule': 'last_synced_at.garbled', 'value': t[21]} END,
        CASE WHEN tidy_instant(t[22]) IS NOT NULL AND created_at IS NULL THEN {'rule': 'created_at.garbled', 'value': t[22]} END,
        CASE WHEN tidy_instant(t[23]) IS NOT NULL AND updated_at IS NULL THEN {'rule': 'updated_at.garbled', 'value': t[23]} END
    ], lambda broken: broken IS NOT NULL))
FROM read_events WHERE is_rejected OR is_noted;
DROP TABLE read_events;

-- staging.tags
CREATE OR REPLACE TEMP TABLE read_tags AS
WITH latest AS (
    SELECT document_id, max(version) AS version, arg_max(source, version || source) AS source
    FROM lake.raw.firebase_tags GROUP BY document_id
), documents AS (
    SELECT document_id, version, source, coalesce(left(payload, 1) = '{', false) AS is_object,
        version_instant(version) AS version_at,
        json_extract_string(payload, [
            '$.name', '$.color'
        ]) AS t
    FROM lake.raw.firebase_tags JOIN latest USING (document_id, version, source)
    WHERE operation = 'upsert'
), tidied AS (
    SELECT document_id, version, source, is_object, version_at, t,
        tidy(t[1]) AS p_tag_name,
        tidy(t[2]) AS p_color
    FROM documents
), values_read AS (
    SELECT document_id, version, source, is_object, version_at, t,
        p_tag_name, p_color,
        as_text(p_tag_name) AS tag_name, as_text(p_color) AS color
    FROM tidied
), checked AS (
    SELECT *,
        coalesce(
            NOT is_object
            OR length(document_id) > 1600
            OR p_tag_name IS NOT NULL AND tag_name IS NULL
            OR length(tag_name) > 1000,
        false) AS is_rejected,
        coalesce(
            p_color IS NOT NULL AND color IS NULL
            OR length(color) > 32,
        false) AS is_noted
    FROM values_read
)
SELECT
    document_id, version, source, version_at, is_object, tag_name, color, is_rejected, is_noted,
    CASE WHEN is_rejected OR is_noted THEN t END AS t
FROM checked;

CREATE OR REPLACE TABLE lake.sql_staging.tags AS
SELECT
    document_id AS tag_id, tag_name, CASE WHEN length(color) <= 32 THEN color END AS color, source, version,
    version_at
FROM read_tags WHERE NOT is_rejected;

INSERT INTO quarantined
SELECT 'tags', document_id, source, version, unnest(list_filter([
        CASE WHEN NOT is_object THEN {'rule': '(document).not_an_object', 'value': NULL} END,
        CASE WHEN length(document_id) > 1600 THEN {'rule': 'tag_id.too_long', 'value': document_id} END,
        CASE WHEN tidy(t[1]) IS NOT NULL AND tag_name IS NULL THEN {'rule': 'tag_name.garbled', 'value': t[1]} END,
        CASE WHEN length(tag_name) > 1000 THEN {'rule': 'tag_name.too_long', 'value': t[1]} END,
        CASE WHEN tidy(t[2]) IS NOT NULL AND color IS NULL THEN {'rule': 'color.garbled', 'value': t[2]} END,
        CASE WHEN length(color) > 32 THEN {'rule': 'color.too_long', 'value': t[2]} END
    ], lambda broken: broken IS NOT NULL))
FROM read_tags WHERE is_rejected OR is_noted;
DROP TABLE read_tags;

-- staging.event_tags
CREATE OR REPLACE TEMP TABLE read_event_tags AS
WITH latest AS (
    SELECT document_id, max(version) AS version, arg_max(source, version || source) AS source
    FROM lake.raw.firebase_event_tags GROUP BY document_id
), documents AS (
    SELECT document_id, version, source, coalesce(left(payload, 1) = '{', false) AS is_object,
        version_instant(version) AS version_at,
        json_extract_string(payload, [
            '$.event_id', '$.tag_id'
        ]) AS t
    FROM lake.raw.firebase_event_tags JOIN latest USING (document_id, version, source)
    WHERE operation = 'upsert'
), tidied AS (
    SELECT document_id, version, source, is_object, version_at, t,
        tidy(t[1]) AS p_event_id,
        tidy(t[2]) AS p_tag_id
    FROM documents
), values_read AS (
    SELECT document_id, version, source, is_object, version_at, t,
        p_event_id, p_tag_id,
        as_text(p_event_id) AS event_id, as_text(p_tag_id) AS tag_id
    FROM tidied
), checked AS (
    SELECT *,
        coalesce(
            NOT is_object
            OR length(document_id) > 1600
            OR p_event_id IS NOT NULL AND event_id IS NULL
            OR event_id IS NULL
            OR length(event_id) > 200
            OR p_tag_id IS NOT NULL AND tag_id IS NULL
            OR tag_id IS NULL
            OR length(tag_id) > 200,
        false) AS is_rejected,
        false AS is_noted
    FROM values_read
)
SELECT
    document_id, version, source, version_at, is_object, event_id, tag_id, is_rejected, is_noted,
    CASE WHEN is_rejected OR is_noted THEN t END AS t
FROM checked;

CREATE OR REPLACE TABLE lake.sql_staging.event_tags AS
SELECT
    document_id AS event_tag_id, event_id, tag_id, source, version, version_at
FROM read_event_tags WHERE NOT is_rejected;

INSERT INTO quarantined
SELECT 'event_tags', document_id, source, version, unnest(list_filter([
        CASE WHEN NOT is_object THEN {'rule': '(document).not_an_object', 'value': NULL} END,
        CASE WHEN length(document_id) > 1600 THEN {'rule': 'event_tag_id.too_long', 'value': document_id} END,
        CASE WHEN tidy(t[1]) IS NOT NULL AND event_id IS NULL THEN {'rule': 'event_id.garbled', 'value': t[1]} END,
        CASE WHEN event_id IS NULL THEN {'rule': 'event_id.required', 'value': t[1]} END,
        CASE WHEN length(event_id) > 200 THEN {'rule': 'event_id.too_long', 'value': t[1]} END,
        CASE WHEN tidy(t[2]) IS NOT NULL AND tag_id IS NULL THEN {'rule': 'tag_id.garbled', 'value': t[2]} END,
        CASE WHEN tag_id IS NULL THEN {'rule': 'tag_id.required', 'value': t[2]} END,
        CASE WHEN length(tag_id) > 200 THEN {'rule': 'tag_id.too_long', 'value': t[2]} END
    ], lambda broken: broken IS NOT NULL))
FROM read_event_tags WHERE is_rejected OR is_noted;
DROP TABLE read_event_tags;

-- staging.club_requests
CREATE OR REPLACE TEMP TABLE read_club_requests AS
WITH latest AS (
    SELECT document_id, max(version) AS version, arg_max(source, version || source) AS source
    FROM lake.raw.firebase_club_requests GROUP BY document_id
), documents AS (
    SELECT document_id, version, source, coalesce(left(payload, 1) = '{', false) AS is_object,
        version_instant(version) AS version_at,
        json_extract_string(payload, [
            '$.club_name', '$.contact_person', '$.contact_email', '$.contact_phone', '$.description', '$.status',
            '$.created_at', '$.updated_at'
        ]) AS t
    FROM lake.raw.firebase_club_requests JOIN latest USING (document_id, version, source)
    WHERE operation = 'upsert'
), tidied AS (
    SELECT document_id, version, source, is_object, version_at, t,
        tidy(t[1]) AS p_club_name,
        tidy(t[2]) AS p_contact_person,
        tidy_email(t[3]) AS p_contact_email,
        tidy_phone(t[4]) AS p_contact_phone,
        tidy(t[5]) AS p_description,
        tidy_choice(t[6], ['pending', 'approved', 'rejected']) AS p_request_status,
        tidy_instant(t[7]) AS p_created_at,
        tidy_instant(t[8]) AS p_updated_at
    FROM documents
), values_read AS (
    SELECT document_id, version, source, is_object, version_at, t,
        p_club_name, p_contact_person, p_contact_email, p_contact_phone, p_description, p_created_at, p_updated_at,
        as_text(p_club_name) AS club_name, as_text(p_contact_person) AS contact_person,
        as_email(p_contact_email) AS contact_email, as_phone(p_contact_phone) AS contact_phone,
        as_text(p_description) AS description, p_request_status AS request_status,
        as_instant(p_created_at) AS created_at, as_instant(p_updated_at) AS updated_at
    FROM tidied
), checked AS (
    SELECT *,
        coalesce(
            NOT is_object
            OR length(document_id) > 1600
            OR p_club_name IS NOT NULL AND club_name IS NULL
            OR length(club_name) > 1000
            OR p_contact_person IS NOT NULL AND contact_person IS NULL
            OR length(contact_person) > 1000
            OR p_contact_email IS NOT NULL AND contact_email IS NULL
            OR length(contact_email) > 320
            OR p_description IS NOT NULL AND description IS NULL
            OR length(description) > 20000
            OR request_status NOT IN ('pending', 'approved', 'rejected'),
        false) AS is_rejected,
        coalesce(
            p_contact_phone IS NOT NULL AND contact_phone IS NULL
            OR p_created_at IS NOT NULL AND created_at IS NULL
            OR p_updated_at IS NOT NULL AND updated_at IS NULL,
        false) AS is_noted
    FROM values_read
)
SELECT
    document_id, version, source, version_at, is_object, club_name, contact_person, contact_email, contact_phone,
    description, request_status, created_at, updated_at, is_rejected, is_noted,
    CASE WHEN is_rejected OR is_noted THEN t END AS t
FROM checked;

CREATE OR REPLACE TABLE lake.sql_staging.club_requests AS
SELECT
    document_id AS club_request_id, club_name, contact_person, contact_email, contact_phone, description,
    request_status, created_at, updated_at, source, version, version_at
FROM read_club_requests WHERE NOT is_rejected;

INSERT INTO quarantined
SELECT 'club_requests', document_id, source, version, unnest(list_filter([
        CASE WHEN NOT is_object THEN {'rule': '(document).not_an_object', 'value': NULL} END,
        CASE WHEN length(document_id) > 1600 THEN {'rule': 'club_request_id.too_long', 'value': document_id} END,
        CASE WHEN tidy(t[1]) IS NOT NULL AND club_name IS NULL THEN {'rule': 'club_name.garbled', 'value': t[1]} END,
        CASE WHEN length(club_name) > 1000 THEN {'rule': 'club_name.too_long', 'value': t[1]} END,
        CASE WHEN tidy(t[2]) IS NOT NULL AND contact_person IS NULL THEN {'rule': 'contact_person.garbled', 'value': t[2]} END,
        CASE WHEN length(contact_person) > 1000 THEN {'rule': 'contact_person.too_long', 'value': t[2]} END,
        CASE WHEN tidy_email(t[3]) IS NOT NULL AND contact_email IS NULL THEN {'rule': 'contact_email.garbled', 'value': t[3]} END,
        CASE WHEN length(contact_email) > 320 THEN {'rule': 'contact_email.too_long', 'value': t[3]} END,
        CASE WHEN tidy_phone(t[4]) IS NOT NULL AND contact_phone IS NULL THEN {'rule': 'contact_phone.garbled', 'value': t[4]} END,
        CASE WHEN tidy(t[5]) IS NOT NULL AND description IS NULL THEN {'rule': 'description.garbled', 'value': t[5]} END,
        CASE WHEN length(description) > 20000 THEN {'rule': 'description.too_long', 'value': t[5]} END,
        CASE WHEN request_status NOT IN ('pending', 'approved', 'rejected') THEN {'rule': 'request_status.allowed', 'value': t[6]} END,
        CASE WHEN tidy_instant(t[7]) IS NOT NULL AND created_at IS NULL THEN {'rule': 'created_at.garbled', 'value': t[7]} END,
        CASE WHEN tidy_instant(t[8]) IS NOT NULL AND updated_at IS NULL THEN {'rule': 'updated_at.garbled', 'value': t[8]} END
    ], lambda broken: broken IS NOT NULL))
FROM read_club_requests WHERE is_rejected OR is_noted;
DROP TABLE read_club_requests;

-- staging.event_live_updates
CREATE OR REPLACE TEMP TABLE read_event_live_updates AS
WITH latest AS (
    SELECT document_id, max(version) AS version, arg_max(source, version || source) AS source
    FROM lake.raw.firebase_event_live_updates GROUP BY document_id
), documents AS (
    SELECT document_id, version, source, coalesce(left(payload, 1) = '{', false) AS is_object,
        version_instant(version) AS version_at,
        json_extract_string(payload, [
            '$.message', '$.type', '$.timestamp', '$.is_pinned'
        ]) AS t
    FROM lake.raw.firebase_event_live_updates JOIN latest USING (document_id, version, source)
    WHERE operation = 'upsert'
), tidied AS (
    SELECT document_id, version, source, is_object, version_at, t,
        tidy(t[1]) AS p_message,
        tidy(t[2]) AS p_update_type,
        tidy_instant(t[3]) AS p_posted_at,
        lower(tidy(t[4])) AS p_is_pinned
    FROM documents
), values_read AS (
    SELECT document_id, version, source, is_object, version_at, t,
        p_message, p_update_type, p_posted_at, p_is_pinned,
        as_text(p_message) AS message, as_text(p_update_type) AS update_type, as_instant(p_posted_at) AS posted_at,
        as_boolean(p_is_pinned) AS is_pinned
    FROM tidied
), with_event AS (
    SELECT *, CASE WHEN contains(document_id, '/') THEN split_part(document_id, '/', 1) END AS event_id
    FROM values_read
), checked AS (
    SELECT *,
        coalesce(
            NOT is_object
            OR length(document_id) > 1600
            OR p_message IS NOT NULL AND message IS NULL
            OR length(message) > 20000
            OR event_id IS NULL,
        false) AS is_rejected,
        coalesce(
            p_update_type IS NOT NULL AND update_type IS NULL
            OR length(update_type) > 100
            OR p_posted_at IS NOT NULL AND posted_at IS NULL
            OR p_is_pinned IS NOT NULL AND is_pinned IS NULL,
        false) AS is_noted
    FROM with_event
)
SELECT
    document_id, version, source, version_at, is_object, message, update_type, posted_at, is_pinned, event_id,
    is_rejected, is_noted, CASE WHEN is_rejected OR is_noted THEN t END AS t
FROM checked;

CREATE OR REPLACE TABLE lake.sql_staging.event_live_updates AS
SELECT
    document_id AS live_update_id, message,
    CASE WHEN length(update_type) <= 100 THEN update_type END AS update_type, posted_at, is_pinned, event_id,
    source, version, version_at
FROM read_event_live_updates WHERE NOT is_rejected;

INSERT INTO quarantined
SELECT 'event_live_updates', document_id, source, version, unnest(list_filter([
        CASE WHEN NOT is_object THEN {'rule': '(document).not_an_object', 'value': NULL} END,
        CASE WHEN length(document_id) > 1600 THEN {'rule': 'live_update_id.too_long', 'value': document_id} END,
        CASE WHEN tidy(t[1]) IS NOT NULL AND message IS NULL THEN {'rule': 'message.garbled', 'value': t[1]} END,
        CASE WHEN length(message) > 20000 THEN {'rule': 'message.too_long', 'value': t[1]} END,
        CASE WHEN tidy(t[2]) IS NOT NULL AND update_type IS NULL THEN {'rule': 'update_type.garbled', 'value': t[2]} END,
        CASE WHEN length(update_type) > 100 THEN {'rule': 'update_type.too_long', 'value': t[2]} END,
        CASE WHEN tidy_instant(t[3]) IS NOT NULL AND posted_at IS NULL THEN {'rule': 'posted_at.garbled', 'value': t[3]} END,
        CASE WHEN lower(tidy(t[4])) IS NOT NULL AND is_pinned IS NULL THEN {'rule': 'is_pinned.garbled', 'value': t[4]} END,
        CASE WHEN event_id IS NULL THEN {'rule': 'event_id.required', 'value': event_id} END
    ], lambda broken: broken IS NOT NULL))
FROM read_event_live_updates WHERE is_rejected OR is_noted;
DROP TABLE read_event_live_updates;

-- staging.event_chat
CREATE OR REPLACE TEMP TABLE read_event_chat AS
WITH latest AS (
    SELECT document_id, max(version) AS version, arg_max(source, version || source) AS source
    FROM lake.raw.firebase_event_chat GROUP BY document_id
), documents AS (
    SELECT document_id, version, source, coalesce(left(payload, 1) = '{', false) AS is_object,
        version_instant(version) AS version_at,
        json_extract_string(payload, [
            '$.message', '$.nickname', '$.user_hash', '$.timestamp', '$.message_type', '$.is_moderated',
            '$.reported_count'
        ]) AS t
    FROM lake.raw.firebase_event_chat JOIN latest USING (document_id, version, source)
    WHERE operation = 'upsert'
), tidied AS (
    SELECT document_id, version, source, is_object, version_at, t,
        tidy(t[1]) AS p_message,
        tidy(t[2]) AS p_nickname,
        tidy(t[3]) AS p_user_hash,
        tidy_instant(t[4]) AS p_posted_at,
        tidy(t[5]) AS p_message_type,
        lower(tidy(t[6])) AS p_is_moderated,
        tidy_integer(t[7]) AS p_reported_count
    FROM documents
), values_read AS (
    SELECT document_id, version, source, is_object, version_at, t,
        p_message, p_nickname, p_user_hash, p_posted_at, p_message_type, p_is_moderated, p_reported_count,
        as_text(p_message) AS message, as_text(p_nickname) AS nickname, as_text(p_user_hash) AS user_hash,
        as_instant(p_posted_at) AS posted_at, as_text(p_message_type) AS message_type,
        as_boolean(p_is_moderated) AS is_moderated, as_integer(p_reported_count) AS reported_count
    FROM tidied
), with_event AS (
    SELECT *, CASE WHEN contains(document_id, '/') THEN split_part(document_id, '/', 1) END AS event_id
    FROM values_read
), checked AS (
    SELECT *,
        coalesce(
            NOT is_object
            OR length(document_id) > 1600
            OR p_message IS NOT NULL AND message IS NULL
            OR length(message) > 20000
            OR event_id IS NULL,
        false) AS is_rejected,
        coalesce(
            p_nickname IS NOT NULL AND nickname IS NULL
            OR length(nickname) > 300
            OR p_posted_at IS NOT NULL AND posted_at IS NULL
            OR p_user_hash IS NOT NULL AND user_hash IS NULL
            OR length(user_hash) > 300
            OR p_message_type IS NOT NULL AND message_type IS NULL
            OR length(message_type) > 100
            OR p_is_moderated IS NOT NULL AND is_moderated IS NULL
            OR p_reported_count IS NOT NULL AND reported_count IS NULL
            OR reported_count NOT BETWEEN 0 AND 10000000,
        false) AS is_noted
    FROM with_event
)
SELECT
    document_id, version, source, version_at, is_object, message, nickname, user_hash, posted_at, message_type,
    is_moderated, reported_count, event_id, is_rejected, is_noted,
    CASE WHEN is_rejected OR is_noted THEN t END AS t
FROM checked;

CREATE OR REPLACE TABLE lake.sql_staging.event_chat AS
SELECT
    document_id AS chat_message_id, message, CASE WHEN length(nickname) <= 300 THEN nickname END AS nickname,
    CASE WHEN length(user_hash) <= 300 THEN user_hash END AS user_hash, posted_at,
    CASE WHEN length(message_type) <= 100 THEN message_type END AS message_type, is_moderated,
    CASE WHEN reported_count BETWEEN 0 AND 10000000 THEN reported_count END AS reported_count, event_id, source,
    version, version_at
FROM read_event_chat WHERE NOT is_rejected;

INSERT INTO quarantined
SELECT 'event_chat', document_id, source, version, unnest(list_filter([
        CASE WHEN NOT is_object THEN {'rule': '(document).not_an_object', 'value': NULL} END,
        CASE WHEN length(document_id) > 1600 THEN {'rule': 'chat_message_id.too_long', 'value': document_id} END,
        CASE WHEN tidy(t[1]) IS NOT NULL AND message IS NULL THEN {'rule': 'message.garbled', 'value': t[1]} END,
        CASE WHEN length(message) > 20000 THEN {'rule': 'message.too_long', 'value': t[1]} END,
        CASE WHEN tidy(t[2]) IS NOT NULL AND nickname IS NULL THEN {'rule': 'nickname.garbled', 'value': t[2]} END,
        CASE WHEN length(nickname) > 300 THEN {'rule': 'nickname.too_long', 'value': t[2]} END,
        CASE WHEN tidy(t[3]) IS NOT NULL AND user_hash IS NULL THEN {'rule': 'user_hash.garbled', 'value': t[3]} END,
        CASE WHEN length(user_hash) > 300 THEN {'rule': 'user_hash.too_long', 'value': t[3]} END,
        CASE WHEN tidy_instant(t[4]) IS NOT NULL AND posted_at IS NULL THEN {'rule': 'posted_at.garbled', 'value': t[4]} END,
        CASE WHEN tidy(t[5]) IS NOT NULL AND message_type IS NULL THEN {'rule': 'message_type.garbled', 'value': t[5]} END,
        CASE WHEN length(message_type) > 100 THEN {'rule': 'message_type.too_long', 'value': t[5]} END,
        CASE WHEN lower(tidy(t[6])) IS NOT NULL AND is_moderated IS NULL THEN {'rule': 'is_moderated.garbled', 'value': t[6]} END,
        CASE WHEN tidy_integer(t[7]) IS NOT NULL AND reported_count IS NULL THEN {'rule': 'reported_count.garbled', 'value': t[7]} END,
        CASE WHEN reported_count NOT BETWEEN 0 AND 10000000 THEN {'rule': 'reported_count.range', 'value': t[7]} END,
        CASE WHEN event_id IS NULL THEN {'rule': 'event_id.required', 'value': event_id} END
    ], lambda broken: broken IS NOT NULL))
FROM read_event_chat WHERE is_rejected OR is_noted;
DROP TABLE read_event_chat;

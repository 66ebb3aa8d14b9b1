-- setup
CREATE OR REPLACE TEMP TABLE quarantined (
    table_name VARCHAR, document_id VARCHAR, source VARCHAR, version VARCHAR, broken STRUCT(rule VARCHAR, value VARCHAR)
);

-- Trimming is dear and few texts need it.
CREATE OR REPLACE TEMP MACRO tidy(x) AS nullif(
    CASE
        WHEN ascii(x) <= 32 OR suffix(x, ' ') OR suffix(x, chr(9)) OR suffix(x, chr(10)) OR suffix(x, chr(11))
            OR suffix(x, chr(12)) OR suffix(x, chr(13))
        THEN trim(x, ' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13))
        ELSE x
    END,
    ''
);
CREATE OR REPLACE TEMP MACRO tidy_json(x) AS CASE WHEN NOT regexp_matches(tidy(x), '{{no_list}}') THEN tidy(x) END;
CREATE OR REPLACE TEMP MACRO tidy_choice(x, allowed) AS
    CASE WHEN x IN allowed THEN x ELSE nullif(regexp_replace(lower(tidy(x)), '[\s-]+', '_', 'g'), '') END;
CREATE OR REPLACE TEMP MACRO bare_email(x) AS regexp_replace(
    regexp_replace(
        regexp_replace(regexp_replace(x, '{{invisible}}', '', 'g'), '{{named_email}}', '\1'), '{{before_email}}', ''
    ),
    '{{after_email}}', ''
);
CREATE OR REPLACE TEMP MACRO folded_email(x) AS
    CASE WHEN regexp_matches(x, '[^\x00-\x7f]') THEN python_email(x) ELSE lower(x) END;
CREATE OR REPLACE TEMP MACRO tidy_email(x) AS nullif(
    CASE
        WHEN regexp_matches(x, '{{untidy_email}}') THEN folded_email(bare_email(x))
        ELSE lower(x)
    END,
    ''
);
CREATE OR REPLACE TEMP MACRO tidy_phone(x) AS nullif(
    regexp_replace(
        CASE
            WHEN regexp_matches(x, '^\+?\d+$') THEN x
            WHEN regexp_matches(x, '{{usual_phone}}') AND NOT regexp_matches(x, '{{phone_decimals}}')
                THEN regexp_replace(x, '{{phone_punctuation}}', '', 'g')
            ELSE trim(x, ' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13))
        END,
        '^00([1-9])', '+\1'
    ),
    ''
);
CREATE OR REPLACE TEMP MACRO said_amount(x) AS
    CASE WHEN NOT (regexp_matches(x, '{{no_amount}}') OR regexp_matches(x, '^(?i:{{own_signs}})$')) THEN nullif(x, '') END;
CREATE OR REPLACE TEMP MACRO tidy_amount(x) AS CASE
    WHEN regexp_matches(x, '{{plain_amount}}') THEN x
    ELSE said_amount(trim(x, ' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13)))
END;
CREATE OR REPLACE TEMP MACRO number_or_text(x, payload, path) AS
    CASE WHEN regexp_matches(x, '{{many_decimals}}') AND json_type(payload, path) <> 'VARCHAR' THEN x || '0' ELSE x END;
CREATE OR REPLACE TEMP MACRO tidy_integer(x) AS nullif(regexp_replace(tidy(x), '\.0+$', ''), '');

CREATE OR REPLACE TEMP MACRO is_structure(x) AS (starts_with(x, '{') OR starts_with(x, '[')) AND json_valid(x);
CREATE OR REPLACE TEMP MACRO as_text(x) AS CASE WHEN is_structure(x) THEN NULL ELSE x END;
CREATE OR REPLACE TEMP MACRO as_json(x) AS CASE WHEN is_structure(x) THEN x END;
CREATE OR REPLACE TEMP MACRO as_email(x) AS CASE WHEN regexp_matches(x, '{{email}}') THEN x END;
CREATE OR REPLACE TEMP MACRO as_phone(x) AS CASE
    WHEN regexp_matches(x, '^{{home}}$') THEN '+{{calling_code}}' || x
    WHEN regexp_matches(x, '^\+{{calling_code}}{{prefix}}{{home}}$')
        THEN '+{{calling_code}}' || regexp_replace(x, '^\+{{calling_code}}{{prefix}}', '')
    WHEN regexp_matches(x, '^{{prefix}}{{home}}$') THEN '+{{calling_code}}' || regexp_replace(x, '^{{prefix}}', '')
    WHEN regexp_matches(x, '^{{calling_code}}{{home}}$')
        THEN '+{{calling_code}}' || regexp_replace(x, '^{{calling_code}}', '')
    ELSE nullif(python_phone(x, '{{country}}'), '')
END;
CREATE OR REPLACE TEMP MACRO as_minor_units(x) AS CASE
    WHEN regexp_matches(x, '{{plain_amount}}')
    THEN round(try_cast(regexp_replace(x, '^\D+|/-$', '', 'g') AS DECIMAL(15, 4)) * {{minor_units}})::BIGINT
    ELSE try_cast(python_amount(x, '{{writing}}') AS BIGINT)
END;
CREATE OR REPLACE TEMP MACRO members_besides(team, name, email, student_id) AS CASE
    WHEN team IS NULL THEN 0
    WHEN regexp_matches(team, '{{simple_team}}') AND NOT regexp_matches(team, '{{uneven_team}}')
        AND NOT contains(lower(team), coalesce(email, chr(10)))
        AND NOT contains(lower(team), coalesce(lower(student_id), chr(10)))
    THEN json_array_length(team)
    ELSE python_members(
        team, replace(coalesce(name, ''), chr(10), ' ') || chr(10) || coalesce(email, '') || chr(10) || coalesce(student_id, '')
    )
END;
CREATE OR REPLACE TEMP MACRO tidy_instant(x) AS CASE
    WHEN starts_with(x, '{')
        THEN coalesce(nullif(regexp_replace(regexp_extract(x, '{{written_value}}', 1), '[,\s]+$', ''), ''), x)
    ELSE tidy(x)
END;
CREATE OR REPLACE TEMP MACRO as_integer(x) AS
    try_cast(CASE WHEN regexp_matches(x, '^[+-]?\d{1,18}$') THEN x END AS BIGINT);
CREATE OR REPLACE TEMP MACRO as_boolean(x) AS CASE
    WHEN x IN ('true', 'yes', '1', 'y') THEN true
    WHEN x IN ('false', 'no', '0', 'n') THEN false
END;
CREATE OR REPLACE TEMP MACRO of_epoch(seconds) AS make_timestamptz(round(seconds * 1000)::BIGINT * 1000);
CREATE OR REPLACE TEMP MACRO of_utc(x) AS make_timestamptz(epoch_us(try_cast(x AS TIMESTAMP)));
CREATE OR REPLACE TEMP MACRO of_map(x) AS make_timestamptz(
    try_cast(regexp_extract(x, '"_?seconds":\s*"?(\d{9,11})\b', 1) AS BIGINT) * 1000000
    + coalesce(try_cast(regexp_extract(x, '"_?nano(?:second)?s":\s*"?(\d{1,9})\b', 1) AS BIGINT), 0) // 1000
);
CREATE OR REPLACE TEMP MACRO as_clock(x) AS coalesce(
    try_cast(x AS TIMESTAMP),
    try_strptime(regexp_replace(lower(x), '[\x{202f}\x{a0}]', ' ', 'g'), {{indian_formats}})
);
CREATE OR REPLACE TEMP MACRO known_instant(x) AS CASE
    WHEN suffix(x, 'Z') THEN of_utc(left(x, length(x) - 1))
    WHEN starts_with(x, '{') THEN of_map(x)
    WHEN regexp_matches(x, '^\d{9,11}(\.\d+)?$') THEN of_epoch(try_cast(x AS DOUBLE))
    WHEN regexp_matches(x, '^\d{12,14}(\.\d+)?$') THEN of_epoch(try_cast(x AS DOUBLE) / 1000)
    WHEN regexp_matches(x, '^\d{15,17}$') THEN make_timestamptz(try_cast(x AS BIGINT))
    WHEN regexp_matches(x, '^\d{18,19}$') THEN make_timestamptz(try_cast(x AS BIGINT) // 1000)
    WHEN regexp_matches(x, '{{number_exponent}}')
        THEN of_epoch(CASE WHEN try_cast(x AS DOUBLE) < 1e11 THEN try_cast(x AS DOUBLE) ELSE try_cast(x AS DOUBLE) / 1000 END)
    WHEN regexp_matches(x, '{{offset}}')
        THEN try_cast(regexp_replace(regexp_replace(x, '{{offset}}', '\1\2:\3'), ':$', '') AS TIMESTAMPTZ)
    WHEN regexp_matches(x, '{{utc}}') THEN of_utc(regexp_replace(x, '{{utc}}', ''))
    -- A zone's rules are not known for times far away: looking them up there fails.
    ELSE timezone('{{zone}}', CASE
        WHEN as_clock(x) BETWEEN TIMESTAMP '1900-01-01' AND TIMESTAMP '2200-01-01' THEN as_clock(x)
    END)
END;
CREATE OR REPLACE TEMP MACRO any_instant(x) AS coalesce(
    known_instant(x), make_timestamptz(CASE WHEN x IS NOT NULL THEN nullif(python_instant(x, '{{zone}}'), 0) END)
);
CREATE OR REPLACE TEMP MACRO plausible(instant) AS
    CASE WHEN instant BETWEEN TIMESTAMPTZ '2000-01-01 00:00:00+00' AND TIMESTAMPTZ '2101-01-01 00:00:00+00' THEN instant END;
CREATE OR REPLACE TEMP MACRO as_instant(x) AS plausible(any_instant(x));
CREATE OR REPLACE TEMP MACRO version_instant(version) AS make_timestamptz(left(version, 14)::BIGINT * 1000);
CREATE OR REPLACE TEMP MACRO local_day(instant) AS timezone('{{zone}}', instant)::DATE;
CREATE OR REPLACE TEMP MACRO sorted_words(x) AS CASE
    WHEN contains(x, ' ') THEN array_to_string(list_sort(string_split(x, ' ')), ' ') ELSE x
END;
CREATE OR REPLACE TEMP MACRO bare_words(x) AS CASE
    WHEN regexp_matches(x, '[^a-z0-9]')
    THEN sorted_words(trim(regexp_replace(regexp_replace(x, '[{{apostrophes}}]', '', 'g'), '[^\pL\pM\pN]+', ' ', 'g')))
    ELSE x
END;
CREATE OR REPLACE TEMP MACRO name_key(x) AS nullif(
    CASE
        WHEN regexp_matches(lower(x), '{{ascii_name}}') THEN bare_words(lower(x))
        WHEN regexp_matches(x, '{{european_name}}') THEN bare_words(strip_accents(lower(x)))
        WHEN regexp_matches(x, '{{indic_name}}') THEN bare_words(nfc_normalize(lower(x)))
        ELSE python_name_key(x)
    END,
    ''
);
CREATE OR REPLACE TEMP MACRO pseudonym(x) AS left(
    sha256(getvariable('identity_key') || '|outer|' || sha256(getvariable('identity_key') || '|inner|' || x)), 32
);
CREATE OR REPLACE TEMP MACRO has_started(starts_at, event_status) AS
    coalesce(starts_at <= TIMESTAMPTZ '{{as_of}}', false) AND coalesce(event_status, '') <> 'cancelled';

"""Update times as tools write them, read by one pair of DuckDB macros whatever their spelling.

``written_us(text)`` is the instant in microseconds since 1970, null where the text names none; ``written_part(text)``
is what it says beyond the microsecond, in nanoseconds (0 to 999). ``text`` is a JSON value: the text of a text or of a
number, or the JSON of an object. Read are

- texts with a zone: ISO 8601 with ``Z``, ``UTC``, ``GMT``, an offset or the name of a zone, the dates of HTTP and mail
  (``Mon, 09 Jun 2025 02:55:00 GMT``), of JavaScript, and of the Firestore console
  (``June 9, 2025 at 8:25:00 AM UTC+5:30``);
- numbers, also as text, since 1970: seconds, milliseconds, microseconds or nanoseconds, told apart by their size, which
  is that of the years 1973 to 5138;
- objects: ``{"_seconds", "_nanoseconds"}``, ``{"seconds", "nanoseconds"}``, ``{"seconds", "nanos"}``, and one of these
  or a text as ``value``, ``timestampValue``, ``$date`` or ``__time__`` of an object.

A time without a zone names no instant: which zone is meant differs between tools.
"""

from __future__ import annotations

_ISO = "^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]{8,18}([Zz]|[+-][0-9]{2}:?[0-9]{2}| UTC)$"
_OFFSET = "[ ]*(?:UTC|GMT)?[ ]*([+-])([0-9]{1,2}):?([0-5][0-9])?$"
_ZONE = "[ ]*(?:[Zz]|UTC|GMT|Etc/UTC)$"
_NAMED_ZONE = "[ ][A-Z][A-Za-z]+/[A-Za-z_/]+$"
_FORMATS = ", ".join(
    f"'{form}'"
    for form in (
        "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y%m%dT%H%M%S", "%a, %d %b %Y %H:%M:%S",
        "%d %b %Y %H:%M:%S", "%a %b %d %Y %H:%M:%S", "%B %d, %Y at %I:%M:%S %p", "%B %d, %Y, %I:%M:%S %p",
    )
)  # fmt: skip
_SECONDS = ("_seconds", "seconds", "value._seconds", "value.seconds")
_NANOSECONDS = ("_nanoseconds", "nanoseconds", "nanos", "value._nanoseconds", "value.nanoseconds", "value.nanos")
_INNER = ("timestampValue", "value.timestampValue", '"$date"."$numberLong"', '"$date"', "__time__", "value")


def _first_of(paths: tuple[str, ...]) -> str:
    values = ", ".join(f"text ->> '$.{path}'" for path in paths)
    return f"coalesce({values})"


UPDATE_TIME_MACROS = f"""
CREATE MACRO _local_us(body) AS
    epoch_us(coalesce(try_cast(replace(body, ',', '.') AS TIMESTAMP), try_strptime(body, [{_FORMATS}])));
CREATE MACRO _in_minutes(sign, hours, minutes) AS
    (CASE sign WHEN '-' THEN -1 ELSE 1 END)::BIGINT
    * (hours::BIGINT * 60 + coalesce(try_cast(nullif(minutes, '') AS BIGINT), 0));
CREATE MACRO _number_us(number) AS CASE
    WHEN number BETWEEN 1e8 AND 1e11 THEN (number * 1000000)::BIGINT
    WHEN number BETWEEN 1e11 AND 1e14 THEN (number * 1000)::BIGINT
    WHEN number BETWEEN 1e14 AND 1e17 THEN number::BIGINT
    WHEN number BETWEEN 1e17 AND 9e18 THEN number::BIGINT // 1000
END;
CREATE MACRO _zoned_us(text) AS CASE
    WHEN NOT regexp_matches(text, '[0-9]:?[0-9]{{2}}') OR length(text) > 100 THEN NULL
    WHEN regexp_matches(text, '{_NAMED_ZONE}') AND NOT regexp_matches(text, '{_ZONE}')
        THEN epoch_us(try_cast(text AS TIMESTAMPTZ))
    WHEN regexp_matches(text, '{_ZONE}') THEN _local_us(regexp_replace(text, '{_ZONE}', ''))
    WHEN regexp_matches(text, '[0-9]:?[0-9]{{2}}[^+-]*{_OFFSET}')
        THEN _local_us(regexp_replace(text, '{_OFFSET}', ''))
            - 60000000 * _in_minutes(
                regexp_extract(text, '{_OFFSET}', 1), regexp_extract(text, '{_OFFSET}', 2),
                regexp_extract(text, '{_OFFSET}', 3))
END;
CREATE MACRO _scalar_us(text) AS CASE
    WHEN regexp_full_match(text, '[0-9]{{12,14}}') THEN text::BIGINT * 1000
    WHEN regexp_matches(text, '{_ISO}') THEN epoch_us(try_cast(text AS TIMESTAMPTZ))
    WHEN regexp_full_match(text, '[0-9]+([.][0-9]+)?([eE][+]?[0-9]{{1,2}})?')
        THEN _number_us(try_cast(text AS DECIMAL(38, 9)))
    ELSE _zoned_us(trim(regexp_replace(replace(text, '\u202f', ' '), '[ ]*[(][^)]*[)]$', '')))
END;
CREATE MACRO _nanoseconds(text) AS
    CASE WHEN try_cast({_first_of(_NANOSECONDS)} AS BIGINT) BETWEEN 0 AND 999999999
        THEN try_cast({_first_of(_NANOSECONDS)} AS BIGINT) END;
CREATE MACRO written_us(text) AS CASE
    WHEN text LIKE '{{%' AND json_valid(text) THEN coalesce(
        CASE WHEN try_cast({_first_of(_SECONDS)} AS DECIMAL(38, 9)) BETWEEN 0 AND 1e11
            THEN (try_cast({_first_of(_SECONDS)} AS DECIMAL(38, 9)) * 1000000)::BIGINT
                + coalesce(_nanoseconds(text), 0) // 1000
        END,
        _scalar_us({_first_of(_INNER)}))
    ELSE _scalar_us(text)
END;
CREATE MACRO _scalar_part(text) AS CASE
    WHEN regexp_full_match(text, '[0-9]{{18,19}}') THEN (try_cast(text AS BIGINT) % 1000)::INTEGER
    ELSE rpad(regexp_extract(text, '[0-9][.,][0-9]{{6}}([0-9]{{1,3}})', 1), 3, '0')::INTEGER
END;
CREATE MACRO written_part(text) AS CASE
    WHEN text LIKE '{{%' AND json_valid(text) THEN coalesce(
        (_nanoseconds(text) % 1000)::INTEGER, _scalar_part({_first_of(_INNER)}), 0)
    WHEN length(text) < 18 THEN 0
    ELSE _scalar_part(text)
END;
"""

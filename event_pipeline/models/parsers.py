"""Texts as people and apps write them, read into typed values; null wherever the text does not say such a value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from event_pipeline.contracts.contract import Column
from event_pipeline.models.amounts import amount_text, minor_units
from event_pipeline.models.database_functions import (
    clock_micros,
    instant_of_micros,
    json_valid,
    local_clock,
    python_instant,
    read_clock,
    try_strptime,
)
from event_pipeline.models.emails import email, email_text
from event_pipeline.models.locale import Locale
from event_pipeline.models.phones import compact_number, e164

_INDIAN_DATE_FORMATS = [
    "%d/%m/%Y, %I:%M:%S %p",
    "%d/%m/%Y, %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y",
    "%d-%m-%Y %H:%M:%S",
    "%d-%m-%Y %H:%M",
    "%d-%m-%Y",
]
_BLANKS = (" ", "\t", "\n", "\r", "\v", "\f")
_EARLIEST, _LATEST = "2000-01-01", "2101-01-01"
LONG_AGO = ibis.timestamp("1970-01-01", timezone="UTC")
"""Before any plausible instant: stands for an unknown time where the latest is looked for."""
_OLDEST_CLOCK, _FARTHEST_CLOCK = "1900-01-01", "2200-01-01"
_WRITTEN_VALUE = r'"(?:timestampValue|\$date|\$numberLong|iso|__time__|value)":\s*"?([^"{}\[\]]{1,40})'
"""Maps that hold the time as text or number: Firestore's REST documents and what other exporters write."""
_NOTHING = r"(?i)^(?:n/?a|none|nil|null|-+)$"
_UTC = r"(?i)\s*(?:z|utc|gmt)$"
_EXPONENT = r"^\d(?:\.\d+)?[eE]\+?(?:9|1[0-2])$"
_FIRST_MILLISECONDS = 10**11
_OFFSET = r"(:\d{2}(?:\.\d+)?)\s*([+-]\d{2}):?(\d{2})?$"


@dataclass(frozen=True, slots=True)
class Reading:
    """How a kind of text becomes a value, in three layers so that the database computes each step once.

    ``prepare`` tidies the text, ``read`` turns it into a value, ``accept`` drops values that cannot be meant.
    """

    prepare: Callable[[ir.StringValue], ir.StringValue]
    read: Callable[[ir.StringValue], ir.Value]
    accept: Callable[[ir.Value], ir.Value] = lambda value: value


def reading(column: Column, locale: Locale) -> Reading:
    """The reading of a column's parser."""
    match column.parser:
        case "text":
            return Reading(trimmed, plain_text)
        case "verbatim":
            return Reading(trimmed, lambda text: text)
        case "email":
            return Reading(email_text, email)
        case "phone":
            return Reading(compact_number, lambda text: e164(text, locale.country))
        case "timestamp":
            return Reading(instant_text, lambda text: instant(text, locale.time_zone), plausible_instant)
        case "amount":
            return Reading(lambda text: amount_text(text, locale), lambda text: minor_units(text, locale))
        case "integer":
            return Reading(lambda text: trimmed(text).re_replace(r"\.0+$", "").nullif(""), whole_number)
        case "boolean":
            return Reading(lambda text: trimmed(text).lower(), boolean)
        case "choice":
            return Reading(lambda text: choice_word(text, column.allowed), lambda text: text)
        case "json":
            return Reading(said_structure, structure)
        case _:
            raise ValueError(f"column {column.name} has no parser")


def trimmed(text: ir.StringValue) -> ir.StringValue:
    """Text without surrounding white space; null when nothing is left."""
    # Trimming costs three times what it costs to see that a text needs none.
    is_ragged = (text.ascii_str() <= ord(" ")) | ibis.or_(*[text.endswith(blank) for blank in _BLANKS])
    return ibis.ifelse(is_ragged, text.strip(), text).nullif("")


def choice_word(text: ir.StringValue, allowed: Sequence[str]) -> ir.StringValue:
    """A word of a list in its spelling there: lower case, ``_`` between its parts; most come so already."""
    tidied = trimmed(text).lower().re_replace(r"[\s-]+", "_").nullif("")
    return ibis.ifelse(text.isin(allowed), text, tidied)


def plain_text(text: ir.StringValue) -> ir.StringValue:
    """Text as written; null where the document held an object or a list instead of a text."""
    is_structure = text.left(1).isin(["{", "["]) & json_valid(text)
    return ibis.ifelse(is_structure, ibis.null("string"), text)


def said_structure(text: ir.StringValue) -> ir.StringValue:
    """The text of a list or object; null where it says in a word that there is none."""
    tidied = trimmed(text)
    return ibis.ifelse(tidied.re_search(_NOTHING), ibis.null("string"), tidied)


def structure(text: ir.StringValue) -> ir.StringValue:
    """A list or an object as JSON text."""
    return ibis.ifelse(text.left(1).isin(["{", "["]) & json_valid(text), text, ibis.null("string"))


def instant(text: ir.StringValue, time_zone: str) -> ir.TimestampValue:
    """An instant in UTC: ISO text, a number since 1970, a map of Firestore, a date with its day or month first.

    Numbers are seconds, milliseconds, microseconds or nanoseconds, by how many digits they have. Text without a zone is
    local time of ``time_zone``.
    """
    local = ibis.coalesce(
        text.try_cast("timestamp"),
        try_strptime(text.lower().re_replace(r"[\x{202f}\x{a0}]", " "), _INDIAN_DATE_FORMATS),
    )
    # A zone's rules are not known for times far away: looking them up there is an error that no TRY catches.
    near = ibis.ifelse(local.between(_OLDEST_CLOCK, _FARTHEST_CLOCK), local, ibis.null("timestamp"))
    known = ibis.cases(
        (text.endswith("Z"), _utc(text.left(text.length() - 1))),
        (text.startswith("{"), _of_map(text)),
        (text.re_search(r"^\d{9,11}(\.\d+)?$"), _epoch(text.try_cast("float64"))),
        (text.re_search(r"^\d{12,14}(\.\d+)?$"), _epoch(text.try_cast("float64") / 1000)),
        (text.re_search(r"^\d{15,17}$"), instant_of_micros(text.try_cast("int64"))),
        (text.re_search(r"^\d{18,19}$"), instant_of_micros(text.try_cast("int64") // 1000)),
        (text.re_search(_EXPONENT), _epoch_of_float(text.try_cast("float64"))),
        (text.re_search(_OFFSET), _with_offset(text)),
        (text.re_search(_UTC), _utc(text.re_replace(_UTC, ""))),
        else_=read_clock(time_zone, near),
    )
    # Python is asked for the few texts that the database cannot read; not called at all where every text is missing.
    micros = ibis.ifelse(text.notnull(), python_instant(text, ibis.literal(time_zone)).nullif(0), ibis.null("int64"))
    return ibis.coalesce(known, instant_of_micros(micros))


def instant_text(text: ir.StringValue) -> ir.StringValue:
    """The text of a time, out of the map that holds it where there is one; null when nothing is left."""
    held = text.re_extract(_WRITTEN_VALUE, 1).re_replace(r"[,\s]+$", "").nullif("")
    return ibis.ifelse(text.startswith("{"), ibis.coalesce(held, text), trimmed(text))


def plausible_instant(instant_at: ir.Value) -> ir.Value:
    """Null outside the years 2000 to 2100: a date there is a typing mistake or an attack."""
    earliest, latest = ibis.timestamp(_EARLIEST, timezone="UTC"), ibis.timestamp(_LATEST, timezone="UTC")
    return ibis.ifelse(instant_at.between(earliest, latest), instant_at, ibis.null("timestamp('UTC')"))


def _epoch(seconds: ir.FloatingValue) -> ir.TimestampValue:
    return (seconds * 1000).round().cast("int64").as_timestamp("ms").cast("timestamp('UTC')")


def _epoch_of_float(number: ir.FloatingValue) -> ir.TimestampValue:
    return _epoch(ibis.ifelse(number < _FIRST_MILLISECONDS, number, number / 1000))


def _utc(text: ir.StringValue) -> ir.TimestampValue:
    return instant_of_micros(clock_micros(text.try_cast("timestamp")))


def _with_offset(text: ir.StringValue) -> ir.TimestampValue:
    return text.re_replace(_OFFSET, r"\1\2:\3").re_replace(":$", "").try_cast("timestamp('UTC')")


def _of_map(text: ir.StringValue) -> ir.TimestampValue:
    """Firestore's ``{seconds, nanoseconds}``, with or without underscores, to the microsecond."""
    seconds = text.re_extract(r'"_?seconds":\s*"?(\d{9,11})\b', 1).try_cast("int64")
    nanoseconds = text.re_extract(r'"_?nano(?:second)?s":\s*"?(\d{1,9})\b', 1).try_cast("int64").fill_null(0)
    milliseconds, rest = seconds * 1_000 + nanoseconds // 1_000_000, nanoseconds // 1_000 % 1_000
    return milliseconds.as_timestamp("ms").cast("timestamp('UTC')") + rest.as_interval("us")


def local_date(instant_at: ir.TimestampValue, time_zone: str) -> ir.DateValue:
    """The organisation's day of an instant."""
    return local_clock(time_zone, instant_at).date()


def whole_number(digits: ir.StringValue) -> ir.IntegerValue:
    """Decimal digits with or without a sign; the database's own cast would round 5.5 and take 0x10 for 16."""
    return ibis.ifelse(digits.re_search(r"^[+-]?\d{1,18}$"), digits, ibis.null("string")).try_cast("int64")


def boolean(word: ir.StringValue) -> ir.BooleanValue:
    """True, false, yes, no, 1, 0; lower case."""
    return ibis.cases(
        (word.isin(["true", "yes", "1", "y"]), ibis.literal(True)),
        (word.isin(["false", "no", "0", "n"]), ibis.literal(False)),
        else_=ibis.null("boolean"),
    )

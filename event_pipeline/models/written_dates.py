"""Dates as mail headers, JavaScript and Firebase's console write them: with names of days and months, and a zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAY = r"(?:[a-z]{3,9},? +)?"
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.(?P<fraction>\d{1,9}))?)?(?: ?(?P<half>[ap]m))?"
_ZONE = r" ?(?P<zone>z|ut|utc|gmt)? ?(?P<offset>[+-]\d{1,2}(?::?\d{2})?)?(?: *\([^()]*\))?"
_MONTH = r"(?P<month>[a-z]{3,9})\.?"
_FORMS = tuple(
    re.compile(form + _CLOCK + _ZONE)
    for form in (
        _WEEKDAY + _MONTH + r" +(?P<day>\d{1,2}),? +(?P<year>\d{4}),?(?: at)? +",
        _WEEKDAY + r"(?P<day>\d{1,2})[ -]+" + _MONTH + r"[ -]+(?P<year>\d{4}),?(?: at)? +",
    )
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant_micros(text: str) -> int:
    """Microseconds since 1970; 0 when the text is no such date, or names no zone."""
    if len(text) > 100:
        return 0
    plain = re.sub(r"[\s\u00a0\u202f]+", " ", text.strip().lower())
    found = next((match for form in _FORMS if (match := form.fullmatch(plain))), None)
    if found is None or not (found["zone"] or found["offset"]) or found["month"][:3] not in _MONTHS:
        return 0
    hour = int(found["hour"])
    if found["half"]:
        hour = hour % 12 + (12 if found["half"] == "pm" else 0) if 1 <= hour <= 12 else 99
    try:
        at = datetime(
            int(found["year"]), _MONTHS.index(found["month"][:3]) + 1, int(found["day"]), hour, int(found["minute"]),
            int(found["second"] or 0), int((found["fraction"] or "0").ljust(6, "0")[:6]), tzinfo=_zone(found["offset"]),
        )  # fmt: skip
        return (at - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        return 0


def _zone(offset: str | None) -> timezone:
    if not offset:
        return UTC
    digits = offset[1:].replace(":", "")
    hours, minutes = (digits, "0") if len(digits) <= 2 else (digits[:-2], digits[-2:])
    away = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-away if offset[0] == "-" else away)

"""Times that the database cannot read by itself: names of months, clocks of twelve hours, rarer forms of ISO."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from event_pipeline.clock_times import instant_of_clock

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAY = r"(?:[a-z]{3,9}\.?,? +)?"
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.(?P<fraction>\d{1,9}))?)?(?: ?(?P<half>[ap]m))?"
_ZONE = r"(?: ?(?P<zone>z|ut|utc|gmt))?(?: ?(?P<offset>[+-]\d{1,2}(?::?\d{2})?))?(?: *\([^()]*\))?"
_MONTH = r"(?P<month>[a-z]{3,9})\.?"
_DAY, _YEAR = r"(?P<day>\d{1,2})", r"(?P<year>\d{4}|\d{2}(?!\d|:))"
_ORDINAL = r"(?:st|nd|rd|th)?"
_FORMS = tuple(
    re.compile(form)
    for form in (
        f"{_WEEKDAY}{_MONTH} +{_DAY}{_ORDINAL},? +{_YEAR}(?:(?:,| at|, at)? +{_CLOCK}{_ZONE})?",
        f"{_WEEKDAY}{_DAY}{_ORDINAL}[ -]+{_MONTH},?[ -]+{_YEAR}(?:(?:,| at|, at)? +{_CLOCK}{_ZONE})?",
        # Day first, as the app writes dates.
        rf"{_DAY}(?P<mark>[/.-])(?P<number>\d{{1,2}})(?P=mark){_YEAR}(?:,? +{_CLOCK})?",
        rf"(?P<year>\d{{4}})(?P<mark>[/-])(?P<number>\d{{1,2}})(?P=mark){_DAY},? +{_CLOCK}",
    )
)
_ISO = re.compile(r"\d{4}-?\d\d-?\d\d(?:[t ]\d\d.*)?")
_ABBREVIATED_ZONE = re.compile(r"([+-]\d\d:?\d\d) [a-z]{3,5}$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS = range(1900, 2200)
"""A zone's rules are known for these."""


def instant_micros(text: str, time_zone: str) -> int:
    """Microseconds since 1970; 0 when the text is no such date. Text without a zone is local time of ``time_zone``."""
    if len(text) > 100:
        return 0
    plain = re.sub(r"[\s\u00a0\u202f]+", " ", text.strip().lower())
    plain = re.sub(r"(?<=[\d ])([ap])\. ?m\b\.?", r"\1m", plain)
    found = next((match for form in _FORMS if (match := form.fullmatch(plain))), None)
    if found is not None:
        return _micros(lambda: _written(found), time_zone)
    if _ISO.fullmatch(plain):
        iso = _ABBREVIATED_ZONE.sub(r"\1", plain).replace(" +", "+").replace(" -", "-")
        return _micros(lambda: datetime.fromisoformat(iso.upper()), time_zone)
    return 0


def _micros(read: Callable[[], datetime], time_zone: str) -> int:
    try:
        at = read()
        if at.year not in _YEARS:
            return 0
        return ((at if at.tzinfo else instant_of_clock(at, ZoneInfo(time_zone))) - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        return 0


def _written(found: re.Match[str]) -> datetime:
    """ValueError where no calendar or clock shows this."""
    parts = {"hour": None, "minute": None, "second": None, "fraction": None, "half": None} | found.groupdict()
    year, hour = int(parts["year"] or 0), int(parts["hour"] or 0)
    if parts["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(f"no clock shows {hour} {parts['half']}")
        hour = hour % 12 + (12 if parts["half"] == "pm" else 0)
    month = parts.get("number") or _MONTHS.index((parts["month"] or "")[:3]) + 1
    return datetime(
        year + 2000 if year < 100 else year, int(month), int(parts["day"] or 0), hour, int(parts["minute"] or 0),
        int(parts["second"] or 0), int((parts["fraction"] or "0").ljust(6, "0")[:6]),
        tzinfo=_zone(parts.get("zone"), parts.get("offset")),
    )  # fmt: skip


def _zone(name: str | None, offset: str | None) -> tzinfo | None:
    if not offset:
        return UTC if name else None
    digits = offset[1:].replace(":", "")
    hours, minutes = (digits, "0") if len(digits) <= 2 else (digits[:-2], digits[-2:])
    away = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-away if offset[0] == "-" else away)

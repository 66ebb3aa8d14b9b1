"""Dates and times as a spreadsheet holds them: serial numbers, and texts in its locale's order. Pure: no I/O.

A serial number counts days since 1899-12-30. ``8/6/2025`` is a date in the order of the spreadsheet's locale. Texts
that JavaScript's ``toLocaleString('en-IN')`` wrote, as the app does, have the day first whatever the locale is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from event_pipeline.clock_times import instant_of_clock

Order = Literal["day", "month"]

_MONTH_FIRST = frozenset({"en_us", "en", "en_ph", "fil_ph", "fil", "es_pr", "es_us", "en_fm", "en_mh", "en_gu"})
_MONTH_BEFORE_DAY = ("ja", "zh", "ko", "hu", "lt", "mn")
_UNDECIDED = frozenset({"en_ca", "en_za", "en_ke", "sw_ke"})
_MONTH_FIRST_COUNTRIES = frozenset({"US", "PH", "PR", "FM", "MH", "GU"})
_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)
_SERIALS = (36_526.0, 73_415.0)  # the years 2000 to 2100
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_BEFORE_NOON = ("am", "上午", "午前", "오전")
_AFTER_NOON = ("pm", "下午", "午後", "오후")
_APP = re.compile(r"\d{1,2}/\d{1,2}/\d{4}, \d{1,2}:\d{2}:\d{2} [ap]m")
_MERIDIEM = "|".join((*_BEFORE_NOON, *_AFTER_NOON))
_TIME = (
    rf"(?:[,\s]\s*(?P<before>{_MERIDIEM})?\s*(?P<hour>\d{{1,2}}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.\d+)?)?"
    rf"\s*(?P<after>{_MERIDIEM})?)?"
)
_TWO_PARTS = re.compile(
    rf"(?P<first>\d{{1,2}})\s*(?P<mark>[/.-])\s*(?P<second_part>\d{{1,2}})\s*(?P=mark)\s*(?P<year>\d{{4}}|\d\d){_TIME}"
)
_YEAR_FIRST = re.compile(rf"(?P<year>\d{{4}})[/.-]\s*(?P<month>\d{{1,2}})[/.-]\s*(?P<day>\d{{1,2}})\.?{_TIME}")
_NAMED = re.compile(
    r"(?:[a-z]{3,9}\.?,?\s+)?"
    r"(?:(?P<day>\d{1,2})(?:st|nd|rd|th)?[\s-]+(?P<name>[a-z]{3,9})\.?"
    r"|(?P<name_first>[a-z]{3,9})\.?\s+(?P<day_second>\d{1,2})(?:st|nd|rd|th)?)"
    rf"[,\s-]+(?P<year>\d{{4}}|\d\d(?!\d|:))(?:,?\s+at(?=\s))?{_TIME}"
)
_WITHOUT_ZONE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?")


@dataclass(frozen=True, slots=True)
class SheetLocale:
    """How a spreadsheet and the organisation write dates: ``order`` None where the locale has none, IANA time zones."""

    order: Order | None
    zone: ZoneInfo
    organisation_zone: ZoneInfo

    @classmethod
    def of(cls, locale: str | None, time_zone: str | None, country: str, organisation_zone: str) -> SheetLocale:
        """By what Google says of the spreadsheet, and by the organisation where it does not."""
        home = ZoneInfo(organisation_zone)
        try:
            zone = ZoneInfo(time_zone) if time_zone else home
        except (ZoneInfoNotFoundError, ValueError):
            zone = home
        return cls(_order(locale, country), zone, home)

    def opposed_by(self, texts: Iterable[str]) -> bool:
        """Whether one of a column's texts can only be a date in the other order: then neither can be relied on."""
        for text in texts:
            found = _TWO_PARTS.fullmatch(_folded(text))
            if found and found["mark"] != ".":
                first, second = int(found["first"]), int(found["second_part"])
                if (self.order == "day" and first <= 12 < second) or (self.order == "month" and second <= 12 < first):
                    return True
        return False

    def read(self, text: str, is_number: bool, is_opposed: bool) -> str:
        """ISO text in UTC of a cell, or the text as it is where it is no date of these forms.

        A date that can be read in two ways becomes a text that nobody takes for a date.
        """
        serial = _serial(text)
        if serial is not None and (is_number or "." in text or len(text) == 5):
            return _utc(_EPOCH + timedelta(seconds=int(serial * 86_400 + 0.001)), self.zone)
        folded = _folded(text)
        if _WITHOUT_ZONE.fullmatch(folded.upper()):
            return _checked(text, lambda: datetime.fromisoformat(folded.upper()), self.zone)
        if found := _TWO_PARTS.fullmatch(folded):
            return self._of_two_parts(text, found, is_opposed)
        if found := _YEAR_FIRST.fullmatch(folded):
            return _checked(text, lambda: _clock(found, found["month"], found["day"]), self.zone)
        if (found := _NAMED.fullmatch(folded)) and (name := found["name"] or found["name_first"])[:3] in _MONTHS:
            month = str(_MONTHS.index(name[:3]) + 1)
            return _checked(text, lambda: _clock(found, month, found["day"] or found["day_second"]), self.zone)
        return text

    def _of_two_parts(self, text: str, found: re.Match[str], is_opposed: bool) -> str:
        first, second = found["first"], found["second_part"]
        is_apps = is_of_app(text)
        order = "day" if is_apps or found["mark"] == "." else self.order
        if int(first) > 12 or int(second) > 12:
            order = "day" if int(first) > 12 else "month"
        elif first.lstrip("0") != second.lstrip("0") and (order is None or (is_opposed and not is_apps)):
            return f"{text} (day or month first?)"
        month, day = (second, first) if order == "day" else (first, second)
        zone = self.organisation_zone if is_apps else self.zone
        return _checked(text, lambda: _clock(found, month, day), zone)


def is_of_app(text: str) -> bool:
    """Whether a text is a time as the app writes it, which has the day first and the organisation's clock."""
    return _APP.fullmatch(unicodedata.normalize("NFKC", text).strip()) is not None


def _order(locale: str | None, country: str) -> Order | None:
    name = (locale or "").replace("-", "_").lower()
    if name in _UNDECIDED:
        return None
    if name:
        return "month" if name in _MONTH_FIRST or name.split("_")[0] in _MONTH_BEFORE_DAY else "day"
    return "month" if country in _MONTH_FIRST_COUNTRIES else "day"


def _folded(text: str) -> str:
    """Lower case with ASCII digits and plain blanks; ``a. m.`` as ``am``."""
    plain = "".join(
        str(unicodedata.digit(char)) if char.isdecimal() else char
        for char in unicodedata.normalize("NFKC", text)
        if unicodedata.category(char) != "Cf"
    )
    folded = re.sub(r"\b([ap])\.?\s?m\b\.?", r"\1m", plain.casefold())
    return " ".join(folded.split())


def _serial(text: str) -> float | None:
    if not re.fullmatch(r"\d{5}(?:\.\d+)?", text.strip()):
        return None
    value = float(text)
    return value if _SERIALS[0] <= value < _SERIALS[1] else None


def _clock(found: re.Match[str], month: str, day: str) -> datetime:
    """What a clock showed, as if it were one of UTC. ValueError where none can."""
    year = int(found["year"])
    hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
    meridiem = found["before"] or found["after"]
    if meridiem and not 1 <= hour <= 12:
        raise ValueError(f"no clock shows {hour} {meridiem}")
    if meridiem:
        hour = hour % 12 + (12 if meridiem in _AFTER_NOON else 0)
    return datetime(year + 2000 if year < 100 else year, int(month), int(day), hour, minute, second, tzinfo=UTC)


def _checked(text: str, local: Callable[[], datetime], zone: ZoneInfo) -> str:
    """The clock's time in UTC; the text where no calendar has such a time."""
    try:
        return _utc(local(), zone)
    except ValueError:
        return text


def _utc(local: datetime, zone: ZoneInfo) -> str:
    return instant_of_clock(local, zone).strftime("%Y-%m-%dT%H:%M:%SZ")

"""Texts as people and apps write them, read into values. Each reader returns None for a text that says none."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import idna
import phonenumbers

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC)
_INVISIBLE = re.compile("[\\s\u00a0\u200b-\u200f\u202a-\u202f\u2060\ufeff]+")
_DAY_FIRST = re.compile(
    r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?:,? (\d{1,2}):(\d{2})(?::(\d{2}))?(?: ?([ap]m))?)?", re.IGNORECASE
)
_LOCAL_PART = re.compile(r'[^\s@<>()\[\],;:\\"]{1,64}')


def at_path(content: Any, path: str) -> str | None:
    """The text at a dotted path: texts as they are, other values as JSON; None where nothing stands."""
    for name in path.split("."):
        if not isinstance(content, dict) or content.get(name) is None:
            return None
        content = content[name]
    return content if isinstance(content, str) else json.dumps(content, separators=(",", ":"), ensure_ascii=False)


def is_structure(text: str) -> bool:
    """Whether the text is a JSON object or list."""
    if text[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def plain_text(text: str) -> str | None:
    """Text without surrounding white space; an object or list is none."""
    return None if is_structure(text) else text


def word(text: str) -> str:
    """A word of a list as lists spell it: lower case, parts joined by ``_``."""
    return re.sub(r"[\s-]+", "_", text.lower())


def whole_number(text: str) -> int | None:
    """Decimal digits, with or without a sign and zeros after a point."""
    digits = re.sub(r"\.0+$", "", text)
    return int(digits) if re.fullmatch(r"[+-]?\d{1,18}", digits) else None


def truth(text: str) -> bool | None:
    """Yes or no in their usual spellings."""
    lower = text.lower()
    return True if lower in ("true", "yes", "1", "y") else False if lower in ("false", "no", "0", "n") else None


def email(text: str) -> str | None:
    """The address as people are told apart: without invisible characters, NFC, folded case, domain as IDNA."""
    tidy = _INVISIBLE.sub("", text.casefold())
    named = re.fullmatch("[^<>@]*<([^<>]*)>", tidy)
    tidy = (named[1] if named else tidy).lstrip("'\"").removeprefix("mailto:").rstrip(".,;'\"")
    tidy = unicodedata.normalize("NFC", unicodedata.normalize("NFC", tidy).casefold())
    local, at, domain = tidy.rpartition("@")
    if not at or not _LOCAL_PART.fullmatch(local):
        return None
    labels = domain.split(".")
    if len(labels) < 2 or not all(labels):
        return None
    if domain.isascii():
        is_plain = all(re.fullmatch(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", label) for label in labels)
        return f"{local}@{domain}" if is_plain and re.fullmatch(r"[a-z][a-z0-9-]+", labels[-1]) else None
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError:
        return None


def phone(text: str, country: str) -> str | None:
    """The number in E.164 by the numbering plans of phonenumbers; of a float the number that it stands for."""
    digits = "".join(str(unicodedata.decimal(char, char)) for char in text)
    bare = re.sub(r"^(\+?\d+)\.0+$", r"\1", digits)
    for written in (bare, re.sub(r"^00(?=[1-9])", "+", bare)):
        try:
            number = phonenumbers.parse(written, country)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return None


def instant(text: str, time_zone: str) -> datetime | None:
    """An instant between the years 2000 and 2100; a text without a zone is local time."""
    found = _any_instant(text, time_zone)
    return found if found is not None and _FIRST <= found <= _LAST else None


def _any_instant(text: str, time_zone: str) -> datetime | None:
    if text.startswith("{"):
        return _of_map(text)
    if re.fullmatch(r"\d{9,11}(\.\d+)?", text):
        return _EPOCH + timedelta(milliseconds=round(float(text) * 1000))
    if re.fullmatch(r"\d{12,14}", text):
        return _EPOCH + timedelta(milliseconds=int(text))
    local = _day_first(text)
    if local is None:
        iso = re.sub(r"(?i)\s*(?:z|utc|gmt)$", "+00:00", text)
        try:
            local = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", iso))
        except ValueError:
            return None
    return local.astimezone(UTC) if local.tzinfo else _shown(local, ZoneInfo(time_zone))


def _shown(local: datetime, zone: ZoneInfo) -> datetime:
    """When the zone's clocks showed this: the later time, where they were put back and showed it twice."""
    return max(local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))


def _of_map(text: str) -> datetime | None:
    try:
        content = json.loads(text)
    except ValueError:
        return None
    seconds = content.get("_seconds", content.get("seconds"))
    nanoseconds = content.get("_nanoseconds", content.get("nanoseconds", content.get("nanos", 0))) or 0
    return None if seconds is None else _EPOCH + timedelta(seconds=int(seconds), microseconds=int(nanoseconds) // 1000)


def _day_first(text: str) -> datetime | None:
    found = _DAY_FIRST.fullmatch(text.replace("\u202f", " ").replace("\u00a0", " "))
    if found is None:
        return None
    day, month, year, hour, minute, second = (int(found[at] or 0) for at in (1, 3, 4, 5, 6, 7))
    half = (found[8] or "").lower()
    year = year + 2000 if year < 100 else year
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001
    except ValueError:
        return None


def name_key(name: str | None) -> str | None:
    """What of a name is compared: its words in order, without case, accents and punctuation; None for no name.

    Apostrophes join what they stand between, all other punctuation parts words.
    """
    if name is None:
        return None
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    joined = re.sub("['`\u00b4\u02bc\u2018\u2019]", "", folded)
    bare = "".join(char for char in joined if not unicodedata.category(char).startswith("M"))
    kept = "".join(char if unicodedata.category(char)[0] in "LN" else " " for char in bare)
    return " ".join(sorted(kept.split())) or None

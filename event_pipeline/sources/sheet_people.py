"""Which rows of an event's sheet are people: a row needs something that identifies a person. Pure: no I/O.

Tick boxes filled to the bottom, totals, error values of formulas and labels of other tables are nobody. A row that
could have been a person is kept with the reason why it is not counted as one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from event_pipeline.sources.sheet_columns import Worksheet, normalise_header
from event_pipeline.sources.sheet_words import NO_NAMES, STATES, SUM_STARTS, SUMS

NAME_ONLY = "a name alone: add an e-mail address, a phone number, a student id or a serial number"
PHONE_ONLY = "a phone number without a name: add a name or an e-mail address"
COUNT_FOR_EMAIL = "a number in the column of e-mail addresses: add an e-mail address or a phone number"

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_FORMULA_ERROR = re.compile(
    r"#(?:REF!|N/A|NAME\?|VALUE!|DIV/0!|NUM!|NULL!|ERROR!|SPILL!|CALC!|BEZUG!|NV|WERT!|ZAHL!|VALEUR!|NOM\?|NOMBRE\?|VALOR!)"
    r"|loading(?:\.\.\.|…)",
    re.IGNORECASE,
)
_STATE_FIELDS = ("registration_type", "registration_status", "attendance_status", "payment_verified")
_DATE = re.compile(r"\d{1,4}\D+\d{1,2}\D+\d{1,4}|\d{5}(?:\.\d+)?")


def is_formula_error(text: str) -> bool:
    """Whether a cell shows that its formula failed or has not been computed yet."""
    return _FORMULA_ERROR.fullmatch(text.strip()) is not None


def has_email(fields: Mapping[str, str]) -> bool:
    """Whether the row's e-mail column holds something of the form of an address."""
    return _EMAIL.fullmatch(fields.get("email", "").strip()) is not None


def is_sum(text: str) -> bool:
    """Whether a text names a total, such as ``Grand total: 3``, ``Gesamt`` or ``कुल``."""
    words = _words(text)
    if not words:
        return False
    return words[0] in SUM_STARTS or (words[0] in SUMS and all(word in SUMS or word.isdecimal() for word in words))


def doubt_of(fields: Mapping[str, str], worksheet: Worksheet) -> str | None:
    """Why a row is not counted as a person: None for a person, the empty text where nobody can be meant."""
    has_name = _is_name(fields.get("name", ""), worksheet)
    email = fields.get("email", "")
    if has_email(fields) or (has_name and "@" in email):
        return None
    has_phone = _digits(fields.get("phone", "")) >= 5
    if not has_phone and (is_sum(fields.get("name", "")) or is_sum(fields.get("serial_number", ""))):
        return ""
    if not has_name:
        return PHONE_ONLY if _digits(fields.get("phone", "")) >= 7 else ""
    if has_phone:
        return None
    if _digits(email) and not any(char.isalpha() for char in email):
        return COUNT_FOR_EMAIL
    return None if _has_more_of_a_person(fields) else NAME_ONLY


def _has_more_of_a_person(fields: Mapping[str, str]) -> bool:
    """Whether a row with a name also has what a label or a section's title has not."""
    student_id = fields.get("student_id", "").strip()
    return (
        (len(student_id) >= 3 and _digits(student_id) > 0)
        or re.fullmatch(r"\d+(?:\.0*)?\)?", fields.get("serial_number", "").strip()) is not None
        or any(char.isalpha() for char in fields.get("department", ""))
        or any(_state(fields.get(field, "")) in STATES for field in _STATE_FIELDS)
        or any(_DATE.search(fields.get(field, "")) for field in ("registration_date", "attendance_time"))
        or any(field in fields for field in ("team_name", "team_lead_name", "team_lead_email"))
    )


def _is_name(text: str, worksheet: Worksheet) -> bool:
    if not any(unicodedata.category(char)[0] == "L" for char in text):
        return False
    if "@" in text or "://" in text or text.rstrip().endswith(":") or is_sum(text):
        return False
    normal = normalise_header(text)
    return normal not in NO_NAMES and normal not in {normalise_header(name) for name in worksheet.columns["name"]}


def _state(text: str) -> str:
    return normalise_header(text) or text.strip()


def _digits(text: str) -> int:
    return sum(char.isdecimal() for char in text)


def _words(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", text).casefold()
    spaced = "".join(char if unicodedata.category(char)[0] in "LMN" else " " for char in folded)
    # A number that touches a word, as in "3人合計", is no part of it.
    return re.sub(r"(\d+)", r" \1 ", spaced).split()

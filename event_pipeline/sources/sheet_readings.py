"""What cells mean besides what was typed: dates as the spreadsheet writes them, marks and ticks. Pure: no I/O."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from event_pipeline.sources.sheet_dates import SheetLocale
from event_pipeline.sources.sheet_layout import SheetRow
from event_pipeline.sources.sheet_words import ABSENT, NO, PRESENT, YES

_DATES = ("registration_date", "attendance_time")
_MARKS: Mapping[str, Mapping[str, str]] = {
    "attendance_status": {
        **dict.fromkeys(YES | PRESENT, "attended"),
        **dict.fromkeys(NO | ABSENT, "not_attended"),
    },
    "payment_verified": {
        **dict.fromkeys(YES | {"paid", "received", "done"}, "yes"),
        **dict.fromkeys(NO | {"unpaid", "not paid", "not received"}, "no"),
    },
}
"""Words that say yes or no in a column of marks; all others stay as typed and are noted."""


def read_cells(rows: Sequence[SheetRow], locale: SheetLocale) -> list[tuple[dict[str, str], dict[str, str]]]:
    """For each row its fields as read, and those among them that were typed otherwise, as typed."""
    opposed = {name: locale.opposed_by(row.fields[name] for row in rows if name in row.fields) for name in _DATES}
    found = []
    for row in rows:
        fields = dict(row.fields)
        for name in _DATES:
            if name in fields:
                fields[name] = locale.read(fields[name], name in row.numbers, opposed[name])
        for name, words in _MARKS.items():
            if name in fields:
                word = _word(fields[name])
                is_known = (
                    re.sub(r"[\s-]+", "_", fields[name].strip().lower()) in words.values()
                )  # staging reads it in any case
                fields[name] = fields[name] if is_known else words.get(word, fields[name])
        found.append((fields, {name: row.fields[name] for name, text in fields.items() if text != row.fields[name]}))
    return found


def _word(text: str) -> str:
    """A mark as it is compared: without apostrophes and selectors of emoji, parts joined by one blank."""
    bare = "".join(char for char in text if char not in "\ufe0e\ufe0f'\u2019")
    return " ".join(re.sub(r"[\s_-]+", " ", unicodedata.normalize("NFC", bare).casefold()).split()).rstrip(".!")

"""Numbers behind the texts that a worksheet shows: a date shown as "12 Jun", an amount shown rounded. Pure: no I/O.

A cell shows its number in the format that somebody chose. Dates and amounts are taken from the number itself, all else
from what is shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from event_pipeline.sources.sheet_claims import Cells, aliases_of, claims_of, find_header, header_name
from event_pipeline.sources.sheet_columns import Worksheet
from event_pipeline.sources.sheet_dates import is_of_app

_DATES, _AMOUNTS = frozenset({"registration_date", "attendance_time"}), frozenset({"payment_amount"})
_AMOUNT = re.compile(r"([^\d(%-]*)\d(?:[\d.,'’\s٬٫]*\d)?([^\d)%]*)")
_DECIMALS = 2
_NEAR = 1e-9


def number_columns(rows: Sequence[Cells], worksheet: Worksheet) -> Mapping[int, str]:
    """Fields of the columns of dates and amounts, by index, in which a shown text may stand for a number."""
    aliases = aliases_of(worksheet)
    header_at = find_header([[header_name(cell, aliases) for cell in row] for row in rows], aliases)
    if header_at is None:
        return {}
    body = rows[header_at + 1 :]
    claimed = claims_of(rows[header_at], body, aliases).field_at
    return {
        at: field
        for at, field in claimed.items()
        if field in _DATES | _AMOUNTS and any(_may_be_cut(row[at], field) for row in body if at < len(row))
    }


def with_numbers(shown: Sequence[Cells], values: Sequence[Cells], columns: Mapping[int, str]) -> list[list[Any]]:
    """The rows with the numbers of ``values`` in ``columns``, where both readings have the row's texts alike.

    A row that somebody changed or moved between the two readings stays as it is shown.
    """
    rows = [list(row) for row in shown]
    for row, exact in zip(rows, values, strict=False):
        if not _is_same_row(row, exact):
            continue
        for at, field in columns.items():
            number = exact[at] if at < min(len(row), len(exact)) else None
            if isinstance(number, int | float) and not isinstance(number, bool) and _may_be_cut(row[at], field):
                row[at] = number if field in _DATES else _exact_amount(str(row[at]), number)
    return rows


def _may_be_cut(cell: object, field: str) -> bool:
    """What the app wrote as text is whole: it stays that text, whatever a spreadsheet made of it."""
    has_digit = isinstance(cell, str) and any(char.isdecimal() for char in cell)
    return has_digit and not (field in _DATES and is_of_app(str(cell)))


def _is_same_row(shown: Cells, values: Cells) -> bool:
    texts = [(at, cell) for at, cell in enumerate(values) if isinstance(cell, str) and cell.strip()]
    return bool(texts) and all(at < len(shown) and shown[at] == cell for at, cell in texts)


def _exact_amount(shown: str, number: float) -> str:
    """The shown amount with all its decimals; as shown where the number has more of them than money has."""
    found = _AMOUNT.fullmatch(shown)
    rounded = round(number, _DECIMALS)
    if found is None or number < 0 or abs(number - rounded) > _NEAR:
        return shown
    digits = str(int(rounded)) if rounded == int(rounded) else f"{rounded:.{_DECIMALS}f}"
    return f"{found[1]}{digits}{found[2]}"

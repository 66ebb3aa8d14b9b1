"""A worksheet's cell texts -> one record a row, however organisers have rearranged the sheet. Pure: no I/O.

The header is found by its names wherever it stands; columns may come in any order and under any name that
``sheet_columns`` lists. Texts stay as typed (amounts and dates are parsed by the staging models); blank and ``N/A``
cells are absent. Rows have no id of their own, so each is named by what identifies the person in it.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from event_pipeline.errors import PermanentError
from event_pipeline.sources.sheet_columns import Worksheet, normalise_header

Cells = Sequence[object]

_IDENTIFYING = {"name", "email"}
_LONGEST_EMAIL = 254
_EMAIL_LIKE = re.compile(r"\S+@\S+")


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row: ``fields`` under the worksheet's field names, everything else in ``custom_fields`` under its header.

    ``key`` is unique within the spreadsheet and survives reordering; ``row_number`` counts from 1 as the sheet shows
    it. ``is_export_error`` marks a row that the app failed to export.
    """

    key: str
    row_number: int
    fields: dict[str, str]
    custom_fields: dict[str, str]
    is_export_error: bool


@dataclass(frozen=True, slots=True)
class _Column:
    index: int
    label: str
    field: str | None
    rank: int


def is_empty(rows: Sequence[Cells]) -> bool:
    """Whether no cell of the worksheet holds anything."""
    return all(_text(cell) is None for row in rows for cell in row)


def read_rows(rows: Sequence[Cells], worksheet: Worksheet) -> list[SheetRow]:
    """Every row that says more than a serial number, in sheet order.

    ``rows`` is the whole worksheet from its first row; rows may be ragged. PermanentError when no header is recognised.
    """
    aliases = _aliases(worksheet)
    names = [_header_names(row) for row in rows]
    header_at = _find_header(names, aliases)
    if header_at is None:
        expected = ", ".join(names[0] for names in worksheet.columns.values())
        raise PermanentError(
            f"worksheet '{worksheet.title}' has no header row with Name or Email in it; nothing was read from it. "
            f"Put the header row back, in any order, with columns such as: {expected}"
        )
    columns = _columns(rows[header_at], max(len(row) for row in rows), aliases)
    taken: set[str] = set()
    suffixes: defaultdict[str, count[int]] = defaultdict(lambda: count(2))
    records = []
    for position, row in enumerate(rows):
        if names[position] == names[header_at]:  # the header, or another copy of it
            continue
        fields, custom_fields = _values(row, columns)
        # Sorting the whole sheet can move registrations above the header; title rows have no e-mail in its column.
        if position < header_at and not _EMAIL_LIKE.fullmatch(fields.get("email", "").strip()):
            continue
        if not fields.keys() - {"serial_number"} and not custom_fields:
            continue
        key = _unique(worksheet.key_prefix + _key(fields, custom_fields, worksheet), taken, suffixes)
        records.append(SheetRow(key, position + 1, fields, custom_fields, _is_export_error(fields)))
    return records


def _aliases(worksheet: Worksheet) -> dict[str, tuple[str, int]]:
    """Normalised header -> its field, and how far down that field's list of names it stands."""
    found: dict[str, tuple[str, int]] = {}
    for field, names in worksheet.columns.items():
        for rank, name in enumerate(names):
            found.setdefault(normalise_header(name), (field, rank))
    return found


def _header_names(row: Cells) -> list[str]:
    """The row's cells as header names, without the blank ones at its end."""
    names = [normalise_header(cell) for cell in row]
    while names and not names[-1]:
        names.pop()
    return names


def _find_header(rows: Sequence[Sequence[str]], aliases: Mapping[str, tuple[str, int]]) -> int | None:
    """The first row that names at least half as many fields as the best one, so that a pasted copy does not win."""
    scores = []
    for row in rows:
        fields = {aliases[name][0] for name in row if name in aliases}
        scores.append(len(fields) if len(fields) > 1 and fields & _IDENTIFYING else 0)
    best = max(scores, default=0)
    return next((at for at, score in enumerate(scores) if score * 2 >= best), None) if best else None


def _columns(header: Cells, width: int, aliases: Mapping[str, tuple[str, int]]) -> list[_Column]:
    """Columns in the order in which they may claim their field: the app's own header first, then as they stand."""
    columns, labels = [], set()
    suffixes: defaultdict[str, count[int]] = defaultdict(lambda: count(2))
    for index in range(width):
        text = str(header[index] or "").strip() if index < len(header) else ""
        field, rank = aliases.get(normalise_header(text), (None, 0))
        label = _unique(text or f"Column {_letters(index)}", labels, suffixes, " ({})")
        columns.append(_Column(index, label, field, rank))
    return sorted(columns, key=lambda column: (column.rank, column.index))


def _values(row: Cells, columns: Sequence[_Column]) -> tuple[dict[str, str], dict[str, str]]:
    fields: dict[str, str] = {}
    custom_fields: dict[str, str] = {}
    for column in columns:
        text = _text(row[column.index]) if column.index < len(row) else None
        if text is None:
            continue
        if column.field and column.field not in fields:
            fields[column.field] = text
        else:
            custom_fields[column.label] = text
    return fields, custom_fields


def _text(cell: object) -> str | None:
    """The cell as typed; None when it is blank or ``N/A``."""
    if cell is None:
        return None
    text = str(cell).upper() if isinstance(cell, bool) else str(cell)
    return None if text.strip().upper() in ("", "N/A") else text


def _is_export_error(fields: Mapping[str, str]) -> bool:
    return any(_is_error(text) for field, text in fields.items() if field != "notes")


def _is_error(text: str) -> bool:
    return text.strip() == "ERROR"


def _key(fields: Mapping[str, str], custom_fields: Mapping[str, str], worksheet: Worksheet) -> str:
    email = fields.get("email", "").strip().lower()
    if email and not _is_error(fields["email"]):
        # What is too long or unprintable for an id goes by its hash.
        plain = len(email) <= _LONGEST_EMAIL and email.isprintable()
        return f"email:{email}" if plain else f"email:{_sha1(email)}"
    if "name" in fields or "phone" in fields:
        parts = {field: _comparable(field, fields.get(field, "")) for field in worksheet.key_fields}
        return "name:" + _sha1("\x1f".join(parts.values()))
    said = {**fields, **custom_fields}
    said.pop("serial_number", None)
    return "text:" + _sha1("\x1f".join(f"{label}\x1e{text}" for label, text in sorted(said.items())))


def _comparable(field: str, text: str) -> str:
    if field == "phone":
        return re.sub(r"\D", "", text)
    return " ".join(text.casefold().split())


def _sha1(text: str) -> str:
    return hashlib.sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def _unique(base: str, taken: set[str], suffixes: Mapping[str, count[int]], suffix: str = "#{}") -> str:
    """``base``, or base with the first number from 2 on that makes it new; recorded in ``taken``."""
    name = base
    while name in taken:
        name = base + suffix.format(next(suffixes[base]))
    taken.add(name)
    return name


def _letters(index: int) -> str:
    """Column letters as the sheet shows them, from index 0 = A."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters

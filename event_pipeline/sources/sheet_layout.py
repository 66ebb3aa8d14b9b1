"""A worksheet's cell texts -> one record a person's row, however organisers have rearranged the sheet. Pure: no I/O.

The header is found by its names wherever it stands; columns may come in any order and under any name that
``sheet_columns`` lists. Texts stay as typed; blank cells, ``N/A`` and formulas' error values are absent. Other tables
beside and below the list, totals and repeated headers are no rows. Rows have no id of their own, so each is named by
what identifies the person in it.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from event_pipeline.errors import PermanentError
from event_pipeline.sources.sheet_claims import (
    Aliases,
    Cells,
    Claims,
    aliases_of,
    claims_of,
    find_header,
    header_name,
    unique,
)
from event_pipeline.sources.sheet_columns import Worksheet
from event_pipeline.sources.sheet_people import doubt_of, has_email, is_formula_error
from event_pipeline.sources.sheet_words import STATES

_LONGEST_EMAIL = 254
_EMAIL_LIKE = re.compile(r"\S+@\S+")


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row: ``fields`` under the worksheet's field names, everything else in ``custom_fields`` under its header.

    ``key`` is unique within the spreadsheet and survives reordering; ``row_number`` counts from 1 as the sheet shows
    it. ``is_export_error`` marks a row that the app failed to export, or whose address a formula has not found.
    ``doubt`` says why a row that could be a person is not counted as one. ``headers`` are those of the row's fields
    that could be questions of the event; ``numbers`` the fields whose cells held a number instead of a text.
    """

    key: str
    row_number: int
    fields: dict[str, str]
    custom_fields: dict[str, str]
    is_export_error: bool
    doubt: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    numbers: frozenset[str] = frozenset()


def is_empty(rows: Sequence[Cells]) -> bool:
    """Whether no cell of the worksheet holds anything."""
    return all(_text(cell) is None for row in rows for cell in row)


def read_rows(rows: Sequence[Cells], worksheet: Worksheet) -> list[SheetRow]:
    """Every row that is a person or could be one, in sheet order.

    ``rows`` is the whole worksheet from its first row; rows may be ragged. PermanentError when no header is recognised.
    """
    aliases = aliases_of(worksheet)
    names = [_header_names(row, aliases) for row in rows]
    header_at = find_header(names, aliases)
    if header_at is None:
        expected = ", ".join(names[0] for names in worksheet.columns.values())
        raise PermanentError(
            f"worksheet '{worksheet.title}' has no header row with Name or Email in it; nothing was read from it. "
            f"Put the header row back, in any order, with columns such as: {expected}"
        )
    claims = claims_of(rows[header_at], rows[header_at + 1 :], aliases)
    taken: set[str] = set()
    suffixes: defaultdict[str, count[int]] = defaultdict(lambda: count(2))
    records = []
    for position in _list_rows(rows, names, header_at, claims, worksheet):
        fields, custom_fields, numbers = _values(rows[position], claims)
        doubt = doubt_of(fields, worksheet)
        is_export_error = _is_export_error(fields) or _has_lost_email(rows[position], claims, fields)
        if doubt == "" and not is_export_error:
            continue
        key = unique(worksheet.key_prefix + _key(fields, custom_fields, worksheet), taken, suffixes)
        headers = {name: text for name, text in claims.headers.items() if name in fields}
        records.append(
            SheetRow(key, position + 1, fields, custom_fields, is_export_error, doubt or None, headers, numbers)
        )
    return records


def _list_rows(
    rows: Sequence[Cells], names: Sequence[Sequence[str]], header_at: int, claims: Claims, worksheet: Worksheet
) -> Iterator[int]:
    """Positions of the rows that belong to the list: no headers, and nothing under another table's header."""
    aliases = aliases_of(worksheet)
    email_at = next((at for at, name in claims.field_at.items() if name == "email"), None)
    is_elsewhere = False
    for position, row in enumerate(rows):
        email = _text(row[email_at]) if email_at is not None and email_at < len(row) else None
        if position < header_at:
            # Sorting the whole sheet can move registrations above the header; title rows have no e-mail in its column.
            if _EMAIL_LIKE.fullmatch((email or "").strip()):
                yield position
        elif has_email({"email": email or ""}):
            is_elsewhere = False
            yield position
        elif _repeats_header(names[position], names[header_at], claims, aliases):
            is_elsewhere = False
        elif _heads_another_table(names[position], claims, aliases) and not _is_person(row, claims, worksheet):
            is_elsewhere = True
        elif not is_elsewhere:
            yield position


def _repeats_header(names: Sequence[str], header: Sequence[str], claims: Claims, aliases: Aliases) -> bool:
    """Whether a row is the header again, or names at least two of its columns and is nothing else."""
    if names == header:
        return True
    same = sum(
        at < len(names) and _is_header(names[at], aliases) and aliases[names[at]][0] == field_name
        for at, field_name in claims.field_at.items()
    )
    return same > 1 and same * 2 > sum(1 for name in names if name)


def _is_header(name: str, aliases: Aliases) -> bool:
    """Whether a cell names a column; "Present" and "Paid" stand in cells below one as often."""
    return name in aliases and name not in STATES


def _heads_another_table(names: Sequence[str], claims: Claims, aliases: Aliases) -> bool:
    """Whether a row is the header of a table below the list; one of a table beside it says nothing of the list."""
    found = [at for at, name in enumerate(names) if _is_header(name, aliases)]
    if len(found) > 1 and any(column.index in found for column in claims.columns):
        return True
    # "Name" where names stand, and something else beside it.
    name_at = next((at for at, field_name in claims.field_at.items() if field_name == "name"), len(names))
    is_named = name_at < len(names) and aliases.get(names[name_at], ("",))[0] == "name"
    return is_named and sum(1 for name in names if name) > 1


def _is_person(row: Cells, claims: Claims, worksheet: Worksheet) -> bool:
    return doubt_of(_values(row, claims)[0], worksheet) is None


def _header_names(row: Cells, aliases: Aliases) -> list[str]:
    """The row's cells as header names, without the blank ones at its end."""
    names = [header_name(cell, aliases) for cell in row]
    while names and not names[-1]:
        names.pop()
    return names


def _values(row: Cells, claims: Claims) -> tuple[dict[str, str], dict[str, str], frozenset[str]]:
    fields: dict[str, str] = {}
    custom_fields: dict[str, str] = {}
    numbers = set()
    for column in claims.columns:
        cell = row[column.index] if column.index < len(row) else None
        text = _text(cell)
        if text is None:
            continue
        if column.field is None:
            custom_fields[column.label] = text
            continue
        fields[column.field] = text
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            numbers.add(column.field)
    if claims.surname_label in custom_fields:
        fields["name"] = f"{fields.get('name', '')} {custom_fields.pop(claims.surname_label)}".strip()
    return fields, custom_fields, frozenset(numbers)


def _text(cell: object) -> str | None:
    """The cell as typed; None when it is blank, ``N/A`` or an error value. Whole numbers have no decimal point."""
    if cell is None:
        return None
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    text = str(cell).upper() if isinstance(cell, bool) else str(cell)
    return None if text.strip().upper() in ("", "N/A") or is_formula_error(text) else text


def _is_export_error(fields: Mapping[str, str]) -> bool:
    return any(_is_error(text) for name, text in fields.items() if name != "notes")


def _has_lost_email(row: Cells, claims: Claims, fields: Mapping[str, str]) -> bool:
    """Whether a formula that should give the address of somebody failed: it says neither who it is nor who is gone."""
    at = next((at for at, name in claims.field_at.items() if name == "email"), None)
    return "name" in fields and at is not None and at < len(row) and is_formula_error(str(row[at]))


def _is_error(text: str) -> bool:
    return text.strip() == "ERROR"


def _key(fields: Mapping[str, str], custom_fields: Mapping[str, str], worksheet: Worksheet) -> str:
    email = fields.get("email", "").strip().lower()
    if "@" in email or (email and "name" not in fields and "phone" not in fields and not _is_error(email)):
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
        return re.sub(r"\D", "", text)[-10:]  # with or without the country's code
    return " ".join(text.casefold().split())


def _sha1(text: str) -> str:
    return hashlib.sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()

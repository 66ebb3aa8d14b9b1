"""Which column of a worksheet holds which field: a field is claimed by one column of the sheet. Pure: no I/O."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from event_pipeline.sources.sheet_columns import (
    FIRST_NAMES,
    FORM_TIMESTAMPS,
    LATE_FIELDS,
    ORGANISERS_FIELDS,
    SURNAMES,
    Worksheet,
    normalise_header,
)

Cells = Sequence[object]
Aliases = Mapping[str, tuple[str, int]]

_IDENTIFYING = frozenset({"name", "email"})
_FILLED_FIRST = frozenset({"name", "email", "phone"})
_REMARK = re.compile(r"[(\[][^()\[\]]*[)\]]\s*\W*$")
_LAST_RANK = 1_000
_FIRST_NAMES, _SURNAMES = (frozenset(normalise_header(name) for name in names) for names in (FIRST_NAMES, SURNAMES))
_FORM_TIMESTAMPS = frozenset(normalise_header(name) for name in FORM_TIMESTAMPS)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list: ``field`` is what it holds, None for one that is kept under its ``label``."""

    index: int
    label: str
    field: str | None


@dataclass(frozen=True, slots=True)
class Claims:
    """The columns of the list in sheet order.

    ``headers`` are those of claimed columns that could as well be a question of the event, by field. ``surname_label``
    is the label of the column of surnames where the name's column holds first names only.
    """

    columns: Sequence[Column]
    headers: Mapping[str, str]
    surname_label: str | None = None

    @property
    def field_at(self) -> Mapping[int, str]:
        """The field of each claimed column, by its index."""
        return {column.index: column.field for column in self.columns if column.field}


@dataclass(frozen=True, slots=True)
class _Header:
    index: int
    text: str
    name: str
    field: str | None
    rank: int
    is_filled: bool


def aliases_of(worksheet: Worksheet) -> Aliases:
    """Normalised header -> its field, and how far down that field's list of names it stands."""
    found: dict[str, tuple[str, int]] = {}
    for field, names in worksheet.columns.items():
        for rank, name in enumerate(names):
            found.setdefault(normalise_header(name), (field, rank))
    return found


def header_name(cell: object, aliases: Aliases) -> str:
    """A header as it is compared, without a remark in brackets at its end where only the rest is a known name."""
    name = normalise_header(cell)
    if name in aliases or not name:
        return name
    bare = normalise_header(_REMARK.sub("", str(cell)))
    return bare if bare in aliases else name


def find_header(rows: Sequence[Sequence[str]], aliases: Aliases) -> int | None:
    """The first row that names at least half as many fields as the best one, so that a pasted copy does not win."""
    scores = []
    for row in rows:
        fields = {aliases[name][0] for name in row if name in aliases}
        scores.append(len(fields) if len(fields) > 1 and fields & _IDENTIFYING else 0)
    best = max(scores, default=0)
    return next((at for at, score in enumerate(scores) if score * 2 >= best), None) if best else None


def claims_of(header: Cells, body: Sequence[Cells], aliases: Aliases) -> Claims:
    """Columns of the list under ``header``; ``body`` are the rows below it, in which an empty column is seen.

    Of several columns of one field the app's own header claims it, else the first by the list of names. Of several with
    one header the first does, or the last of those that the app writes after the questions.
    """
    headers = _list_columns(_headers(header, body, aliases))
    is_form = any(item.name in _FORM_TIMESTAMPS for item in headers)
    claimed: dict[str, _Header] = {}
    for item in sorted(headers, key=_order):
        # What stands in a form's answers was answered by the participant.
        if item.field and not (is_form and item.rank and item.field in ORGANISERS_FIELDS):
            claimed.setdefault(item.field, item)
    field_of = {item.index: field for field, item in claimed.items()}
    labels: set[str] = set()
    suffixes: defaultdict[str, count[int]] = defaultdict(lambda: count(2))
    columns = [
        Column(item.index, unique(item.text or f"Column {_letters(item.index)}", labels, suffixes, " ({})"),
               field_of.get(item.index))
        for item in headers
    ]  # fmt: skip
    return Claims(columns, _questionable(headers, claimed), _surname_label(columns, claimed))


def unique(base: str, taken: set[str], suffixes: Mapping[str, count[int]], suffix: str = "#{}") -> str:
    """``base``, or base with the first number from 2 on that makes it new; recorded in ``taken``."""
    name = base
    while name in taken:
        name = base + suffix.format(next(suffixes[base]))
    taken.add(name)
    return name


def _headers(header: Cells, body: Sequence[Cells], aliases: Aliases) -> list[_Header]:
    filled = {at for row in body for at, cell in enumerate(row) if cell not in (None, "") and str(cell).strip()}
    width = max([len(header), *(len(row) for row in body)])
    found = []
    for index in range(width):
        text = str(header[index] or "").strip() if index < len(header) else ""
        name = header_name(text, aliases)
        field, rank = aliases.get(name, (None, 0))
        # A header with a remark gives way to one without.
        rank += 0 if name == normalise_header(text) else _LAST_RANK
        found.append(_Header(index, text, name, field, rank, index in filled))
    return found


def _list_columns(headers: Sequence[_Header]) -> list[_Header]:
    """The columns of the list without those of other tables beside it, which an empty column sets apart.

    What stands beyond an empty column belongs to the list only under a header of the app's own that the list lacks.
    """
    blocks: list[list[_Header]] = [[]]
    for item in headers:
        if item.text or item.is_filled:
            blocks[-1].append(item)
        else:
            blocks.append([])
    blocks = [block for block in blocks if block]
    if len(blocks) < 2:
        return list(headers)
    main = max(blocks, key=lambda block: len({item.field for item in block if item.field}))
    kept, has = [], {item.field for item in main}
    for block in blocks:
        own = {item.field for item in block if item.field and not item.rank}
        if block is main or (own - has and not own & has):
            kept += block
            has |= own
    return kept


def _order(item: _Header) -> tuple[bool, int, int]:
    """Sort key in which columns claim their field."""
    is_blank = item.field in _FILLED_FIRST and not item.is_filled
    return is_blank, item.rank, -item.index if item.field in LATE_FIELDS else item.index


def _questionable(headers: Iterable[_Header], claimed: Mapping[str, _Header]) -> dict[str, str]:
    """Headers under which an event may have asked a question; the app's own Notes follow every question."""
    names = [item.name for item in headers]
    return {
        field: item.text
        for field, item in claimed.items()
        if field in LATE_FIELDS and names.count(item.name) == 1 and (field != "notes" or item.rank)
    }


def _surname_label(columns: Iterable[Column], claimed: Mapping[str, _Header]) -> str | None:
    if "name" not in claimed or claimed["name"].name not in _FIRST_NAMES:
        return None
    return next((item.label for item in columns if not item.field and normalise_header(item.label) in _SURNAMES), None)


def _letters(index: int) -> str:
    """Column letters as the sheet shows them, from index 0 = A."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters

"""Cells that a spreadsheet program would run as formulas.

Anyone can register under the name ``=HYPERLINK(...)``, and whoever opens the file runs it. A text is taken for a
formula by its first character; programs skip blanks and invisible characters before it, and take full-width signs for
plain ones. A plain number such as ``-5`` or ``+919800000001`` is none. Neither is a push id of Firebase: it begins with
a minus, but calls and fetches nothing, and with an apostrophe it would not be the id that the app and other files know.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute

pc: Any = pyarrow.compute

_STARTS = r"^[\s\x00\p{Z}\p{Cf}]*[=+\-@＝＋－＠]|^[\t\r\n]"
_HARMLESS = r"^[+-]?(\d+([.,]\d+)*|\.\d+)([eE][+-]?\d+)?$|^-[0-9A-Za-z_-]{19}$"
_MARK = "'"


def runs_as_formula(column: pa.Array) -> pa.Array:
    """Which texts would; nulls would not."""
    starts = pc.match_substring_regex(column, _STARTS)
    if not pc.any(starts).as_py():
        return pc.fill_null(starts, False)
    return pc.fill_null(pc.and_not(starts, pc.match_substring_regex(column, _HARMLESS)), False)


def neutralised(column: pa.Array) -> pa.Array:
    """The texts with an apostrophe, which spreadsheet programs take as "this is text", before those that would run."""
    runs = runs_as_formula(column)
    if not pc.any(runs).as_py():
        return column
    return pc.if_else(runs, pc.binary_join_element_wise(_MARK, column, ""), column)

"""Names of people as they are compared: the spellings of one name have one key."""

from __future__ import annotations

import re
import unicodedata

import ibis
import ibis.expr.types as ir

from event_pipeline.models.database_functions import (
    joined_words,
    nfc_normalize,
    python_name_key,
    sorted_words,
    strip_accents,
)

_ASCII = r"^[\x00-\x7f]*$"
# Letters that compatibility forms and case folding change no further than lower case and the removal of accents do.
_EUROPEAN = (
    r"^[\x00-\x7f\x{c0}-\x{d6}\x{d8}-\x{de}\x{e0}-\x{f6}\x{f8}-\x{12f}\x{134}-\x{137}\x{139}-\x{13e}\x{141}-\x{148}"
    r"\x{14a}-\x{17e}\x{300}-\x{314}\x{400}-\x{45f}\x{1ea0}-\x{1ef9}]*$"
)
_INDIC = r"^[\x00-\x7f\x{900}-\x{d7f}]*$"
_APOSTROPHES = "'`\u00b4\u02bc\u2018\u2019"
_ACCENTS_END = 0x900
"""Combining marks below are accents and vowel points that writers leave out; beyond they are vowels of the script."""


def name_key(name: ir.StringValue) -> ir.StringValue:
    """The key of a name, as ``key_of_name`` says: null when it has no letter or digit.

    Python is asked only for scripts and compatibility forms that the database cannot fold by itself.
    """
    lower = name.lower()
    is_ascii, is_european, is_indic = (name.re_search(scripts) for scripts in (_ASCII, _EUROPEAN, _INDIC))
    plain = ibis.cases((is_ascii, lower), (is_european, strip_accents(lower)), else_=nfc_normalize(lower))
    is_untidy = plain.re_search(r"[^a-z0-9]")
    words = plain.re_replace(f"[{_APOSTROPHES}]", "").re_replace(r"[^\pL\pM\pN]+", " ").strip()
    several = ibis.ifelse(words.contains(" "), joined_words(sorted_words(words.split(" ")), " "), words)
    folded = ibis.ifelse(is_untidy, several, plain)
    return ibis.ifelse(is_ascii | is_european | is_indic, folded, python_name_key(name)).nullif("")


def key_of_name(name: str) -> str:
    """The key of a name: its words in compatibility form, case folded, without accents and punctuation, sorted.

    Apostrophes join what they stand between, all other punctuation parts words. Empty when nothing is left.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    decomposed = unicodedata.normalize("NFD", folded)
    bare = "".join(char for char in decomposed if not _is_accent(char) and unicodedata.category(char) != "Cf")
    joined = unicodedata.normalize("NFC", re.sub(f"[{_APOSTROPHES}]", "", bare))
    kept = "".join(char if unicodedata.category(char)[0] in "LMN" else " " for char in joined)
    return " ".join(sorted(kept.split()))


def _is_accent(char: str) -> bool:
    is_symbol_mark = 0x1AB0 <= ord(char) < 0x1B00 or 0x1DC0 <= ord(char) < 0x1E00 or 0xFE20 <= ord(char) < 0xFE30
    return unicodedata.category(char) == "Mn" and (ord(char) < _ACCENTS_END or is_symbol_mark)

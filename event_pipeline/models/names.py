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

_TWO_WORDS = r"^[a-z]+(?: [a-z]+)?$"
_BETWEEN_WORDS = r"[^\pL\pM\pN]+"
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
    """The key of a name as one expression, for few rows; ``with_name_key`` is for tables."""
    lower = name.lower()
    is_ascii, is_european, is_indic = (name.re_search(scripts) for scripts in (_ASCII, _EUROPEAN, _INDIC))
    plain = ibis.cases((is_ascii, lower), (is_european, strip_accents(lower)), else_=nfc_normalize(lower))
    words = plain.re_replace(f"[{_APOSTROPHES}]", "").re_replace(_BETWEEN_WORDS, " ").strip()
    folded = ibis.ifelse(is_ascii | is_european | is_indic, _sorted(words), python_name_key(name))
    return ibis.ifelse(lower.re_search(_TWO_WORDS), _simple(lower), folded).nullif("")


def with_name_key(table: ir.Table, column: str, key: str) -> ir.Table:
    """The table with the column ``key``, what ``key_of_name`` makes of ``column``: null without a letter or digit.

    In steps, so that the database computes each once. Two plain words are most names; Python is asked only for scripts
    and compatibility forms that the database cannot fold by itself.
    """
    lower = table.mutate(_lower=table[column].lower())
    simple = lower.mutate(_is_simple=lower._lower.re_search(_TWO_WORDS))
    rest = simple.mutate(_rest=ibis.ifelse(simple._is_simple, ibis.null("string"), simple[column]))
    kinds = rest.mutate(
        _plain=ibis.cases(
            (rest._rest.isnull(), ibis.null("string")),
            (rest._rest.re_search(_ASCII), rest._lower),
            (rest._rest.re_search(_EUROPEAN), strip_accents(rest._lower)),
            (rest._rest.re_search(_INDIC), nfc_normalize(rest._lower)),
            else_=ibis.null("string"),
        )
    )
    bare = kinds.mutate(_bare=kinds._plain.re_replace(f"[{_APOSTROPHES}]", ""))
    words = bare.mutate(_words=bare._bare.re_replace(_BETWEEN_WORDS, " ").strip())
    of_rest = ibis.ifelse(words._plain.notnull(), _sorted(words._words), python_name_key(words._rest))
    keyed = words.mutate(**{key: ibis.ifelse(words._is_simple, _simple(words._lower), of_rest).nullif("")})
    return keyed.drop("_lower", "_is_simple", "_rest", "_plain", "_bare", "_words")


def _simple(lower: ir.StringValue) -> ir.StringValue:
    """One or two plain words in their order."""
    first, second = lower.split(" ")[0], lower.split(" ")[1]
    return ibis.ifelse(lower.contains(" "), ibis.least(first, second) + " " + ibis.greatest(first, second), lower)


def _sorted(words: ir.StringValue) -> ir.StringValue:
    """Words with single spaces between them in their order."""
    return ibis.ifelse(words.contains(" "), joined_words(sorted_words(words.split(" ")), " "), words)


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

"""Amounts of money as people and apps write them, to minor units; null for what is not certainly that amount."""

from __future__ import annotations

import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import cache

import ibis
import ibis.expr.types as ir

from event_pipeline.models.currency_signs import signs_of, writes_decimal_comma
from event_pipeline.models.database_functions import python_amount
from event_pipeline.models.locale import Locale

NOTHING = r"^(?i:n/?a)$"
_LONGEST, _MOST_DIGITS = 60, 11
_SPACES = "\u00a0\u2007\u2009\u202f\u3000\t\n\r"
_APOSTROPHES = "\u2018\u2019\u02bc\u00b4`"
_FOREIGN_SIGNS = {0x66B: ".", 0x66C: "'", 0x2212: "-", 0x2013: "-", 0x2014: "-"}
_TO_PLAIN = (
    dict.fromkeys(map(ord, _SPACES), " ") | dict.fromkeys(map(ord, _APOSTROPHES), "'") | _FOREIGN_SIGNS
    | {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
)  # fmt: skip
_WHOLE_UNITS = re.compile(r"(?<=\d)\s*(?:/-|/=|[.,]-{1,2})$")
_EXPONENT = re.compile(r"\d{1,20}(?:\.\d{0,40})?e[+-]?\d{1,4}")
_NOISE_DIGITS, _NOISE = 9, Decimal("0.000001")
"""From so many decimals on they are a float's: what is that near to a whole minor unit means it."""


def plain_amount(locale: Locale) -> str:
    """The pattern of the amounts that most apps write: digits, at most two decimals, the own sign before them."""
    signs = "|".join(re.escape(sign) for sign in signs_of(locale.currency))
    decimals = r"(?:\.\d{1,2})?" if locale.minor_units >= 100 else ""
    return rf"^(?i:{signs})?[ \x{{a0}}]?\d{{1,{_MOST_DIGITS}}}{decimals}(?:/-)?$"


def amount_text(text: ir.StringValue, locale: Locale) -> ir.StringValue:
    """An amount's text; null where it is empty, ``N/A`` or a currency sign alone."""
    signs = "|".join(re.escape(sign) for sign in signs_of(locale.currency))
    bare = text.strip()
    is_nothing = bare.re_search(NOTHING) | bare.re_search(rf"^(?i:{signs})$")
    said = ibis.ifelse(is_nothing, ibis.null("string"), bare.nullif(""))
    return ibis.ifelse(text.re_search(plain_amount(locale)), text, said)


def minor_units(text: ir.StringValue, locale: Locale) -> ir.IntegerValue:
    """An amount in minor units, as ``amount_minor`` reads it; Python is asked only for what is not plain."""
    digits = text.re_replace(r"^\D+|/-$", "")
    # Fifteen digits times a thousand still fit the database's eighteen; more would be an overflow, not a null.
    plain = (digits.try_cast("decimal(15, 4)") * locale.minor_units).round().cast("int64")
    writing = f"{locale.currency} {locale.country} {locale.minor_units}"
    return ibis.ifelse(
        text.re_search(plain_amount(locale)), plain, python_amount(text, ibis.literal(writing)).try_cast("int64")
    )


def amount_minor(text: str, currency: str, country: str, units: int) -> int | None:
    """The amount in minor units of which a unit has ``units``; None where the text does not certainly say one.

    Signs of the own currency stand before or after the number; others are refused. Digits are grouped by three, or as
    in India, by ``,`` ``.`` ``'`` or a space. A single ``,`` or ``.`` before three digits is what the country makes of
    it; otherwise the last of them is the decimal sign. More decimals than the currency has are refused unless zero.
    """
    if len(text) > _LONGEST:
        return None
    shown = "".join(char for char in text if unicodedata.category(char) != "Cf")
    plain = "".join(str(unicodedata.decimal(char, char)) for char in shown).translate(_TO_PLAIN)
    sign, number = _without_currency(plain.strip().lower(), currency)
    if _EXPONENT.fullmatch(number):
        amount = Decimal(number)
    else:
        amount = _decimal(number, "," if writes_decimal_comma(country) else ".", units)
    whole = None if amount is None else _whole(amount, units)
    return None if whole is None else sign * whole


def _without_currency(text: str, currency: str) -> tuple[int, str]:
    """The sign, and the text less the own currency's signs and marks of whole units at either end."""
    before, after = _own_signs(currency)
    unsigned = before.sub("", text)
    found = re.match(r"([-+]) *", unsigned)
    number = before.sub("", unsigned[found.end() :] if found else unsigned)
    shorter = after.sub("", _WHOLE_UNITS.sub("", number))
    return -1 if found and found[1] == "-" else 1, _WHOLE_UNITS.sub("", shorter)


@cache
def _own_signs(currency: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    signs = "|".join(re.escape(sign) for sign in signs_of(currency))
    return re.compile(rf"^(?:{signs})\s*(?=[-+\d.,])"), re.compile(rf"(?<=[\d.,\-])\s*(?:{signs})$")


def _decimal(number: str, decimal_sign: str, units: int) -> Decimal | None:
    """The number that digits, separators and at most one decimal sign write."""
    marks = re.sub(r"\d", "", number)
    if set(marks) - set("., '") or not re.search(r"\d", number):
        return None
    last = next((char for char in reversed(marks) if char in ".,"), "")
    whole, fraction = number, ""
    if last and marks.count(last) == 1 and marks.endswith(last):
        head, _, tail = number.rpartition(last)
        could_group = len(marks) == 1 and len(tail) == 3 and re.fullmatch(r"[1-9]\d{0,2}", head) is not None
        if not could_group or last == decimal_sign:
            whole, fraction = head, tail
            is_strange = last != "." and len(tail) > max(2, len(str(units)) - 1) and last != decimal_sign
            if is_strange or (last == "," and not tail):
                return None
    digits = _ungrouped(whole)
    return None if digits is None else Decimal(f"{digits or '0'}.{fraction or '0'}")


def _ungrouped(whole: str) -> str | None:
    """The digits of a whole number whose groups are right; None when they are not."""
    if re.fullmatch(r"\d*", whole):
        return whole
    by_three = r"[1-9]\d{0,2}(?:([., '])\d{3})(?:\1\d{3})*"
    in_india = r"[1-9]\d?(?:,\d{2})+,\d{3}"
    return re.sub(r"\D", "", whole) if re.fullmatch(by_three, whole) or re.fullmatch(in_india, whole) else None


def _whole(amount: Decimal, units: int) -> int | None:
    """The amount in minor units when it is a whole number of them, or a float's nearest to one."""
    if amount and amount.adjusted() >= _MOST_DIGITS:
        return None
    exponent = amount.as_tuple().exponent
    with localcontext() as context:
        context.prec = 200
        minor = amount * units if amount and amount.adjusted() > -100 else Decimal(0)
        rounded = minor.quantize(Decimal(1), ROUND_HALF_UP)
        is_noise = isinstance(exponent, int) and -exponent >= _NOISE_DIGITS and abs(minor - rounded) < _NOISE * units
    return int(rounded) if minor == rounded or is_noise else None

"""Amounts of money as people and apps write them, to minor units; null for what is not certainly that amount."""

from __future__ import annotations

import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import cache

import ibis
import ibis.expr.types as ir

from event_pipeline.contracts.currencies import exponent
from event_pipeline.models.currency_signs import names_currency, signs_of, writes_decimal_comma
from event_pipeline.models.database_functions import python_amount
from event_pipeline.models.locale import Locale

NOTHING = r"^(?i:n/?a)$"
_LONGEST, _MOST_DIGITS = 60, 11
_APOSTROPHES = "\u2018\u2019\u02bc\u00b4`\u066c"
_DECIMAL_SIGN = "\u066b"
"""Of Arabic: unlike a comma or a point it is never anything else."""
_MINUS_SIGNS = "\u2212\u2013\u2014"
_TO_PLAIN = (
    dict.fromkeys(map(ord, "\t\n\r"), " ") | dict.fromkeys(map(ord, _APOSTROPHES), "'")
    | dict.fromkeys(map(ord, _MINUS_SIGNS), "-") | {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
)  # fmt: skip
_WHOLE_UNITS = re.compile(r"(?<=\d)\s*(?:/-|/=|:-|[.,]-{1,2})$")
_BRACKETED = re.compile(r"\(\s*([^()]+?)\s*\)")
_EXPONENT = re.compile(r"\d{1,20}(?:\.\d{0,40})?e[+-]?\d{1,4}")
_NOISE_DIGITS, _NOISE = 9, Decimal("0.000001")
"""From so many decimals on they are a float's: what is that near to a whole minor unit means it."""


class AmountRefusedError(ValueError):
    """The text does not certainly say an amount; the message completes "it ..."."""


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
    return ibis.ifelse(
        text.re_search(plain_amount(locale)), plain, python_amount(text, writing_of(locale)).try_cast("int64")
    )


def writing_of(locale: Locale) -> ir.StringScalar:
    """The currency and the country by which the database's functions of Python read amounts."""
    return ibis.literal(f"{locale.currency} {locale.country}")


def refusal(text: str, currency: str, country: str) -> str:
    """Why the text is no amount, to complete "it ..."; empty when it is one."""
    try:
        amount_minor(text, currency, country)
    except AmountRefusedError as refused:
        return str(refused)
    return ""


def amount_minor(text: str, currency: str, country: str) -> int:
    """The amount in minor units of the currency. Raises AmountRefusedError where the text does not certainly say one.

    Signs of the own currency stand before or after the number; others are refused. Brackets are a minus. Digits are
    grouped by three, or as in India, by ``,`` ``.`` ``'`` or a space. A single ``,`` or ``.`` before three digits is
    what the country makes of it, but no decimal sign in a currency without decimals; otherwise the last one is it.
    """
    if len(text) > _LONGEST:
        raise AmountRefusedError(f"is longer than {_LONGEST} characters")
    shown = "".join(_plain_character(char) for char in text if unicodedata.category(char) != "Cf")
    sign, number = _without_currency(shown.strip().lower(), currency)
    if _EXPONENT.fullmatch(number):
        amount = Decimal(number)
    else:
        if found := re.sub(rf"[\d., '{_DECIMAL_SIGN}]", "", number):
            raise AmountRefusedError(_foreign(number, found, currency))
        amount = _decimal(number, "," if writes_decimal_comma(country) else ".", exponent(currency))
    return sign * _whole(amount, currency)


def _plain_character(char: str) -> str:
    if unicodedata.category(char) == "Zs":
        return " "
    return str(unicodedata.decimal(char, char)).translate(_TO_PLAIN)


def _foreign(number: str, found: str, currency: str) -> str:
    """What stands there that is no part of an amount."""
    words = {word.strip(".,'-()") for word in re.split(r"[\d\s]+", number)}
    if any(names_currency(word) for word in words - set(signs_of(currency))):
        return f"names another currency than {currency}"
    if "-" in found and not re.search(r"[^\W\d]", found):
        return "holds more than one number, or a sign where none belongs"
    return "holds something else than a number"


def _without_currency(text: str, currency: str) -> tuple[int, str]:
    """The sign, and the text less the own currency's signs and marks of whole units at either end."""
    before, after = _own_signs(currency)
    unsigned = before.sub("", text)
    if bracketed := _BRACKETED.fullmatch(after.sub("", unsigned)):
        sign, number = _without_currency(bracketed[1], currency)
        return -abs(sign), number
    found = re.match(r"([-+]) *", unsigned)
    number = before.sub("", unsigned[found.end() :] if found else unsigned)
    shorter = after.sub("", _WHOLE_UNITS.sub("", number))
    return -1 if found and found[1] == "-" else 1, _WHOLE_UNITS.sub("", shorter)


@cache
def _own_signs(currency: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Patterns of the own signs before a number and after one; each may stand there twice: "INR ₹500"."""
    signs = "|".join(re.escape(sign) for sign in signs_of(currency))
    # After a word without its point, "Rs .50" may mean fifty.
    before = rf"^(?:(?:{signs})\s*){{1,2}}(?:(?=[-+\d(])|(?<![^\W\d])(?<![^\W\d]\s)(?=[.,]))"
    return re.compile(before), re.compile(rf"(?<=[\d.,\-)])(?:\s*(?:{signs})){{1,2}}$")


def _decimal(number: str, decimal_sign: str, places: int) -> Decimal:
    """The number that digits, separators and at most one decimal sign write."""
    marks = re.sub(r"\d", "", number)
    if not re.search(r"\d", number):
        raise AmountRefusedError("holds no digits")
    last = next((char for char in reversed(marks) if char in f".,{_DECIMAL_SIGN}"), "")
    whole, fraction = number, ""
    if last and marks.count(last) == 1 and marks.endswith(last):
        head, _, tail = number.rpartition(last)
        could_group = len(marks) == 1 and len(tail) == 3 and re.fullmatch(r"[1-9]\d{0,2}", head) is not None
        if could_group and last == decimal_sign and not places:
            raise AmountRefusedError(f"may mean a number with decimals or thousands (`{number}`)")
        if not could_group or last in (decimal_sign, _DECIMAL_SIGN):
            whole, fraction = head, tail
            is_strange = last == "," and len(tail) > max(2, places) and last != decimal_sign
            if is_strange or (last == "," and not tail) or (not head and len(tail) > max(2, places)):
                raise AmountRefusedError(f"has digits that are not grouped by thousands (`{number}`)")
    return Decimal(f"{_ungrouped(whole) or '0'}.{fraction or '0'}")


def _ungrouped(whole: str) -> str:
    """The digits of a whole number whose groups are right."""
    by_three = r"[1-9]\d{0,2}(?:([., '])\d{3})(?:\1\d{3})*"
    in_india = r"[1-9]\d?(?:,\d{2})+,\d{3}"
    if re.fullmatch(rf"\d*|{by_three}|{in_india}", whole):
        return re.sub(r"\D", "", whole)
    raise AmountRefusedError(f"has digits that are not grouped by thousands (`{whole}`)")


def _whole(amount: Decimal, currency: str) -> int:
    """The amount in minor units when it is a whole number of them, or a float's nearest to one."""
    places = exponent(currency)
    units = 10**places
    if amount and amount.adjusted() >= _MOST_DIGITS:
        raise AmountRefusedError(f"has more than {_MOST_DIGITS} digits")
    decimals = amount.as_tuple().exponent
    with localcontext() as context:
        context.prec = 200
        minor = amount * units if amount and amount.adjusted() > -100 else Decimal(0)
        rounded = minor.quantize(Decimal(1), ROUND_HALF_UP)
        is_noise = isinstance(decimals, int) and -decimals >= _NOISE_DIGITS and abs(minor - rounded) < _NOISE * units
    if minor != rounded and not is_noise:
        raise AmountRefusedError(f"has more decimals than {currency}, which has {places or 'none'}")
    return int(rounded)

"""Amounts from text, in minor units: the value that is meant, or none."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

EXPONENTS = {"INR": 2, "EUR": 2, "JPY": 0, "NZD": 2, "TND": 3}
"""ISO 4217's decimal digits of the organisations' currencies."""

_SIGNS = {
    "INR": r"₹|rs\.?|inr", "EUR": "€|euros?|eur", "JPY": "¥|￥|円|yen|jpy", "NZD": r"nz\$|\$|nzd",
    "TND": r"د\.ت|dt|tnd",
}  # fmt: skip
_COMMA = frozenset({"DE", "TN"})
"""Countries of the organisations that write a decimal comma."""

_GROUPED = r"[1-9]\d{0,2}(?:([., '])\d{3})(?:\1\d{3})*|[1-9]\d?(?:,\d{2})+,\d{3}|\d+"


def minor_units(text: str, currency: str, country: str) -> int | None:
    """The amount in the currency's minor units; None for what is no amount, a foreign one, or a wrong grouping.

    One comma or point before three digits is what the country makes of it; otherwise the last one is the decimal sign.
    """
    tidy = "".join(_ascii_digit(char) for char in text.lower()).replace("\u00a0", " ").replace("\u202f", " ").strip()
    signs = _SIGNS.get(currency, currency.lower())
    tidy = re.sub(rf"^(?:{signs})\s*|\s*(?:{signs})$", "", tidy)
    tidy = re.sub(r"\s*/-$", "", tidy).strip()
    whole, fraction = tidy, ""
    marks = re.sub(r"\d", "", tidy)
    if marks and marks[-1] in ".," and marks.count(marks[-1]) == 1:
        head, _, tail = tidy.rpartition(marks[-1])
        could_group = len(marks) == 1 and len(tail) == 3 and re.fullmatch(r"[1-9]\d{0,2}", head) is not None
        if not could_group or marks[-1] == ("," if country in _COMMA else "."):
            whole, fraction = head, tail
    if not re.fullmatch(_GROUPED, whole or "0") or not re.fullmatch(r"\d*", fraction) or not (whole or fraction):
        return None
    minor = Decimal(re.sub(r"\D", "", whole) + "." + (fraction or "0")) * 10 ** EXPONENTS[currency]
    return int(minor) if minor == int(minor) else None


def _ascii_digit(char: str) -> str:
    digit = unicodedata.decimal(char, None)
    return char if digit is None else str(digit)

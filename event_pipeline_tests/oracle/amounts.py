"""Amounts from text, in minor units: the value that is meant, or none."""

from __future__ import annotations

import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal

EXPONENTS = {"INR": 2, "EUR": 2, "USD": 2, "JPY": 0, "KWD": 3, "VND": 0, "UGX": 0, "ISK": 0, "BHD": 3}
"""ISO 4217's decimal digits of the currencies that histories use."""

_SIGNS = {"INR": r"₹|rs\.?|inr", "EUR": "€|eur", "USD": r"\$|usd"}
_GROUPED = {
    "INR": r"\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d{2})*,\d{3}",
}


def minor_units(text: str, currency: str) -> int | None:
    """The amount in the currency's minor units; None for what is no amount, a foreign one, or an ambiguous one."""
    tidy = "".join(_ascii_digit(char) for char in text.lower()).replace("\u00a0", " ").replace("\u202f", " ").strip()
    signs = _SIGNS.get(currency, currency.lower())
    tidy = re.sub(rf"^(?:{signs})\s*|\s*(?:{signs})$", "", tidy)
    tidy = re.sub(r"\s*/-$", "", tidy).strip()
    grouped = _GROUPED.get(currency, r"\d{1,3}(?:,\d{3})+")
    found = re.fullmatch(rf"({grouped}|\d+)(\.\d+)?", tidy)
    if found is None:
        return None
    value = Decimal(found[1].replace(",", "") + (found[2] or ""))
    return int((value * 10 ** EXPONENTS[currency]).quantize(Decimal(1), ROUND_HALF_UP))


def _ascii_digit(char: str) -> str:
    digit = unicodedata.decimal(char, None)
    return char if digit is None else str(digit)

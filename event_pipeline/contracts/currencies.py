"""Minor units of currencies by ISO 4217: in these every amount of the tables is counted, whoever wrote or sent it."""

from __future__ import annotations

_USUAL_EXPONENT = 2

_EXPONENTS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF",
         "XOF", "XPF"), 0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}  # fmt: skip
"""Decimal places of the currencies in use that do not have two."""


def exponent(currency: str) -> int:
    """Decimal places of a currency; 2 for codes that ISO 4217 does not know."""
    return _EXPONENTS.get(currency.upper(), _USUAL_EXPONENT)


def minor_units(currency: str) -> int:
    """Minor units in one unit of a currency: 100 paise in a rupee, 1 yen, 1,000 fils in a dinar."""
    return 10 ** exponent(currency)


def major_units(amount_minor: int, currency: str) -> str:
    """An amount as a plain decimal with the places of its currency: 1234 JPY is 1234, 1234 KWD is 1.234."""
    places = exponent(currency)
    sign, digits = "-" if amount_minor < 0 else "", str(abs(amount_minor)).rjust(places + 1, "0")
    return sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)

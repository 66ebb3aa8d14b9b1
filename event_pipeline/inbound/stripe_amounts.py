"""Amounts as Stripe counts them, in ISO 4217's minor units: for some currencies the two differ."""

from __future__ import annotations

from typing import Any

from event_pipeline.contracts.currencies import exponent

_STRIPE_EXPONENTS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"), 0
    ),
    **dict.fromkeys(("BHD", "JOD", "KWD", "OMR", "TND"), 3),
    # Nobody is charged fractions of the first two, yet Stripe counts hundredths; of the others only payouts are whole.
    **dict.fromkeys(("ISK", "UGX", "HUF", "TWD"), 2),
}
"""Decimal places as Stripe counts; two for every other currency."""


def iso_minor_units(amount: Any, currency: Any) -> Any:
    """The amount in ISO 4217's minor units of the currency; what is no whole number, or of no currency, as it is.

    Raises ValueError for an amount that is no whole number of them, such as half a krona.
    """
    if not isinstance(amount, int) or isinstance(amount, bool) or not isinstance(currency, str):
        return amount
    shift = exponent(currency) - _STRIPE_EXPONENTS.get(currency.upper(), 2)
    if shift >= 0:
        return amount * 10**shift
    whole, rest = divmod(amount, 10**-shift)
    if rest:
        raise ValueError(f"{amount} is no whole number of minor units of {currency.upper()}")
    return whole

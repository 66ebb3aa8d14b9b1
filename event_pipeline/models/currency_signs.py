"""How currencies are written and which countries write a decimal comma, after CLDR's data of their languages."""

from __future__ import annotations

_SIGNS: dict[str, str] = {
    "INR": "₹ ₨ rs. rs re. rupees rupee",
    "PKR": "₨ rs. rs rupees", "LKR": "රු ₨ rs. rs", "NPR": "रु ₨ rs. rs", "MUR": "₨ rs. rs", "BDT": "৳ tk. tk taka",
    "EUR": "€ euros euro",
    "USD": "us$ $ dollars dollar", "CAD": "ca$ c$ $", "AUD": "au$ a$ $", "NZD": "nz$ $", "SGD": "s$ $", "HKD": "hk$ $",
    "MXN": "mx$ $", "ARS": "$", "CLP": "$", "COP": "$", "BRL": "r$", "TWD": "nt$ $",
    "GBP": "£ pounds pound", "JPY": "¥ ￥ 円 yen", "CNY": "¥ ￥ 元 yuan", "KRW": "₩ 원", "CHF": "sfr. sfr fr. fr",
    "SEK": "kr. kr", "NOK": "kr. kr", "DKK": "kr. kr", "ISK": "kr. kr", "PLN": "zł", "CZK": "kč", "HUF": "ft",
    "RUB": "₽ руб. руб", "UAH": "₴ грн", "TRY": "₺ tl", "RON": "lei", "BGN": "лв. лв", "ILS": "₪", "VND": "₫ đ",
    "THB": "฿", "PHP": "₱", "IDR": "rp. rp", "MYR": "rm", "NGN": "₦", "KES": "ksh. ksh", "ZAR": "r", "GHS": "gh₵ ₵",
    "AED": "د.إ dhs. dhs dh", "SAR": "﷼ ر.س sr", "KWD": "د.ك kd", "BHD": "د.ب bd", "TND": "د.ت dt",
}  # fmt: skip

_DECIMAL_COMMA = frozenset([
    "AD", "AL", "AM", "AO", "AR", "AT", "AZ", "BA", "BE", "BF", "BG", "BI", "BJ", "BO", "BR", "BY", "CD",
    "CF", "CG", "CI", "CL", "CM", "CO", "CR", "CU", "CV", "CY", "CZ", "DE", "DJ", "DK", "DZ", "EC", "EE",
    "ES", "FI", "FO", "FR", "GA", "GE", "GF", "GL", "GN", "GP", "GQ", "GR", "GW", "HR", "HT", "HU", "ID",
    "IS", "IT", "KG", "KM", "KZ", "LT", "LU", "LV", "LY", "MA", "MC", "MD", "ME", "MG", "MK", "ML", "MQ",
    "MR", "MZ", "NC", "NE", "NL", "NO", "PF", "PL", "PT", "PY", "RE", "RO", "RS", "RU", "RW", "SC", "SE",
    "SI", "SJ", "SK", "SM", "SN", "SR", "ST", "TD", "TG", "TJ", "TL", "TM", "TN", "TR", "UA", "UY", "UZ",
    "VA", "VE", "VN", "WF", "XK", "YT", "ZA",
])  # fmt: skip


def signs_of(currency: str) -> tuple[str, ...]:
    """The signs of the currency in lower case, its ISO code among them, longer ones before what they begin with."""
    return tuple(sorted({currency.lower(), *_SIGNS.get(currency, "").split()}, key=lambda sign: (-len(sign), sign)))


def writes_decimal_comma(country: str) -> bool:
    """Whether 1,5 is one and a half in that country."""
    return country in _DECIMAL_COMMA

"""How currencies are written and which countries write a decimal comma, after CLDR's data of their languages."""

from __future__ import annotations

import unicodedata

_SIGNS: dict[str, str] = {
    "INR": "₹ ₨ rs. rs re. re rupees rupee रु. रु रू. रू रुपये रुपए",
    "PKR": "₨ rs. rs rupees", "LKR": "රු. රු ₨ slrs. slrs rs. rs", "NPR": "रु. रु रू. रू ₨ nrs. nrs rs. rs",
    "MUR": "₨ rs. rs", "BDT": "৳ টাকা tk. tk taka", "EUR": "€ euros euro",
    "USD": "us$ $ dollars dollar", "CAD": "ca$ c$ $", "AUD": "au$ a$ $", "NZD": "nz$ $", "SGD": "s$ $", "HKD": "hk$ $",
    "MXN": "mx$ $", "ARS": "$", "CLP": "$", "COP": "$", "BRL": "r$", "TWD": "nt$ $", "CRC": "₡", "PYG": "₲",
    "GBP": "£ pounds pound", "JPY": "¥ ￥ 円 yen", "CNY": "¥ ￥ 元 yuan rmb", "KRW": "₩ 원 won",
    "CHF": "sfr. sfr fr. fr franken francs",
    "SEK": "kr. kr", "NOK": "kr. kr", "DKK": "kr. kr", "ISK": "kr. kr", "PLN": "zł", "CZK": "kč", "HUF": "ft",
    "RUB": "₽ руб. руб", "UAH": "₴ грн. грн", "TRY": "₺ tl", "RON": "lei", "BGN": "лв. лв", "ILS": "₪", "GEL": "₾",
    "KZT": "₸", "VND": "₫ đ", "THB": "฿", "PHP": "₱", "IDR": "rp. rp", "MYR": "rm", "MNT": "₮", "KHR": "៛", "LAK": "₭",
    "NGN": "₦", "KES": "ksh. ksh kshs. kshs", "UGX": "ush. ush ushs. ushs", "TZS": "tsh. tsh tshs. tshs", "ZAR": "r",
    "GHS": "gh₵ ₵", "EGP": "e£ £e le ج.م. ج.م", "MAD": "د.م. د.م dhs. dhs dh", "AED": "د.إ. د.إ dhs. dhs dh. dh",
    "SAR": "﷼ ر.س. ر.س sr", "QAR": "ر.ق. ر.ق qr", "OMR": "ر.ع. ر.ع", "JOD": "د.أ. د.أ jd", "KWD": "د.ك. د.ك kd",
    "BHD": "د.ب. د.ب bd", "TND": "د.ت. د.ت dt",
}  # fmt: skip
_MORE_CODES = frozenset([
    "afn", "all", "amd", "aoa", "azn", "bam", "bbd", "bif", "bnd", "bob", "bsd", "btn", "bwp", "byn", "bzd", "cdf",
    "cup", "cve", "djf", "dop", "dzd", "etb", "fjd", "gmd", "gnf", "gtq", "gyd", "hnl", "htg", "iqd", "irr", "jmd",
    "kgs", "kmf", "kyd", "lbp", "lrd", "lsl", "lyd", "mdl", "mga", "mkd", "mmk", "mop", "mru", "mvr", "mwk", "mzn",
    "nad", "nio", "pab", "pen", "pgk", "rsd", "rwf", "scr", "sdg", "sll", "sos", "srd", "ssp", "syp", "szl", "thb",
    "tjs", "tmt", "top", "ttd", "uyu", "uzs", "ves", "vuv", "wst", "xaf", "xcd", "xof", "xpf", "yer", "zmw", "zwl",
])  # fmt: skip
"""Codes of currencies without a sign above."""

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


def names_currency(word: str) -> bool:
    """Whether a word in lower case is a sign or a code of a currency, or holds a symbol of one."""
    if word in _MORE_CODES or any(unicodedata.category(char) == "Sc" and char != "¢" for char in word):
        return True
    return any(word in signs_of(currency) for currency in _SIGNS)


def writes_decimal_comma(country: str) -> bool:
    """Whether 1,5 is one and a half in that country."""
    return country in _DECIMAL_COMMA

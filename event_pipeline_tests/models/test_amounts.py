"""Amounts in the writings of several countries: the amount that was written, or none; never another."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_pipeline.models.amounts import amount_text, minor_units
from event_pipeline.models.locale import Locale
from event_pipeline_tests.effort import scaled
from event_pipeline_tests.models.reading import Texts

INDIA, GERMANY, FRANCE = Locale("UTC", "INR", "IN"), Locale("UTC", "EUR", "DE"), Locale("UTC", "EUR", "FR")
SWITZERLAND, JAPAN, KUWAIT = Locale("UTC", "CHF", "CH"), Locale("UTC", "JPY", "JP"), Locale("UTC", "KWD", "KW")
TUNISIA = Locale("UTC", "TND", "TN")

WRITINGS: tuple[tuple[Locale, tuple[str, ...], str, bool, tuple[str, ...]], ...] = (
    (INDIA, (",",), ".", True, ("₹{}", "Rs. {}", "{}/-", "{} INR", "INR{}")),
    (INDIA, (",",), ".", False, ("₹{}", "rs {}", "{} rupees")),
    (GERMANY, (".", "\u202f", " "), ",", False, ("{} €", "€{}", "EUR {}", "{}EUR", "{} Euro")),
    (FRANCE, ("\u202f", "\u00a0", " "), ",", False, ("{}\u00a0€", "{} EUR")),
    (SWITZERLAND, ("'", "\u2019"), ".", False, ("CHF {}", "Fr. {}")),
    (JAPAN, (",",), ".", False, ("¥{}", "￥{}", "{}円", "JPY {}")),
    (KUWAIT, (",",), ".", False, ("KD {}", "{} KWD")),
    (TUNISIA, (".", " "), ",", False, ("{} DT", "TND {}")),
)  # fmt: skip
"""Locale, grouping signs, decimal sign, whether lakhs are grouped, and where the currency stands."""
SCRIPTS = ("0123456789", "०१२३४५६७८९", "٠١٢٣٤٥٦٧٨٩", "০১২৩৪৫৬৭৮৯", "０１２３４５６７８９")
OTHER_CURRENCIES = ("$", "USD", "£", "GBP", "kr", "PLN", "₺", "AED", "₦")


@cache
def amounts(locale: Locale) -> Texts:
    return Texts(lambda text: minor_units(amount_text(text, locale), locale))


def read(text: str, locale: Locale) -> int | None:
    (value,) = amounts(locale).read([text])
    return value


def grouped(digits: str, sign: str, is_indian: bool) -> str:
    """Digits in groups from the right: of three, or three and then twos."""
    groups, size = [digits[-3:]], 2 if is_indian else 3
    rest = digits[:-3]
    while rest:
        groups.insert(0, rest[-size:])
        rest = rest[:-size]
    return sign.join(groups)


@st.composite
def written(draw: st.DrawFn) -> tuple[Locale, str, int]:
    """An amount as somebody of a country writes it, and what it is in minor units."""
    locale, signs, decimal, is_indian, currency = draw(st.sampled_from(WRITINGS))
    minor = draw(st.integers(0, 10**9))
    exponent = {1: 0, 100: 2, 1000: 3}[locale.minor_units]
    digits = str(minor).rjust(exponent + 1, "0")
    whole, fraction = (digits[:-exponent], digits[-exponent:]) if exponent else (digits, "")
    sign = draw(st.sampled_from(signs))
    text = grouped(whole, sign, is_indian) if draw(st.booleans()) else whole
    text += decimal + fraction if fraction else ""
    text = text.translate(str.maketrans(SCRIPTS[0], draw(st.sampled_from(SCRIPTS))))
    return locale, draw(st.sampled_from(("{}", *currency))).format(text), minor


@given(st.lists(written(), min_size=20, max_size=40))
@settings(deadline=None, max_examples=scaled(60))
def test_an_amount_in_the_writing_of_the_country_is_that_amount(found: list[tuple[Locale, str, int]]) -> None:
    for locale in {locale for locale, _, _ in found}:
        texts = {text: minor for of, text, minor in found if of == locale}
        assert dict(zip(texts, amounts(locale).read(list(texts)), strict=True)) == texts


@given(st.lists(st.tuples(written(), st.sampled_from(WRITINGS)), min_size=20, max_size=40))
@settings(deadline=None, max_examples=scaled(40))
def test_a_number_of_another_country_is_its_amount_or_refused_unless_the_text_is_ambiguous(found: list) -> None:
    for (_, text, minor), (locale, *_) in found:
        bare = "".join(char for char in text if char.isdecimal() or char in ".,'\u2019 \u00a0\u202f")
        value = read(bare.strip(), locale)
        separators = [char for char in bare.strip() if char in ".,"]
        is_ambiguous = len(separators) == 1 and len(bare.strip().rpartition(separators[0])[2]) == 3
        if value is not None and not is_ambiguous:
            unit = Decimal(value) / locale.minor_units
            written_units = {Decimal(minor) / units for units in (1, 100, 1000)}
            assert unit in written_units


@given(st.sampled_from(OTHER_CURRENCIES), st.integers(0, 10**6), st.booleans(), st.sampled_from(("", " ")))
@settings(deadline=None, max_examples=scaled(60))
def test_another_currency_is_refused(sign: str, units: int, is_before: bool, space: str) -> None:
    text = f"{sign}{space}{units}" if is_before else f"{units}{space}{sign}"
    assert read(text, INDIA) is None


KNOWN: dict[Locale, dict[str, int | None]] = {
    INDIA: {
        "1,00,000": 10_000_000, "₹1,00,000.50": 10_000_050, "10,00,00,000": 10_000_000_000, "Rs.500": 50_000,
        "Rs. 500/-": 50_000, "500/=": 50_000, "INR 500": 50_000, "INR ₹500": 50_000, "₹500 INR": 50_000, "Re 1": 100,
        "रु. ५००": 50_000, "रुपये 500": 50_000, "१,००,०००": 10_000_000, "৫০০": 50_000, "５００": 50_000, "٥٠٠٫٥٠": 50_050,
        "1٬500": 150_000, "12٫500": 1_250, "+12": 1_200, "-12": -1_200, "(12.50)": -1_250, "(₹500)": -50_000,
        "₹(500)": -50_000, "₹ - 500": -50_000, "\u200e₹500": 50_000, "1e3": 100_000, "5.": 500, ".5": 50, "$.50": None,
        "500.10000000000002": 50_010, "0.00": 0, "1\u2009000": 100_000, "1\u2003000": 100_000,
        "12.50.00": None, "1,00,00": None, "1,0000": None, "5,": None, "500-": None, "500-600": None, "500 only": None,
        "1.5k": None, "1,,000": None, "1.00,000": None, "₹.500": None, "Rs .50": None, "INR .50": None, ".500": None,
        "Rs. .50": 50, "₹.50": 50, "(-12)": -1_200, "1.000": 100, "500%": None, "NaN": None, "½": None, "12⁵⁰": None,
        "US$12": None, "12 EUR": None, "AED 12": None, "1 00 000": None,
    },
    GERMANY: {
        "€12.50": 1_250, "12,50 €": 1_250, "12,50": 1_250, "12.50": 1_250, "1.234,56 €": 123_456, "1,234.56": 123_456,
        "12,5": 1_250, "9,99": 999, "1.234": 123_400, "1,234": None, "1,000": 100, "1.2340": None, "12,-": 1_200,
        "12,\u2013 €": 1_200, "0.500": 50, "0,500": 50, "$12": None, "1234,567": None, "EUR 1.000,-": 100_000,
        "(12,50 €)": -1_250, "١٬٢٣٤٫٥٦": 123_456, "12٫500": 1_250, "12€50": None, "12, 50": None, "50 ct": None,
    },
    FRANCE: {"1\u202f234,50\u00a0€": 123_450, "1 234,5": 123_450, "1 23,45": None, "1\u202f234\u202f567": 123_456_700},
    SWITZERLAND: {
        "CHF 12.\u2013": 1_200, "12.\u2014": 1_200, "1\u2019234.50": 123_450, "SFr. 1'234.50": 123_450,
        "CHF 1'00": None, "1.234": None, "CHF .50": None,
    },
    JAPAN: {
        "¥1,150": 1_150, "1150.5": None, "1150.00": 1_150, "1.150": None, "1.000": None, "１，１５０円": 1_150,
        "千円": None,
    },
    KUWAIT: {"1,234": 1_234_000, "1.234": 1_234, "١٢٫٥٠٠": 12_500, "KD 12.5": 12_500, "12.5005": None},
    TUNISIA: {"1,234": 1_234, "1.234": 1_234_000, "1٫234": 1_234},
    Locale("UTC", "VND", "VN"): {"150.000 ₫": 150_000, "150,000": None, "1.500.000đ": 1_500_000, "150.5": None},
    Locale("UTC", "KRW", "KR"): {"₩15,000": 15_000, "15,000원": 15_000, "15000.0": 15_000},
    Locale("UTC", "SEK", "SE"): {"150:-": 15_000, "1 500 kr": 150_000, "150:50": None},
    Locale("UTC", "UGX", "UG"): {"UShs 50,000": 50_000, "50,000/=": 50_000},
    Locale("UTC", "AED", "AE"): {"د.إ.\u200f 50": 5_000, "50 Dhs": 5_000},
    Locale("UTC", "USD", "US"): {"$.50": 50, "($5.00)": -500, "CA$12": None, "50¢": None, "12 US$": 1_200},
}  # fmt: skip
"""Texts by the organisation's locale: what they are in minor units, or None where they are refused."""


@pytest.mark.parametrize("locale", KNOWN, ids=lambda locale: f"{locale.currency}-{locale.country}")
def test_a_writing_is_its_amount_or_refused_never_another(locale: Locale) -> None:
    texts = KNOWN[locale]
    assert dict(zip(texts, amounts(locale).read(list(texts)), strict=True)) == texts

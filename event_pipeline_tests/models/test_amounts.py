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


@pytest.mark.parametrize(
    ("text", "locale", "minor"),
    [
        ("€12.50", GERMANY, 1_250), ("12,50 €", GERMANY, 1_250), ("12,50", GERMANY, 1_250), ("12.50", GERMANY, 1_250),
        ("1.234,56 €", GERMANY, 123_456), ("1,234.56", GERMANY, 123_456), ("12,5", GERMANY, 1_250),
        ("9,99", GERMANY, 999), ("1.234", GERMANY, 123_400), ("1,234", GERMANY, None), ("1.2340", GERMANY, None),
        ("12,-", GERMANY, 1_200), ("12,\u2013 €", GERMANY, 1_200), ("12.\u2014", SWITZERLAND, 1_200),
        ("0.500", GERMANY, 50), ("0,500", GERMANY, 50), ("$12", GERMANY, None), ("1234,567", GERMANY, None),
        ("¥1,150", JAPAN, 1_150), ("1150.5", JAPAN, None), ("1150.00", JAPAN, 1_150), ("1.150", JAPAN, None),
        ("1,234", KUWAIT, 1_234_000), ("1.234", KUWAIT, 1_234), ("1,234", TUNISIA, 1_234),
        ("1.234", TUNISIA, 1_234_000), ("1\u2019234.50", SWITZERLAND, 123_450),
    ],
)  # fmt: skip
def test_the_country_decides_what_is_ambiguous(text: str, locale: Locale, minor: int | None) -> None:
    assert read(text, locale) == minor

"""Phone numbers: the database and the ``phonenumbers`` library say the same of every number."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from event_pipeline.models.phones import compact_number, e164
from event_pipeline_tests.effort import scaled
from event_pipeline_tests.models.reading import Texts

HOMES = ("IN", "US", "DE", "GB", "SG")


@cache
def numbers(country: str) -> Texts:
    return Texts(lambda text: e164(compact_number(text), country))


def unicode_digits(text: str) -> str:
    """The text with its digits in ASCII."""
    return "".join(str(unicodedata.decimal(char, char)) for char in text)


def by_library(text: str, country: str) -> str | None:
    """E.164 as the library parses, validates and formats it; a spreadsheet's float is the number before its point."""
    try:
        parsed = phonenumbers.parse(re.sub(r"^([+(]*\d+)\.0+$", r"\1", unicode_digits(text)), country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def examples(country: str) -> list[str]:
    """The library's own example of every kind of number of a country, national digits only."""
    found = (phonenumbers.example_number_for_type(country, kind) for kind in phonenumbers.PhoneNumberType.values())
    return [phonenumbers.national_significant_number(number) for number in found if number is not None]


@st.composite
def indian_texts(draw: st.DrawFn) -> str:
    """Numbers as people in India type them: right ones, wrong ones, with and without codes and separators."""
    local = draw(
        st.from_regex(r"[6-9][0-9]{9}", fullmatch=True)
        | st.from_regex(r"[0-9]{5,13}", fullmatch=True)
        | st.from_regex(r"[6-9][०-९০-৯٠-٩]{9}", fullmatch=True)
        | st.from_regex(r"(11|22|33|44|80|361|3842)[0-9]{6,8}", fullmatch=True)
        | st.sampled_from(examples("IN"))
    )
    prefix = draw(st.sampled_from(["", "", "0", "+91", "+91 ", "91", "0091", "+91-0", "(+91) ", "+91 0"]))
    separator = draw(st.sampled_from(["", " ", "-", ".", "\u00a0", "\u2011", " - "]))
    cut = draw(st.integers(0, len(local)))
    return prefix + local[:cut] + (separator if 0 < cut < len(local) else "") + local[cut:]


@st.composite
def foreign_texts(draw: st.DrawFn) -> str:
    """Numbers of other countries: right ones, some with a digit too many or too few, with the trunk zero or without."""
    region = draw(st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS - {"IN"})))
    national = draw(st.sampled_from(examples(region)))
    national += draw(st.sampled_from(["", "", "7"]))
    trunk = draw(st.sampled_from(["", "", "0", "(0)", " 0"]))
    code = draw(st.sampled_from(["+{}", "+{} ", "00{}", "(+{}) "])).format(phonenumbers.country_code_for_region(region))
    return code + trunk + draw(st.sampled_from([national, national[:-1]]))


@given(st.lists(indian_texts(), min_size=20, max_size=40))
@example(["+91 98765-43210", "09876543210", "9876543210", "919876543210", "00919876543210", "91 9876543210"])
@example(
    [
        "0919876543210",
        "9102020000000",
        "9191919191",
        "919191919191",
        "+91919191919191",
        "1800 123 4567",
        "+910",
        "100",
        "+91",
        "९८७६५४३२१०",
    ]
)
@settings(deadline=None, max_examples=scaled(40))
def test_a_home_number_is_what_the_library_makes_of_it(texts: list[str]) -> None:
    found = numbers("IN").read(texts)
    assert dict(zip(texts, found, strict=True)) == {text: by_library(text, "IN") for text in texts}


@pytest.mark.parametrize("home", HOMES)
def test_every_kind_of_home_number_is_known_with_and_without_its_country_code(home: str) -> None:
    code = phonenumbers.country_code_for_region(home)
    national = [number for number in examples(home) if by_library(number, home)]
    texts = [*national, *(f"+{code}{number}" for number in national), *(f"00{code} {number}" for number in national)]
    expected = [f"+{code}{number}" for number in national] * 3
    assert numbers(home).read(texts) == expected


@given(st.lists(foreign_texts(), min_size=20, max_size=40))
@settings(deadline=None, max_examples=scaled(40))
def test_a_foreign_number_is_what_the_library_makes_of_it(texts: list[str]) -> None:
    found = numbers("IN").read(texts)
    assert dict(zip(texts, found, strict=True)) == {text: by_library(text, "IN") for text in texts}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+44 (0)20 7946 0958", "+442079460958"), ("0044 020 7946 0958", "+442079460958"),
        ("0044 (0)20 7946 0958", "+442079460958"), ("+49 (0)30 901820", "+4930901820"),
        ("+39 06 6982", "+39066982"), ("+91 (0) 98765 43210", "+919876543210"), ("(0)9876543210", "+919876543210"),
        ("tel:+91-98765-43210", "+919876543210"), ("tel:9876543210;ext=12", "+919876543210"),
        ("9876543210 x123", "+919876543210"), ("98765 43210 ext. 12", "+919876543210"),
        ("9876543210.0", "+919876543210"), ("919876543210.00", "+919876543210"), ("98765.43210", "+919876543210"),
        ("9.87654321E9", "+919876543210"), ("9.19876543210E+11", "+919876543210"), ("9.87654E9", None),
        ("9.88E+09", None), ("'9876543210", "+919876543210"), ("\u202a+91 98765 43210\u202c", "+919876543210"),
        ("९८७६५४३२१०", "+919876543210"), ("𝟗𝟖𝟕𝟔𝟓𝟒𝟑𝟐𝟏𝟎", "+919876543210"), ("+44 20 7946 095", None),
        ("+1 212 055 0199", None), ("9876543210, 9123456789", None),
        ("9876543210;9123456789", None), ("+91 98765 43210; +91 91234 56789", None),
    ],
)  # fmt: skip
def test_a_number_is_read_however_it_is_written(text: str, number: str | None) -> None:
    assert numbers("IN").read([text]) == [number]


def test_every_valid_foreign_number_is_kept() -> None:
    regions = sorted(phonenumbers.SUPPORTED_REGIONS - {"IN"})
    texts = [f"+{phonenumbers.country_code_for_region(r)}{number}" for r in regions for number in examples(r)]
    valid = [text for text in texts if by_library(text, "IN") == text]
    assert len(valid) > 1_000
    assert numbers("IN").read(valid) == valid


@pytest.mark.parametrize(
    "text",
    ["", "N/A", "not a phone", "12345", "+1", "+999123456789", "+44", "+4412345678901234567890", "++919876543210",
     "9" * 1_000_000],
)  # fmt: skip
def test_what_is_no_number_is_none(text: str) -> None:
    assert numbers("IN").read([text]) == [None]


def test_a_country_without_a_numbering_plan_is_refused() -> None:
    with pytest.raises(ValueError, match="no phone numbering plan is known for country ZZ"):
        numbers("ZZ")

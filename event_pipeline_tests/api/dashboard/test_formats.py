"""Figures are written as the organisation writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from event_pipeline.api.answers.common import Money
from event_pipeline.api.dashboard.formats import Formats
from event_pipeline.settings import Organisation

INDIA = Formats(Organisation())
JAPAN = Formats(Organisation(time_zone="Asia/Tokyo", currency="JPY", country="JP"))
KUWAIT = Formats(Organisation(time_zone="Asia/Kuwait", currency="KWD", country="KW"))
NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "indian", "other"),
    [(0, "0", "0"), (999, "999", "999"), (1000, "1,000", "1,000"), (1234567, "12,34,567", "1,234,567"),
     (-100000, "−1,00,000", "−100,000"), (None, "–", "–")],
)  # fmt: skip
def test_digits_are_grouped_as_in_the_country(value: int | None, indian: str, other: str) -> None:
    assert (INDIA.number(value), JAPAN.number(value)) == (indian, other)


def test_what_rounds_to_nothing_has_no_sign() -> None:
    assert INDIA.number(-0.2) == "0"


@pytest.mark.parametrize(
    ("formats", "minor", "written"),
    [(INDIA, 12345600, "₹1,23,456"), (INDIA, 12345650, "₹1,23,456.50"), (INDIA, -5000, "−₹50"),
     (JAPAN, 1500, "¥1,500"), (KUWAIT, 1250, "KWD 1.250")],
)  # fmt: skip
def test_amounts_have_their_currency_and_minor_units_only_where_there_are_some(
    formats: Formats, minor: int, written: str
) -> None:
    assert formats.minor(minor) == written


def test_an_amount_of_another_currency_keeps_it() -> None:
    assert INDIA.money(Money(amount_minor=100, currency="EUR")) == "€1"


def test_times_are_the_organisations_and_name_their_zone() -> None:
    assert INDIA.weekday(NOON) == "Thu 26 Nov, 17:30"
    assert INDIA.weekday(NOON, NOON.replace(year=2027)) == "Thu 26 Nov 2026, 17:30"
    assert (INDIA.zone(NOON), JAPAN.zone(NOON)) == ("IST", "JST")
    assert KUWAIT.zone(NOON) == "Asia/Kuwait"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0, "just now"), (59, "just now"), (60, "1 minute ago"), (7_200, "2 hours ago"), (-90_000, "in 1 day")],
)
def test_how_long_ago_is_said_in_one_unit(seconds: int, written: str) -> None:
    assert INDIA.ago(NOON - timedelta(seconds=seconds), NOON) == written

"""Organisations that write times, amounts and numbers in different ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Writing:
    """An organisation's settings, and texts as people write them there, right and wrong ones."""

    settings: dict[str, str]
    amounts: Sequence[Any]
    """Of fees and payments, in whatever spelling."""
    bad_amounts: Sequence[Any]
    """In another currency, or grouped as nobody does there."""
    clock_times: Sequence[str]
    """Without a zone; around changes of the clocks where there are any."""
    phones: Sequence[Any]


def _settings(time_zone: str, currency: str, country: str) -> dict[str, str]:
    return {"time_zone": time_zone, "currency": currency, "country": country}


WRITINGS = {
    "india": Writing(
        _settings("Asia/Kolkata", "INR", "IN"),
        (100, "100", "₹150", "1,150", "Rs. 100/-", 150.5, "1,23,456.50", "१५०", "₹ 12.50", "12,50"),
        ("€ 12", "1.2.3", "12,3456", "$ 5"),
        ("2025-05-20", "3/6/2025, 9:10:00 pm", "2025-06-01T02:30"),
        ("+91 98765-43210", "09876543210", 9876543210, 9876543210.0, "0049 89 636 48018", "12"),
    ),
    "germany": Writing(
        _settings("Europe/Berlin", "EUR", "DE"),
        ("12,50", "12,50 €", "1.234,56 €", "€ 12", "EUR 12.50", 12.5, "1.150", "1,234.56", "1'234,50", "12,500"),
        ("₹150", "$ 5", "1.23.456", "12,3456"),
        ("2025-03-30 02:30", "2024-10-27 02:30", "2024-10-27T03:15", "30.3.2025 02:30", "3/6/2025, 9:10:00 pm"),
        ("089 63648018", "+49 (0)89 636 48018", "tel:+49-89-63648018", "0151 23456789", "+91 98765 43210", "4711"),
    ),
    "japan": Writing(
        _settings("Asia/Tokyo", "JPY", "JP"),
        ("¥1,500", "1500円", 1500, "1,500", "１５００", "12.00", "JPY 300", 150.0),
        ("1.5", "$5", "12,50", "€ 12"),
        ("2025-05-20", "2025-06-07 23:30:00", "3/6/2025, 9:10:00 pm"),
        ("03-1234-5678", "090-1234-5678", "+81 90 1234 5678", "０９０－１２３４－５６７８", "0049 89 63648018"),
    ),
    "chatham": Writing(
        _settings("Pacific/Chatham", "NZD", "NZ"),
        ("$12.50", "NZ$ 12.50", "nzd 12.5", "1,234.50", 12, "12,50", "1.234,56"),
        ("₹150", "12.345.6", "€ 12"),
        ("2025-04-06 03:15", "2024-09-29 03:00", "2025-06-01 12:44", "2025-06-01 12:46", "2025-05-20"),
        ("03 305 0009", "021 123 4567", "+64 21 123 4567", "0064 21 123 4567", "1"),
    ),
    "tunisia": Writing(
        _settings("Africa/Tunis", "TND", "TN"),
        ("12,500", "12.500 TND", "1.234,567 DT", "12,5", 12.5, "1.500", "0,750", "1 234,5"),
        ("0,0005", "€12", "12,34567", "₹150"),
        ("2025-05-20", "2025-06-08 00:30", "3/6/2025, 9:10:00 pm"),
        ("71 234 567", "+216 20 123 456", "00216 20123456", "20123456.0", "abc"),
    ),
}
"""By country: paise and crores, a zone with summer time and a decimal comma, yen without hundredths, an offset of
quarters of an hour with summer time in the south, and thousandths with a decimal comma."""

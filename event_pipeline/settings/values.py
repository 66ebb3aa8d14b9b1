"""Kinds of values that settings take, each refusing what it cannot be with a message that says what is allowed."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field

COLLECTIONS = (
    "clubs",
    "categories",
    "events",
    "registrations",
    "tags",
    "event_tags",
    "club_requests",
    "event_live_updates",
    "event_chat",
)
"""The app's collections, in the order they are read: what others refer to comes first."""

Collection = Literal[
    "clubs", "categories", "events", "registrations", "tags", "event_tags",
    "club_requests", "event_live_updates", "event_chat",
]  # fmt: skip
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


def _known_time_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("must be an IANA time zone name such as Asia/Kolkata")
    return name


def _valid_cron(text: str) -> str:
    from dagster._utils.schedules import is_valid_cron_schedule

    if not is_valid_cron_schedule(text):
        raise ValueError("must be a cron expression of five fields such as '0 2 * * *'")
    return text


def _whole_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole:
        raise ValueError("must be an address such as http://127.0.0.1:3000, with a port from 1 to 65535")
    return url


TimeZone = Annotated[str, AfterValidator(_known_time_zone)]
Cron = Annotated[str, AfterValidator(_valid_cron)]
WebAddress = Annotated[str, Field(pattern=r"^https?://.+"), AfterValidator(_whole_address)]

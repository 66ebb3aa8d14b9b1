"""Dimensions: events, clubs, categories, people, days and tags."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from event_pipeline_tests.oracle.fields import Row
from event_pipeline_tests.oracle.organisation import UNKNOWN, Organisation
from event_pipeline_tests.oracle.records import Records

_YEAR = re.compile(r"\s*[([\-–—'’:,]*\s*\b(?:19|20)\d{2}(?:\s*[-–/]\s*\d{2,4})?\b\s*[)\]]*")
_LONG_AGO = datetime(1970, 1, 1)  # noqa: DTZ001
_OF_EVENTS = (
    "title", "location", "starts_at", "ends_at", "registration_deadline_at", "capacity", "event_status",
    "registration_method", "participation_type", "fee_minor", "created_at",
)  # fmt: skip


def events(records: Records, organisation: Organisation) -> list[Row]:
    """``core.dim_events``."""
    keys = ("event_id", "club_id", "category_id")
    rows = [_unknown(keys, _OF_EVENTS, is_paid=False, is_featured=False, is_archived=False)]
    rows[0] |= {"start_date": None, "edition_series": None}
    for key, event in records.events.items():
        if key == UNKNOWN:
            continue
        fee, is_paid = event["fee_minor"], event["is_paid"]
        rows.append(
            {name: event[name] for name in _OF_EVENTS}
            | {
                "event_id": key,
                "edition_series": _series(event["title"]),
                "club_id": _known(event["club_id"], records.clubs),
                "category_id": _known(event["category_id"], records.categories),
                "start_date": organisation.day(event["starts_at"]),
                "is_paid": is_paid if is_paid is not None else bool(fee),
                "is_featured": bool(event["is_featured"]),
                "is_archived": bool(event["is_archived"]),
            }
        )
    return rows


def _series(title: str | None) -> str | None:
    """The title without its year, so that editions share it."""
    if title is None:
        return None
    bare = re.sub(r"\s+", " ", _YEAR.sub(" ", title)).strip().lower()
    return bare or title.lower()


def _known(key: str | None, existing: Mapping[str, Row]) -> str:
    return key if key in existing and key is not None else UNKNOWN


def _unknown(keys: Iterable[str], names: Iterable[str], **more: Any) -> Row:
    return dict.fromkeys(names) | dict.fromkeys(keys, UNKNOWN) | more


def clubs(records: Records) -> list[Row]:
    """``core.dim_clubs``."""
    names = ("club_name", "website", "created_at")
    known = [
        {name: row[name] for name in names} | {"club_id": key} for key, row in records.clubs.items() if key != UNKNOWN
    ]
    return [*known, _unknown(("club_id",), names)]


def categories(records: Records) -> list[Row]:
    """``core.dim_categories``."""
    names = ("category_name", "color")
    rows = records.categories.items()
    known = [{name: row[name] for name in names} | {"category_id": key} for key, row in rows if key != UNKNOWN]
    return [*known, _unknown(("category_id",), names)]


def tags(records: Records) -> list[Row]:
    """``core.bridge_event_tags``."""
    colours: defaultdict[tuple[str, str], list[str | None]] = defaultdict(list)
    for link in records.event_tags.values():
        tag = records.tags.get(link["tag_id"])
        if tag is not None and tag["tag_name"] is not None and link["event_id"] in records.events:
            colours[link["event_id"], tag["tag_name"]].append(tag["color"])
    return [
        {"event_id": event, "tag_name": name, "color": max((c for c in found if c is not None), default=None)}
        for (event, name), found in colours.items()
    ]


def users(addresses: Iterable[str], registrations: Iterable[Row], organisation: Organisation) -> list[Row]:
    """``core.dim_users``: everybody with an address, and one 'unknown' that counts nobody."""
    theirs: defaultdict[str, list[Row]] = defaultdict(list)
    for row in registrations:
        theirs[row["user_id"]].append(row)
    rows = [_user(user, theirs[user]) for user in {organisation.user(address) for address in addresses}]
    return [*rows, _user(UNKNOWN, [])]


def _user(user: str, registrations: list[Row]) -> Row:
    ordered = sorted(registrations, key=lambda row: (_at(row["registered_at"]), row["registration_id"]))
    times = [row["registered_at"] for row in ordered if row["registered_at"] is not None]
    counted = [row["registered_date"] for row in ordered if row["is_counted"] and row["registered_date"]]
    return {
        "user_id": user,
        "department": _last(ordered, "department"),
        "year_of_study": _last(ordered, "year_of_study"),
        "first_registered_at": min(times, default=None),
        "first_counted_date": min(counted, default=None),
        "last_registered_at": max(times, default=None),
        "registrations": sum(row["is_counted"] for row in ordered),
        "events_attended": sum(row["is_attended"] for row in ordered),
    }


def _at(instant: datetime | None) -> datetime:
    return _LONG_AGO if instant is None else instant.replace(tzinfo=None)


def _last(ordered: list[Row], name: str) -> Any:
    """What the latest registration says, also when that is nothing."""
    return ordered[-1][name] if ordered else None


def dates(days: Iterable[date | None]) -> list[Row]:
    """``core.dim_dates``: without gaps from the first to the last day mentioned."""
    mentioned = [day for day in days if day is not None]
    if not mentioned:
        return []
    first, last = min(mentioned), max(mentioned)
    return [_date(first + timedelta(days=number)) for number in range((last - first).days + 1)]


def _date(day: date) -> Row:
    return {
        "date": day,
        "year": day.year,
        "quarter": (day.month + 2) // 3,
        "month": day.month,
        "iso_week": day.isocalendar().week,
        "day_of_week": day.isoweekday(),
        "is_weekend": day.isoweekday() > 5,
    }

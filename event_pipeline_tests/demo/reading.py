"""Reads a demo back the way its marginals are stated, independently of the code that wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from event_pipeline.demo import DemoSummary
from event_pipeline.sources.qr import qr_checksum, signed_text

ZONE = timezone(timedelta(hours=5, minutes=30))


def instant(value: Any) -> datetime | None:
    """A time in any of the ways in which the app's documents hold one; None when there is none."""
    if isinstance(value, dict):
        return datetime.fromtimestamp(value["_seconds"], UTC) + timedelta(microseconds=value["_nanoseconds"] // 1000)
    if isinstance(value, int):
        return datetime.fromtimestamp(value / 1000, UTC)
    if isinstance(value, str):
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=ZONE)).astimezone(UTC)
    return None


def fits_its_checksum(text: str) -> dict[str, Any] | None:
    """The QR payload when it is whole and its checksum is right."""
    try:
        code = orjson.loads(text)
        signed = signed_text(code["registrationId"], code["eventId"], code["email"], code["timestamp"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    return code if code["hash"] == qr_checksum(signed) else None


@dataclass(frozen=True)
class Registered:
    """One person's registration for one event, duplicates merged."""

    event_id: str
    email: str
    lead_days: int
    registered: datetime
    cancelled: bool
    came: bool
    arrived: datetime | None
    minutes_early: float | None


class Demo:
    """A demo in memory."""

    def __init__(self, target: Path, summary: DemoSummary) -> None:
        self.target = target
        self.summary = summary
        self.tree: dict[str, dict[str, Any]] = orjson.loads((target / "exports" / "demo.json").read_bytes())

    @cached_property
    def documents(self) -> dict[str, dict[str, Any]]:
        """Registrations that are objects."""
        return {key: value for key, value in self.tree["registrations"].items() if isinstance(value, dict)}

    @cached_property
    def events(self) -> dict[str, dict[str, Any]]:
        """Events that are objects."""
        return {key: value for key, value in self.tree["events"].items() if isinstance(value, dict)}

    def records(self, stem: str) -> Iterator[dict[str, Any]]:
        """Inbox records of one kind, file by file."""
        for path in sorted((self.target / "inbox").glob(f"{stem}-*.ndjson")):
            for line in path.read_bytes().splitlines():
                yield orjson.loads(line)

    @cached_property
    def scanned_ids(self) -> set[str]:
        """Registrations that are not cancelled with a scan that fits them."""
        found = set()
        documents = self.documents
        for record in self.records("scans"):
            code = fits_its_checksum(record["qr_code_data"])
            document = documents.get(code["registrationId"]) if code else None
            if document and document["status"] != "cancelled" and document["event_id"] == code["eventId"]:  # type: ignore[index]
                found.add(code["registrationId"])  # type: ignore[index]
        return found

    @cached_property
    def held(self) -> list[Registered]:
        """Registrations for events that took place, by readable address, one for each person and event."""
        merged: dict[tuple[str, str], Registered] = {}
        for key, document in self.documents.items():
            event = self.events.get(document["event_id"])
            if event is None or event["status"] == "cancelled" or "participant_email" not in document:
                continue
            start = instant(event["start_date"])
            assert start is not None
            if start + timedelta(hours=2) > self.summary.as_of:
                continue
            one = self._registered(key, document, start)
            first = merged.setdefault((one.event_id, one.email), one)
            if one.came and not first.came:
                merged[one.event_id, one.email] = one
        return list(merged.values())

    def _registered(self, key: str, document: dict[str, Any], start: datetime) -> Registered:
        registered = instant(document["registration_date"])
        assert registered is not None
        came = document["attendance_status"] == "attended" or key in self.scanned_ids
        arrived = instant(document.get("attendance_timestamp")) if came else None
        return Registered(
            event_id=document["event_id"],
            email=document["participant_email"].strip().lower(),
            lead_days=(start.astimezone(ZONE).date() - registered.astimezone(ZONE).date()).days,
            registered=registered,
            cancelled=document["status"] == "cancelled",
            came=came,
            arrived=arrived,
            minutes_early=(start - arrived).total_seconds() / 60 if arrived else None,
        )

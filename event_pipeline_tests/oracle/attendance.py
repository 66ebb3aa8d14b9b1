"""Who came: every claim, the reason against it, and the first valid one of each registrant for an event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from event_pipeline_tests.oracle.documents import Document
from event_pipeline_tests.oracle.fields import Row
from event_pipeline_tests.oracle.organisation import UNKNOWN, Organisation
from event_pipeline_tests.oracle.records import Records
from event_pipeline_tests.oracle.registrations import Correction, Registration, _time_order

Days = tuple[date, date] | None
"""First and last day on which codes of an event are good; None where nobody knows."""

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass
class Claim:
    """That somebody came, by whatever means. ``registration`` is None where the claimed one does not exist."""

    attendance_id: str
    method: str
    registration: Registration | None
    claimed_event_id: str | None
    occurred_at: datetime | None
    scanner_id: str | None = None
    refusal: str | None = None
    is_valid: bool = False
    is_counted: bool = False
    is_clock_corrected: bool = False
    is_override: bool = False


def claims(
    records: Records, known: Mapping[str, Registration], corrections: list[Correction], organisation: Organisation
) -> list[Claim]:
    """Every claim, judged."""
    undone = _taken_back(records)
    days = {key: _days(event, organisation) for key, event in records.events.items()}
    found = [_scanned(scan_id, row, known, undone, days, organisation) for scan_id, row in records.scans.items()]
    for registration in known.values():
        if registration.is_app_attended:
            at = registration.app_attended_at or registration.updated_at
            event = registration.source_event_id
            claim = Claim(f"app:{registration.registration_id}", "app_mark", registration, event, at)
            found.append(_judged(claim, None, undone))
    for correction in corrections:
        if correction.kind == "attendance":
            key = "sheet:" + organisation.pseudonym(correction.row_id)
            registration = known[correction.registration_id]
            claim = Claim(key, "sheet_mark", registration, correction.event_id, correction.occurred_at)
            found.append(_judged(claim, None, undone))
    return _ranked(found)


def _ranked(found: list[Claim]) -> list[Claim]:
    """The claims with the first valid one of each registrant counted.

    A sheet that tells the second of a claim before it was made from it, and is no claim of its own.
    """
    before: dict[tuple[str, str], Claim] = {}
    kept, came = [], set()
    for claim in sorted(found, key=_order):
        claim.is_valid = claim.refusal is None
        if not claim.is_valid or claim.registration is None:
            kept.append(claim)
            continue
        person = (claim.registration.source_event_id, claim.registration.registrant)
        last = before.get(person)
        before[person] = claim
        if (
            last is not None
            and claim.method == "sheet_mark"
            and last.method != "sheet_mark"
            and _same_second(claim, last)
        ):
            continue
        claim.is_counted = person not in came
        came.add(person)
        claim.refusal = None if claim.is_counted else "already_in"
        kept.append(claim)
    return kept


def _order(claim: Claim) -> tuple[Any, ...]:
    is_unknown, at = _time_order(claim.occurred_at)
    return (is_unknown, at.replace(microsecond=0), claim.method == "sheet_mark", at, claim.attendance_id)


def _same_second(claim: Claim, other: Claim) -> bool:
    if claim.occurred_at is None or other.occurred_at is None:
        return False
    return claim.occurred_at.replace(microsecond=0) == other.occurred_at.replace(microsecond=0)


def _judged(claim: Claim, against_code: str | None, undone: Mapping[str, datetime], day: str | None = None) -> Claim:
    """The claim with the first reason against it; ``day`` is the last."""
    registration = claim.registration
    if against_code in ("garbled", "bad_checksum"):
        claim.refusal = against_code
    elif registration is None:
        claim.refusal = "unknown_registration"
    elif against_code is not None:
        claim.refusal = against_code
    elif registration.is_cancelled:
        claim.refusal = "cancelled"
    else:
        taken_back_at = undone.get(registration.registration_id)
        if taken_back_at is not None and (claim.occurred_at is None or claim.occurred_at <= taken_back_at):
            claim.refusal = "undone"
    claim.refusal = claim.refusal or day
    return claim


def _scanned(
    scan_id: str,
    row: Row,
    known: Mapping[str, Registration],
    undone: Mapping[str, datetime],
    days: Mapping[str, Days],
    organisation: Organisation,
) -> Claim:
    code = read_code(row["qr_text"])
    registration = known.get(code.get("registrationId") or "")
    event_id = code.get("eventId")
    at, is_corrected = _time_of(row, days.get(event_id or ""), organisation)
    claim = Claim(f"scan:{scan_id}", "qr_scan", registration, event_id, at, row["scanner_id"])
    claim.is_clock_corrected = is_corrected
    is_other_door = registration is not None and row["door_event_id"] not in (None, registration.source_event_id)
    is_other_day = not is_corrected and not _is_of_event(at, days.get(event_id or ""), organisation)
    is_let_in = row["is_override"] is True
    against = None
    if not code.get("is_readable"):
        against = "garbled"
    elif not code.get("is_checksum_valid"):
        against = "bad_checksum"
    elif registration is not None and (event_id != registration.source_event_id or (is_other_door and not is_let_in)):
        against = "wrong_event"
    _judged(claim, against, undone, "wrong_day" if is_other_day and not is_let_in else None)
    claim.is_override = is_let_in and claim.refusal is None and (is_other_door or is_other_day)
    return claim


def _days(event: Row, organisation: Organisation) -> Days:
    """From the day before the start to the day after the end, its start where it has none; None without a start."""
    start, end = organisation.day(event["starts_at"]), organisation.day(event["ends_at"])
    if start is None:
        return None
    return start - timedelta(days=1), max(start, end or start) + timedelta(days=1)


def _is_of_event(at: datetime, days: Days, organisation: Organisation) -> bool:
    """Whether the instant is on one of these days; any is where the event has no start."""
    day = organisation.day(at)
    return days is None or (day is not None and days[0] <= day <= days[1])


def _time_of(row: Row, days: Days, organisation: Organisation) -> tuple[datetime, bool]:
    """When the scan counts, and whether that is another time than the phone's."""
    seen_at: datetime = row["version_at"]
    told_at: datetime | None = row["received_at"]
    is_told = told_at is not None and told_at <= seen_at + timedelta(days=1)
    received_at = told_at if told_at is not None and is_told else seen_at
    at: datetime | None = row["scanned_at"]
    if at is None:
        return received_at, True
    is_recent = not is_told or at >= received_at - timedelta(days=30)
    is_believed = is_recent and at <= received_at + timedelta(minutes=10)
    is_late = days is not None and _is_of_event(at, days, organisation) and at <= received_at
    return (at, False) if is_believed or is_late else (received_at, True)


def read_code(text: str | None) -> dict[str, Any]:
    """What a code says, with ``is_readable`` and ``is_checksum_valid``; nothing for what is no JSON object."""
    try:
        content = json.loads((text or "").strip("\ufeff \t\r\n\u200b"))
    except ValueError:
        return {}
    if not isinstance(content, dict):
        return {}
    parts = [content.get(name) for name in ("registrationId", "eventId", "email", "timestamp")]
    signed = None if None in parts else ":".join(str(part) for part in parts)
    return {
        **content,
        "is_readable": content.get("type") == "NITS_EVENT_ATTENDANCE" and parts[0] is not None,
        "is_checksum_valid": signed is not None and checksum(signed) == content.get("hash"),
    }


def checksum(text: str) -> str:
    """``h = 31 h + c`` over UTF-16 code units in signed 32 bits; its absolute value in base 36."""
    units = text.encode("utf-16-le", "surrogatepass")
    total = 0
    for at in range(0, len(units), 2):
        total = (total * 31 + int.from_bytes(units[at : at + 2], "little")) % 2**32
    rest = 2**32 - total if total >= 2**31 else total
    digits = ""
    while rest:
        rest, digit = divmod(rest, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"


def _taken_back(records: Records) -> dict[str, datetime]:
    """When a mark of attendance was first seen gone, by registration; only of those whose latest state lacks it."""
    found = {}
    for key, versions in records.versions_of_registrations().items():
        states = [version for version in versions if version.payload is not None]
        marks = [at for at, version in enumerate(states) if _says_attended(version)]
        if marks and marks[-1] + 1 < len(states):
            found[key] = states[marks[-1] + 1].version_at
    return found


def _says_attended(version: Document) -> bool:
    content = version.content if isinstance(version.content, dict) else {}
    said = (content.get("attendance_status"), content.get("status"))
    return any(isinstance(text, str) and text.strip().lower() == "attended" for text in said)


def rows(found: list[Claim], organisation: Organisation) -> list[Row]:
    """``core.fact_attendance``."""
    return [_row(claim, organisation) for claim in found]


def _row(claim: Claim, organisation: Organisation) -> Row:
    registration = claim.registration
    return {
        "attendance_id": claim.attendance_id,
        "registration_id": registration.registration_id if registration else None,
        "event_id": registration.event_id if registration else UNKNOWN,
        "source_event_id": registration.source_event_id if registration else None,
        "claimed_event_id": claim.claimed_event_id or UNKNOWN,
        "user_id": organisation.user(registration.email) if registration else UNKNOWN,
        "method": claim.method,
        "occurred_at": claim.occurred_at,
        "occurred_date": organisation.day(claim.occurred_at),
        "scanner_id": claim.scanner_id,
        "is_valid": claim.is_valid,
        "refusal_reason": claim.refusal,
        "is_counted": claim.is_counted,
        "is_clock_corrected": claim.is_clock_corrected,
        "is_override": claim.is_override,
    }

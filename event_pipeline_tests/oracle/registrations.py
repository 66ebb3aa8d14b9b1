"""Who registered: registrants, duplicates, shared addresses, and walk-ins that organisers added to the sheet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from event_pipeline_tests.oracle import values
from event_pipeline_tests.oracle.fields import Row
from event_pipeline_tests.oracle.organisation import UNKNOWN, Organisation
from event_pipeline_tests.oracle.records import Records

_PAID = ("yes", "verified")
_MARKS = {"yes": "verified", "verified": "verified", "rejected": "rejected", "no": "pending", "pending": "pending"}
_END = datetime.max


@dataclass
class Registration:
    """One registration document or walk-in. ``registrant`` tells people of one address and event apart."""

    registration_id: str
    source_event_id: str
    event_id: str
    email: str | None
    name: str | None
    registered_at: datetime | None
    registration_status: str
    registration_type: str | None
    team_size: int
    department: str | None
    year_of_study: str | None
    payment_status: str | None
    amount_minor: int | None
    updated_at: datetime | None
    is_app_attended: bool = False
    app_attended_at: datetime | None = None
    is_walk_in: bool = False
    registrant: str = ""
    is_duplicate: bool = False
    is_shared_address: bool = False
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def is_cancelled(self) -> bool:
        """Whether the registration was cancelled."""
        return self.registration_status == "cancelled"

    @property
    def is_counted(self) -> bool:
        """Neither cancelled nor a duplicate."""
        return not self.is_cancelled and not self.is_duplicate

    @property
    def order(self) -> tuple[Any, ...]:
        """Valid before cancelled, then the earliest; an unknown time is the last."""
        return (self.is_cancelled, *_time_order(self.registered_at), self.registration_id)


@dataclass(frozen=True)
class Correction:
    """What an organiser typed in a row of an event's sheet about a registration."""

    row_id: str
    kind: str
    registration_id: str
    event_id: str
    occurred_at: datetime
    amount_minor: int | None = None


def _time_order(at: datetime | None) -> tuple[bool, datetime]:
    return (at is None, _END if at is None else at.replace(tzinfo=None))


def resolve(records: Records, organisation: Organisation) -> tuple[dict[str, Registration], list[Correction]]:
    """Registrations and walk-ins by id, with duplicates marked, and what the sheets say of them."""
    known = {key: _from_app(key, row, records) for key, row in records.registrations.items()}
    corrections, walk_ins = _read_sheets(records, known, organisation)
    everyone = known | walk_ins
    by_address: defaultdict[tuple[str, str], list[Registration]] = defaultdict(list)
    for registration in everyone.values():
        if registration.email is None:
            registration.registrant = registration.registration_id
        else:
            by_address[registration.source_event_id, registration.email].append(registration)
    for sharing in by_address.values():
        _tell_apart(sharing)
    return everyone, corrections


def _tell_apart(sharing: Sequence[Registration]) -> None:
    """Different names of one address are different registrants; one without a name is the earliest of the address."""
    ordered = sorted(sharing, key=lambda registration: registration.order)
    keys = {registration.registration_id: values.name_key(registration.name) for registration in ordered}
    by_time = sorted(sharing, key=lambda registration: registration.order[1:])
    named = [key for registration in by_time if (key := keys[registration.registration_id]) is not None]
    seen: set[str] = set()
    for registration in ordered:
        key = keys[registration.registration_id] or (named[0] if named else "")
        registration.registrant = f"{registration.email}|{key}"
        registration.is_shared_address = len(set(named)) > 1
        if not registration.is_cancelled:
            registration.is_duplicate = registration.registrant in seen
            seen.add(registration.registrant)


def _event_of(event_id: str, records: Records) -> str:
    return event_id if event_id in records.events else UNKNOWN


def _from_app(key: str, row: Row, records: Records) -> Registration:
    status = row["registration_status"] or "registered"
    return Registration(
        registration_id=key,
        source_event_id=row["event_id"],
        event_id=_event_of(row["event_id"], records),
        email=row["email"],
        name=row["name"],
        registered_at=row["registered_at"],
        registration_status=status,
        registration_type=row["registration_type"],
        team_size=row["team_size"],
        department=row["department"],
        year_of_study=row["year_of_study"],
        payment_status=row["payment_status"],
        amount_minor=row["amount_minor"],
        updated_at=row["updated_at"],
        is_app_attended="attended" in (row["attendance_status"], status),
        app_attended_at=row["attended_at"],
    )


def _read_sheets(
    records: Records, known: Mapping[str, Registration], organisation: Organisation
) -> tuple[list[Correction], dict[str, Registration]]:
    by_address: defaultdict[tuple[str, str], list[Registration]] = defaultdict(list)
    for registration in known.values():
        if registration.email is not None:
            by_address[registration.source_event_id, registration.email].append(registration)
    absent = _named_by_absent(records)
    corrections: list[Correction] = []
    walk_ins: dict[str, Registration] = {}
    for row_id, row in sorted(records.sheet_rows.items()):
        if row["worksheet"] != "Registrations" or row["is_export_error"] or row["event_id"] is None:
            continue
        address = (row["event_id"], row["email"])
        matched = _meant(row, by_address.get(address, ()))
        if matched is None and address in absent:
            continue
        if matched is None:
            if not _has_identity(row):
                continue
            matched = _walk_in(row_id, row, records, organisation)
            walk_ins[matched.registration_id] = matched
        corrections += _corrections(row_id, row, matched)
    return corrections, walk_ins


def _has_identity(row: Row) -> bool:
    """Somebody is known by an address or a name; a tick, a total or a note is nobody."""
    return row["email"] is not None or values.name_key(row["name"]) is not None


def _meant(row: Row, candidates: Iterable[Registration]) -> Registration | None:
    """Of the registrations of the row's event and address the one with its name, else the earliest."""
    ordered = sorted(candidates, key=lambda registration: registration.order)
    key = values.name_key(row["name"])
    same = [registration for registration in ordered if values.name_key(registration.name) == key]
    return next(iter(same or ordered), None)


def _named_by_absent(records: Records) -> set[tuple[str, str]]:
    """Events and addresses that registrations which are deleted or refused ever named."""
    named = set()
    for key, versions in records.versions_of_registrations().items():
        if key in records.registrations:
            continue
        for version in versions:
            event = values.at_path(version.content, "event_id")
            email = values.at_path(version.content, "participant_email")
            address = None if email is None else values.email(email)
            if event is not None and event.strip() and address is not None:
                named.add((event.strip(), address))
    return named


def _walk_in(row_id: str, row: Row, records: Records, organisation: Organisation) -> Registration:
    return Registration(
        registration_id="sheet:" + organisation.pseudonym(row_id),
        source_event_id=row["event_id"],
        event_id=_event_of(row["event_id"], records),
        email=row["email"],
        name=row["name"],
        registered_at=row["registered_at"] or row["version_at"],
        registration_status=row["registration_status"] or "registered",
        registration_type=row["registration_type"],
        team_size=1,
        department=row["department"],
        year_of_study=row["year_of_study"],
        payment_status=_MARKS.get(row["payment_mark"]),
        amount_minor=row["amount_minor"],
        updated_at=row["version_at"],
        is_walk_in=True,
    )


def _corrections(row_id: str, row: Row, matched: Registration) -> list[Correction]:
    found = []
    if row["attendance_status"] == "attended" and not matched.is_app_attended:
        at = row["attended_at"] or row["version_at"]
        found.append(Correction(row_id, "attendance", matched.registration_id, row["event_id"], at))
    is_open = matched.payment_status in (None, "pending") and not matched.is_walk_in
    if row["payment_mark"] in _PAID and is_open:
        about = (matched.registration_id, row["event_id"], row["version_at"], row["amount_minor"])
        found.append(Correction(row_id, "payment", *about))
    return found

"""Who registered: registrants, duplicates, shared addresses, and walk-ins that organisers added to the sheet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from event_pipeline_tests.oracle import values
from event_pipeline_tests.oracle.documents import last_run
from event_pipeline_tests.oracle.fields import Row
from event_pipeline_tests.oracle.matches import Matches
from event_pipeline_tests.oracle.organisation import UNKNOWN, Organisation
from event_pipeline_tests.oracle.records import Records

PAID = ("yes", "verified")
"""What a sheet's payment column says of one that was paid."""

_MARKS = {"yes": "verified", "verified": "verified", "rejected": "rejected", "no": "pending", "pending": "pending"}
_END = datetime(9999, 1, 1)  # noqa: DTZ001


@dataclass
class Registration:
    """One registration document or walk-in. ``registrant`` tells people of one address and event apart."""

    registration_id: str
    source_event_id: str
    event_id: str
    email: str | None
    name: str | None
    phone: str | None
    student_id: str | None
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
    occurred_at: datetime | None
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
        phone=row["phone"],
        student_id=row["student_id"],
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
    rows = {key: row for key, row in sorted(records.sheet_rows.items()) if _is_about_somebody(row)}
    matches = Matches(rows, known)
    absent = _named_by_absent(records)
    first = _first_rows(rows)
    corrections: list[Correction] = []
    walk_ins: dict[str, Registration] = {}
    for row_id, row in rows.items():
        matched, is_stranger = matches.of(row)
        if matched is None and (is_stranger or (row["event_id"], row["email"]) not in absent):
            key = "sheet:" + organisation.pseudonym(first[row_id])
            walk_ins.setdefault(key, _walk_in(first[row_id], rows[first[row_id]], records, organisation))
            matched = walk_ins[key]
        if matched is not None:
            corrections += _corrections(row_id, row, matched, records)
    return _once(corrections), walk_ins


def _is_about_somebody(row: Row) -> bool:
    is_list = row["worksheet"] == "Registrations" and row["event_id"] is not None and not row["is_export_error"]
    return is_list and not row["content"].get("doubt")


def _first_rows(rows: Mapping[str, Row]) -> dict[str, str]:
    """The row that stands for the person of each row: without an address the first with that name and number."""
    found: dict[tuple[str, str | None, str], str] = {}
    first = {}
    for row_id, row in rows.items():
        key = values.name_key(row["name"])
        if row["email"] is not None or key is None:
            first[row_id] = row_id
            continue
        number = row["phone"] or row["student_id"] or row_id.partition("/")[2]
        first[row_id] = found.setdefault((row["event_id"], key, number), row_id)
    return first


def _once(corrections: list[Correction]) -> list[Correction]:
    """What several rows say of a registration counts once, the earliest."""
    kept: dict[tuple[str, str], Correction] = {}
    for correction in sorted(corrections, key=lambda found: (*_time_order(found.occurred_at), found.row_id)):
        kept.setdefault((correction.kind, correction.registration_id), correction)
    return list(kept.values())


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
        phone=row["phone"],
        student_id=row["student_id"],
        registered_at=_entered_at(row_id, row, records),
        registration_status=row["registration_status"] or "registered",
        registration_type=row["registration_type"],
        team_size=1,
        department=row["department"],
        year_of_study=row["year_of_study"],
        payment_status=_MARKS.get(row["payment_mark"]),
        amount_minor=row["amount_minor"],
        updated_at=None,
        is_walk_in=True,
    )


def _entered_at(row_id: str, row: Row, records: Records) -> datetime | None:
    """The date that is typed; where none is, when the row was first read; None for one that cannot be read."""
    if values.at_path(row["content"], "fields.registration_date") is not None:
        return row["registered_at"]
    versions = records.versions_of_sheet_rows()[row_id]
    return next(version.version_at for version in versions if version.payload is not None)


def _corrections(row_id: str, row: Row, matched: Registration, records: Records) -> list[Correction]:
    """What is typed; where no time of the attendance is, it was since when the row has been read so."""
    found = []
    if row["attendance_status"] == "attended" and not matched.is_app_attended:
        is_typed = values.at_path(row["content"], "fields.attendance_time") is not None
        run = last_run(records.versions_of_sheet_rows()[row_id], "fields.attendance_status", ("attended",))
        at = row["attended_at"] if is_typed else run[0].version_at
        found.append(Correction(row_id, "attendance", matched.registration_id, row["event_id"], at))
    is_open = matched.is_walk_in or matched.payment_status in (None, "pending")
    if row["payment_mark"] in PAID and is_open:
        about = (row_id, "payment", matched.registration_id, row["event_id"], row["version_at"])
        found.append(Correction(*about, amount_minor=row["amount_minor"]))
    return found

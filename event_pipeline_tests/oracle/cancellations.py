"""When registrations were cancelled, and from when on each counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from event_pipeline_tests.oracle import values
from event_pipeline_tests.oracle.documents import Document
from event_pipeline_tests.oracle.organisation import Organisation
from event_pipeline_tests.oracle.records import Records
from event_pipeline_tests.oracle.registrations import Registration


def cancelled_at(
    known: Mapping[str, Registration], records: Records, organisation: Organisation
) -> dict[str, datetime | None]:
    """By cancelled registration: the time its document says in the first version of the present cancellation.

    Not after that version was seen, not before the registration was made. Of a sheet's row: when it was registered.
    """
    history = records.versions_of_registrations()
    found = {}
    for key, registration in known.items():
        if not registration.is_cancelled:
            continue
        if registration.is_walk_in:
            found[key] = registration.registered_at
            continue
        first = _first_of_the_last_run(history[key])
        said = values.at_path(first.content, "updated_at")
        said_at = None if said is None else values.instant(said.strip(), organisation.time_zone)
        at = min(said_at or first.version_at, first.version_at)
        found[key] = max(at, registration.registered_at or at)
    return found


def _first_of_the_last_run(versions: list[Document]) -> Document:
    first = versions[-1]
    for version in reversed(versions):
        if not _is_cancelled(version):
            break
        first = version
    return first


def _is_cancelled(version: Document) -> bool:
    text = values.at_path(version.content, "status")
    return text is not None and values.word(text.strip()) == "cancelled"


def counted_from(
    known: Mapping[str, Registration], cancelled: Mapping[str, datetime | None]
) -> dict[str, datetime | None]:
    """When each registration began to count: made, and the registrant's earlier ones cancelled. None for never."""
    by_registrant: defaultdict[tuple[str, str], list[Registration]] = defaultdict(list)
    for registration in known.values():
        by_registrant[registration.source_event_id, registration.registrant].append(registration)
    found: dict[str, datetime | None] = {}
    for theirs in by_registrant.values():
        freed_at: datetime | None = None
        is_taken = False
        for registration in sorted(theirs, key=lambda registration: registration.order[1:]):
            key, made_at = registration.registration_id, registration.registered_at
            gone_at = cancelled.get(key)
            is_late = freed_at is not None and gone_at is not None and freed_at >= gone_at
            if made_at is None or is_taken or is_late:
                found[key] = None
            else:
                found[key] = made_at if freed_at is None else max(freed_at, made_at)
            if not registration.is_cancelled:
                is_taken = True
            elif gone_at is not None:
                freed_at = gone_at if freed_at is None else max(freed_at, gone_at)
    return found

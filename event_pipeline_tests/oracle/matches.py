"""Which registration each row of an event's sheet means."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from event_pipeline_tests.oracle import values
from event_pipeline_tests.oracle.fields import Row

if TYPE_CHECKING:
    from event_pipeline_tests.oracle.registrations import Registration


class Matches:
    """Which registration each row of a sheet means: by event and address, and by name where there are several."""

    def __init__(self, rows: Mapping[str, Row], known: Mapping[str, Registration]) -> None:
        self._rows: Counter[tuple[str, str]] = Counter()
        self._names: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._known: defaultdict[tuple[str, str], list[Registration]] = defaultdict(list)
        self._everyone = list(known.values())
        for registration in sorted(known.values(), key=lambda registration: registration.order):
            if registration.email is not None:
                self._known[registration.source_event_id, registration.email].append(registration)
        for row in rows.values():
            if row["email"] is not None:
                address = (row["event_id"], row["email"])
                self._rows[address] += 1
                self._names[address] |= {values.name_key(row["name"]) or ""}

    def of(self, row: Row) -> tuple[Registration | None, bool]:
        """The registration, and whether the row is of somebody else whom no registration of the address names."""
        address = (row["event_id"], row["email"])
        candidates = self._known.get(address, [])
        key = values.name_key(row["name"])
        if row["email"] is None:
            return self._by_name(row, key), False
        if not candidates:
            return None, False
        if len(candidates) == 1 and self._rows[address] == 1:
            return candidates[0], False
        named = {name for registration in candidates if (name := values.name_key(registration.name)) is not None}
        same = [registration for registration in candidates if key and values.name_key(registration.name) == key]
        is_stranger = not same and key is not None and bool(named) and named <= self._names[address]
        return (None if is_stranger else next(iter(same or candidates))), is_stranger

    def _by_name(self, row: Row, key: str | None) -> Registration | None:
        """Who has the name of a row without an address, and whom nothing in it says to be somebody else.

        A registration with an address is meant only by its phone number or student id.
        """
        meant = []
        for registration in self._everyone if key is not None else ():
            if registration.source_event_id != row["event_id"] or values.name_key(registration.name) != key:
                continue
            numbers = ((row["phone"], registration.phone), (row["student_id"], registration.student_id))
            is_exact = any(typed is not None and typed == known for typed, known in numbers)
            is_other = any(None not in pair and pair[0] != pair[1] for pair in numbers)
            if is_exact or (registration.email is None and not is_other):
                meant.append(((not is_exact, registration.email is not None, *registration.order), registration))
        return min(meant, key=lambda found: found[0])[1] if meant else None

"""Decides on scans: what the tables' own rules refuse, who has come already, and whom a code admits."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from event_pipeline.api.door.code import Code, read_code
from event_pipeline.api.door.lists import DoorLists, Expected
from event_pipeline.api.door.register import Arrival, Register
from event_pipeline.api.door.scan_times import ScanTime, scan_time
from event_pipeline.api.problems import Problem
from event_pipeline.errors import TransientError
from event_pipeline.inbound.journal import InboxJournal
from event_pipeline.inbound.records import instant

Answer = Literal[
    "admitted", "already_in", "unpaid", "not_this_event", "not_this_day", "cancelled", "taken_back", "unknown",
    "garbled", "invalid",
]  # fmt: skip
"""What a phone is told of a scan; ``invalid`` is the answer of the route to an item that is no scan."""
ANSWERS: tuple[Answer, ...] = get_args(Answer)


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody at the door admits a code of another event or another day; ``by`` is the key, ``reason`` as typed."""

    by: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """A code as it was read by a device; ``event_id`` is whose door it was, where the phone said.

    ``scanned_at`` is None where the phone said something else than a time, which is ``said_at`` then.
    """

    text: str
    scanned_at: datetime | None
    scanner_id: str
    scan_id: str | None = None
    event_id: str | None = None
    override: Override | None = None
    said_at: str | None = None

    @property
    def digest(self) -> bytes:
        """What makes it the same scan when it is sent again."""
        told = ("id", self.scan_id) if self.scan_id else ("at", self.time_text)
        parts = (self.scanner_id, *told, self.text, self.event_id, self.override is not None)
        return hashlib.sha256(repr(parts).encode(errors="surrogatepass")).digest()

    @property
    def time_text(self) -> str:
        """The time as the inbox has it; what is no time is written so that nobody takes it for one."""
        return f"unreadable: {self.said_at}" if self.scanned_at is None else instant(self.scanned_at)

    def record(self, received_at: datetime) -> dict[str, str | bool | None]:
        """The scan as the inbox has it."""
        record: dict[str, str | bool | None] = {
            "type": "scan",
            "qr_code_data": self.text,
            "scanned_at": self.time_text,
            "scanner_id": self.scanner_id,
            "event_id": self.event_id,
            "received_at": instant(received_at),
        }
        if self.override is not None:
            record |= {"override": True, "override_by": self.override.by, "override_reason": self.override.reason}
        return record


@dataclass(frozen=True, slots=True)
class Decision:
    """What a phone is told; ``since`` is when the person came, ``expected`` whom the code names, where it does.

    ``may_override``: the code is admitted when somebody at the door says so.
    """

    answer: Answer
    since: datetime | None = None
    expected: Expected | None = None
    may_override: bool = False


class Door:
    """Answers scans. They are kept in the inbox first, whatever the answer."""

    def __init__(self, lists: DoorLists, register: Register, inbox: InboxJournal, zone: ZoneInfo) -> None:
        self._lists, self._register, self._inbox, self._zone = lists, register, inbox, zone

    def decide(self, scans: Sequence[Scan], now: datetime) -> list[Decision]:
        """A decision a scan, in their order. Raises Problem: inbox-not-writable, or what reading the warehouse may;
        after that they may be sent again."""
        codes = [read_code(scan.text) for scan in scans]
        known = self._register.answered([scan.digest for scan in scans])
        try:
            # Looked up before the scans are kept: once they are, the tables may know of these very arrivals.
            expected, failure = self._lists.expected(_wanted(codes)), None
        except Problem as problem:
            expected, failure = {}, problem
        try:
            self._inbox.append(scan.record(now) for scan in scans if scan.digest not in known)
        except TransientError as error:
            raise Problem("inbox-not-writable", str(error), {"Retry-After": "5"}) from None
        if failure is not None:
            raise failure
        with self._register.decisions(now):
            return [self._decide(scan, code, expected, now) for scan, code in zip(scans, codes, strict=True)]

    def names(self, decisions: Sequence[Decision]) -> dict[str, str]:
        """Names by registration, for those who may see them. Raises Problem."""
        found = {decision.expected.registration_id for decision in decisions if decision.expected}
        return self._lists.names(found) if found else {}

    def _decide(self, scan: Scan, code: Code | None, expected: dict[str, Expected], now: datetime) -> Decision:
        person = expected.get(code.registration_id) if code and code.is_whole else None
        before = self._register.answered([scan.digest]).get(scan.digest)
        if before is not None:
            answer, since = before
            return _told(_ANSWER_OF[answer], since, code, person)
        if code is None or not code.is_whole:
            decision = Decision("garbled")
        elif person is None:
            # Not kept: sent again, the same scan may be of a registration that has come meanwhile.
            return Decision("unknown")
        else:
            time = scan_time(scan.scanned_at, now, person.days, self._zone)
            refusal = _refusal(scan, code, person, time)
            decision = _told(refusal, None, code, person) if refusal else self._arrive(time.at, person, now)
        self._register.keep_answer(scan.digest, decision.answer, decision.since, now)
        return decision

    def _arrive(self, at: datetime, person: Expected, now: datetime) -> Decision:
        """For a code that holds and was scanned at that time: whether it admits now, or did before."""
        known = self._register.arrival(person.event_id, person.person)
        if known and person.undone_at and known.since <= person.undone_at:
            known = None
        # The tables may have this very scan, when its first answer was lost on the way.
        is_in = known is not None or (person.is_in and person.arrived_at != at)
        times = [time for time in (known.since if known else None, person.arrived_at, at) if time]
        since = min(times)
        waits = known is not None and known.is_unpaid
        if is_in and not waits:
            if known and since != known.since:
                self._register.keep_arrival(person.event_id, person.person, Arrival(since, is_unpaid=False), now)
            is_timeless = known is None and person.arrived_at is None
            return Decision("already_in", None if is_timeless else since, person)
        arrival = Arrival(since, person.is_unpaid)
        self._register.keep_arrival(person.event_id, person.person, arrival, now)
        return Decision("unpaid" if person.is_unpaid else "admitted", since, person)


_MAY_OVERRIDE: frozenset[Answer] = frozenset({"not_this_event", "not_this_day"})
_ANSWER_OF: dict[str, Answer] = {answer: answer for answer in ANSWERS}


def _told(answer: Answer, since: datetime | None, code: Code | None, person: Expected | None) -> Decision:
    is_own_event = code is not None and person is not None and code.event_id == person.event_id
    return Decision(answer, since, person, is_own_event and answer in _MAY_OVERRIDE)


def _wanted(codes: Sequence[Code | None]) -> dict[str, str | None]:
    return {code.registration_id: code.event_id for code in codes if code and code.is_whole}


def _refusal(scan: Scan, code: Code, person: Expected, time: ScanTime) -> Answer | None:
    """The first reason against a scan of a person's code, in the order of core.fact_attendance; None when it holds."""
    if code.event_id != person.event_id:
        return "not_this_event"
    if (scan.event_id or person.event_id) != person.event_id and scan.override is None:
        return "not_this_event"
    if person.is_cancelled:
        return "cancelled"
    if person.undone_at is not None and time.at <= person.undone_at:
        return "taken_back"
    if time.is_other_day and scan.override is None:
        return "not_this_day"
    return None

"""The demo organisation as files: one database export and the inbox records that go with it.

The first pass draws every registration to count what sold-out events hold; the second draws the same again and writes.
Memory stays that of one chunk whatever the number of registrations.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from event_pipeline.demo import organisation
from event_pipeline.demo.columns import Text, random_stream
from event_pipeline.demo.events import event_documents
from event_pipeline.demo.mail import write_club_mail_events, write_mail_events
from event_pipeline.demo.organisation import Identifiers
from event_pipeline.demo.outcomes import Outcomes, chunk_bounds, draw_outcomes
from event_pipeline.demo.payments import write_payment_events
from event_pipeline.demo.plan import Plan, make_plan
from event_pipeline.demo.registrations import write_registrations
from event_pipeline.demo.scans import write_scans
from event_pipeline.demo.writer import AtomicFiles, LineWriter, TreeWriter

SMALLEST, LARGEST = 100, 10_000_000
"""Registrations that a demo may have."""

DEFAULT_AS_OF = datetime(2026, 6, 30, tzinfo=UTC)
"""The instant after which nothing has happened yet, unless the caller names another."""


_AHEAD = 2
"""Chunks in the making while one is written."""


@dataclass(frozen=True)
class DemoSummary:
    """What was written, counted. Each kind of dirt is at least one."""

    files: tuple[Path, ...]
    as_of: datetime
    clubs: int
    categories: int
    tags: int
    event_tags: int
    club_requests: int
    live_updates: int
    """Events with live updates; likewise ``chats``."""
    chats: int
    events: int
    """Event documents, the garbled one included, the deleted ones not."""
    past_events: int
    """Of the plan, deleted ones included; likewise ``upcoming_events``."""
    upcoming_events: int
    cancelled_events: int
    deleted_events: int
    garbled_events: int
    registrations: int
    """Documents in ``registrations``, of every kind below."""
    duplicate_registrations: int
    dangling_registrations: int
    """Of events that were deleted."""
    garbled_registrations: int
    """Not an object at all."""
    hostile_registrations: int
    wrong_type_registrations: int
    cancelled_registrations: int
    attended_registrations: int
    """People who came, whether their document or only a scan says so."""
    scans: int
    first_scans: int
    """Good scans, one for each person who came and was scanned."""
    repeated_scans: int
    scans_of_cancelled: int
    garbled_scans: int
    wrong_hash_scans: int
    unknown_scans: int
    other_event_scans: int
    email_events: int
    repeated_email_events: int
    payment_events: int
    repeated_payment_events: int

    @property
    def garbled_documents(self) -> int:
        """Documents that are no objects, over all collections."""
        return self.garbled_events + self.garbled_registrations


def generate_demo(
    target: Path,
    registrations: int,
    seed: int,
    as_of: date | datetime = DEFAULT_AS_OF,
    *,
    export_name: str = "demo.json",
    progress: Callable[[int, int], None] | None = None,
) -> DemoSummary:
    """Write ``target/exports/<export_name>`` and ``target/inbox/*.ndjson``; the same arguments give the same bytes.

    ``registrations`` (100 to 10 million) is how many registration documents there are. A date means its midnight in
    UTC, as does a datetime without a zone. Files appear only when all are complete; others there are left alone.
    ``progress`` is told how many registrations are written, and of how many. Raises ValueError on numbers out of range.
    """
    if not SMALLEST <= registrations <= LARGEST:
        raise ValueError(f"a demo has {SMALLEST} to {LARGEST} registrations; {registrations} were asked for")
    if seed < 0:
        raise ValueError(f"the seed of a demo is 0 or more; {seed} was given")
    instant = _instant(as_of)
    plan = make_plan(registrations, seed, instant, random_stream(seed, 1))
    with AtomicFiles(target) as files:
        counts = _write(plan, files, export_name, progress or (lambda done, total: None))
    return DemoSummary(files=files.paths, as_of=instant, **counts)


def _instant(as_of: date | datetime) -> datetime:
    moment = as_of if isinstance(as_of, datetime) else datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _write(plan: Plan, files: AtomicFiles, export_name: str, progress: Callable[[int, int], None]) -> dict[str, int]:
    counts: Counter[str] = Counter(
        past_events=int((~plan.is_upcoming).sum()), upcoming_events=int(plan.is_upcoming.sum()),
        cancelled_events=int(plan.cancelled.sum()), deleted_events=int(plan.deleted.sum()),
        registrations=plan.registrations, clubs=0, garbled_events=1,
    )  # fmt: skip
    ids = Identifiers.of(plan)
    tree = TreeWriter(files.create(f"exports/{export_name}"))
    for name, collection, documents in (
        ("categories", "categories", organisation.category_documents(plan, ids)),
        ("club_requests", "club_requests", organisation.club_request_documents(plan)),
        ("clubs", "clubs", organisation.club_documents(plan, ids)),
        ("chats", "event_chat", organisation.chat_documents(plan, ids)),
        ("live_updates", "event_live_updates", organisation.live_update_documents(plan, ids)),
        ("event_tags", "event_tags", organisation.event_tag_documents(plan, ids)),
        ("events", "events", event_documents(plan, ids, _active_registrations(plan))),
    ):
        tree.begin(collection)
        counts[name] = tree.add_documents(documents)
    tree.begin("registrations")
    counts.update(_write_registrations(plan, ids, tree, files, progress))
    tree.begin("tags")
    counts["tags"] = tree.add_documents(organisation.tag_documents(ids))
    tree.end()
    return dict(counts)


def _active_registrations(plan: Plan) -> np.ndarray:
    """How many registrations of each event are not cancelled, duplicates included: what its capacity must hold."""
    active = np.zeros(plan.events, np.int64)
    for chunk, bounds in enumerate(chunk_bounds(plan.registrations)):
        drawn = draw_outcomes(plan, chunk, bounds)
        active += np.bincount(drawn.event[~drawn.cancelled & drawn.is_document], minlength=plan.events)
    return active


@dataclass(frozen=True)
class _Chunk:
    documents: Text
    scans: Text
    mails: Text
    payments: Text
    counts: dict[str, int]


def _make_chunk(plan: Plan, ids: Identifiers, chunk: int, bounds: tuple[int, int]) -> _Chunk:
    drawn = draw_outcomes(plan, chunk, bounds)
    documents, written = write_registrations(plan, ids, chunk, drawn)
    scans, kinds = write_scans(plan, ids, chunk, drawn, written)
    mails, repeated_mails = write_mail_events(plan, chunk, drawn, written)
    payments, repeated_payments = write_payment_events(plan, chunk, drawn, written)
    repeated = {"repeated_email_events": repeated_mails, "repeated_payment_events": repeated_payments}
    return _Chunk(documents, scans, mails, payments, _count(plan, drawn) | vars(kinds) | repeated)


def _chunks_in_order(plan: Plan, ids: Identifiers) -> Iterator[tuple[int, _Chunk]]:
    """The last row and the content of each chunk; the next ones are made while one is written (Arrow frees the GIL)."""
    with ThreadPoolExecutor(_AHEAD) as pool:
        waiting: deque[tuple[int, Future[_Chunk]]] = deque()
        for chunk, bounds in enumerate(chunk_bounds(plan.registrations)):
            waiting.append((bounds[1], pool.submit(_make_chunk, plan, ids, chunk, bounds)))
            if len(waiting) > _AHEAD:
                done, made = waiting.popleft()
                yield done, made.result()
        for done, made in waiting:
            yield done, made.result()


def _write_registrations(
    plan: Plan, ids: Identifiers, tree: TreeWriter, files: AtomicFiles, progress: Callable[[int, int], None]
) -> Counter[str]:
    scans, mails, payments = (LineWriter(files, stem) for stem in ("scans", "email-events", "payment-events"))
    counts: Counter[str] = Counter()
    mails.write(write_club_mail_events(plan))
    for done, made in _chunks_in_order(plan, ids):
        tree.add_columns(made.documents)
        scans.write(made.scans)
        mails.write(made.mails)
        payments.write(made.payments)
        counts.update(made.counts)
        progress(done, plan.registrations)
    counts.update(scans=scans.written, email_events=mails.written, payment_events=payments.written)
    return counts


def _count(plan: Plan, drawn: Outcomes) -> dict[str, int]:
    kinds = {
        "duplicate": drawn.duplicate, "dangling": plan.deleted[drawn.event], "garbled": drawn.garbled,
        "hostile": drawn.hostile, "wrong_type": drawn.wrong_type, "cancelled": drawn.cancelled & drawn.is_document,
        "attended": drawn.came,
    }  # fmt: skip
    return {f"{kind}_registrations": int(rows.sum()) for kind, rows in kinds.items()}

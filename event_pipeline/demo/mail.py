"""Events of the mail service: a code for every registration, a confirmation for everyone who came, a word to new clubs.

The service remembers half a year, so only mails of the last 180 days before the as-of instant have events. Rates follow
what transactional mail usually sees: nearly all delivered, most opened, a third of the openers click.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from event_pipeline.demo.columns import Text, choose, iso, join, lookup, numbers, pc, random_hex, random_stream
from event_pipeline.demo.distributions import DAY_MS, HOUR_MS, MINUTE_MS
from event_pipeline.demo.outcomes import Outcomes
from event_pipeline.demo.plan import Plan
from event_pipeline.demo.registrations import Written

LOG_DAYS = 180
"""How far back the mail log reaches."""


@dataclass(frozen=True)
class Funnel:
    """Chances of one kind of mail: dropped of sent; deferred, bounced of the rest; opened of delivered; and so on."""

    mail_type: str
    dropped: float
    deferred: float
    bounced: float
    opened: float
    clicked: float
    """Of those who opened."""
    spam_report: float
    """Of delivered mails, as is ``unsubscribed``."""
    unsubscribed: float


QR_MAIL = Funnel("qr_code", 0.004, 0.015, 0.012, 0.68, 0.34, 0.0008, 0.0012)
CONFIRMATION_MAIL = Funnel("attendance_confirmation", 0.003, 0.010, 0.006, 0.41, 0.08, 0.0006, 0.0020)
CLUB_MAIL = Funnel("club_approval", 0.0, 0.010, 0.005, 0.85, 0.60, 0.0, 0.0)

MISTYPED_BOUNCE = 0.95
"""A mistyped address bounces nearly always."""
OPENED_TWICE_SHARE = 0.15
"""Share of openers who open a mail once more."""
REPEATED_SHARE = 0.008
"""Share of webhook calls that the provider makes twice, with the same event id."""
UNLINKED_SHARE = 0.02
"""Share of mails sent without the app's ids, so that only the address tells whose they are."""

_MAIL_STREAM = 14
_READING_MEDIAN_MS = 2 * HOUR_MS


@dataclass(frozen=True)
class _Mails:
    funnel: Funnel
    sent_ms: np.ndarray
    message: Text
    address: Text
    mistyped: np.ndarray
    link: Text
    """The registration's and event's ids as JSON, or nulls."""


def write_mail_events(plan: Plan, chunk: int, drawn: Outcomes, written: Written) -> tuple[Text, int]:
    """The chunk's mail events as NDJSON lines, each step of a mail after the one before; and how many are repeats."""
    rng = random_stream(plan.seed, _MAIL_STREAM, chunk)
    sendable = written.has_email & drawn.is_document
    parts = _events(plan, _mails(plan, QR_MAIL, written, sendable, drawn.registered_ms + 5_000, rng), rng)
    confirmed = sendable & written.marked
    parts += _events(plan, _mails(plan, CONFIRMATION_MAIL, written, confirmed, drawn.arrived_ms + 8_000, rng), rng)
    lines = pa.concat_arrays([lines for lines, _ in parts])
    moments = np.concatenate([moments for _, moments in parts])
    twice = np.flatnonzero(rng.random(len(lines)) < REPEATED_SHARE)
    if not len(twice) and len(lines):
        twice = np.zeros(1, np.int64)
    index = np.concatenate([np.arange(len(lines)), twice])
    order = np.argsort(moments[index], kind="stable")
    return lines.take(pa.array(index[order])), len(twice)


def _mails(
    plan: Plan, funnel: Funnel, written: Written, rows: np.ndarray, sent_ms: np.ndarray, rng: np.random.Generator
) -> _Mails:
    rows = rows & (sent_ms > plan.as_of_ms - LOG_DAYS * DAY_MS) & (sent_ms <= plan.as_of_ms)
    keep = pa.array(rows)
    count = int(rows.sum())
    ids = join('"registration_id":"', written.ids.filter(keep), '","event_id":"', written.event_ids.filter(keep), '"')
    return _Mails(
        funnel, sent_ms[rows], random_hex(count, 22, rng),
        pc.utf8_lower(pc.utf8_trim_whitespace(written.typed_email.filter(keep))), written.mistyped[rows],
        choose(rng.random(count) < UNLINKED_SHARE, '"registration_id":null,"event_id":null', ids),
    )  # fmt: skip


def _events(plan: Plan, mails: _Mails, rng: np.random.Generator) -> list[tuple[Text, np.ndarray]]:
    """Every step of every mail that lies before the as-of instant, with its moments."""
    funnel, rows = mails.funnel, len(mails.sent_ms)

    def happens(chance: float | np.ndarray) -> np.ndarray:
        return rng.random(rows) < chance

    dropped = happens(funnel.dropped)
    deferred = ~dropped & happens(funnel.deferred)
    bounced = ~dropped & happens(np.where(mails.mistyped, MISTYPED_BOUNCE, funnel.bounced))
    delivered = ~dropped & ~bounced
    opened = delivered & happens(funnel.opened)
    clicked = opened & happens(funnel.clicked)
    decided = mails.sent_ms + rng.integers(300, 20_000, rows) + deferred * rng.integers(10, 90, rows) * MINUTE_MS
    read = decided + (rng.lognormal(0, 1.4, rows).clip(0.005, 300) * _READING_MEDIAN_MS).astype(np.int64)
    acted = read + rng.integers(2_000, 120_000, rows)
    steps = (
        ("sent", ~dropped, mails.sent_ms),
        ("dropped", dropped, mails.sent_ms + 200),
        ("deferred", deferred, mails.sent_ms + 4_000),
        ("bounce", bounced, decided),
        ("delivered", delivered, decided),
        ("open", opened, read),
        ("click", clicked, acted),
        ("open", opened & happens(OPENED_TWICE_SHARE), acted + rng.integers(1, 48, rows) * HOUR_MS),
        ("spam_report", delivered & happens(funnel.spam_report), acted),
        ("unsubscribe", delivered & happens(funnel.unsubscribed), acted + 1_000),
    )
    return [_lines(mails, name, marked & (when <= plan.as_of_ms), when, rng) for name, marked, when in steps]


def _lines(
    mails: _Mails, name: str, rows: np.ndarray, when: np.ndarray, rng: np.random.Generator
) -> tuple[Text, np.ndarray]:
    keep = pa.array(rows)
    count = int(rows.sum())
    lines = join(
        '{"type":"email_event","provider":"sendgrid","provider_event_id":"', random_hex(count, 24, rng),
        '","message_id":"', mails.message.filter(keep), f'","event":"{name}","email":"', mails.address.filter(keep),
        '","occurred_at":"', iso(when[rows]), '",', mails.link.filter(keep),
        f',"mail_type":"{mails.funnel.mail_type}"}}\n',
    )  # fmt: skip
    return lines, when[rows]


def write_club_mail_events(plan: Plan) -> Text:
    """The approval mail of each club opened within the log's reach: every eighth, and one at least."""
    rng = random_stream(plan.seed, _MAIL_STREAM, 1, 0)
    numbers_of = np.arange(0, plan.clubs, 8)
    rows = len(numbers_of)
    mails = _Mails(
        CLUB_MAIL, plan.as_of_ms - rng.integers(2, LOG_DAYS, rows) * DAY_MS, random_hex(rows, 22, rng),
        join("hello.", numbers(numbers_of), "@example.org"), np.zeros(rows, bool),
        lookup(('"registration_id":null,"event_id":null',), np.zeros(rows, np.int64)),
    )  # fmt: skip
    return pa.concat_arrays([lines for lines, _ in _events(plan, mails, rng)])

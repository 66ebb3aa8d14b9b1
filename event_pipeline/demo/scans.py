"""Records of the scanners at the door: late, out of order, repeated, garbled, forged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from event_pipeline.demo.columns import Text, iso, join, lookup, numbers, pc, push_ids, random_stream
from event_pipeline.demo.distributions import HOUR_MS, MINUTE_MS, some
from event_pipeline.demo.organisation import Identifiers
from event_pipeline.demo.outcomes import Outcomes
from event_pipeline.demo.plan import Plan
from event_pipeline.demo.registrations import Written, qr_text

LATE_SHARE = 0.06
"""Share of scans from phones that were offline: they arrive up to a day and a half after they were made."""
REPEATED_BY_OTHER_GATE_SHARE = 0.03
"""Share of scanned people scanned again at another gate, minutes later."""
SENT_TWICE_SHARE = 0.02
"""Share of scans that a phone sends twice, with the same time."""
CANCELLED_SCANNED_SHARE = 0.01
"""Share of cancelled registrations whose holder came all the same and was scanned."""
GARBLED_SHARE = 0.005
"""Scans of something else, or of half a code, beside the good ones."""
WRONG_HASH_SHARE = 0.003
"""Scans whose text was changed on the way, so that its checksum no longer fits."""
UNKNOWN_SHARE = 0.002
"""Scans with a true checksum of a registration that does not exist."""
OTHER_EVENT_SHARE = 0.004
"""Scans with a true checksum naming another event than the registration's own."""

GARBLED_TEXTS = (
    "https://example.org/menu.pdf",
    '{\\"type\\":\\"NITS_EVENT_ATTENDANCE\\",\\"registrationId\\":\\"-N',
    "WIFI:S:demo;T:WPA;P:demo;;",
    "",
    "8901234567890",
    '{\\"type\\":\\"NITS_EVENT_ATTENDANCE\\"}',
    "\\u0000\\ufffd\\ufffd",
)
"""What else people hold in front of a scanner, as the inside of a JSON string."""

_SCANS_STREAM = 13
_GATES = 4


@dataclass(frozen=True)
class ScanCounts:
    """How many scan records of each kind a chunk holds; ``first_scans`` are the first scans of people who came."""

    first_scans: int
    repeated_scans: int
    scans_of_cancelled: int
    garbled_scans: int
    wrong_hash_scans: int
    unknown_scans: int
    other_event_scans: int


@dataclass(frozen=True)
class _Scans:
    qr: Text
    scanned_ms: np.ndarray
    gate: np.ndarray

    def __len__(self) -> int:
        return len(self.qr)


def write_scans(plan: Plan, ids: Identifiers, chunk: int, drawn: Outcomes, written: Written) -> tuple[Text, ScanCounts]:
    """The chunk's scan records as NDJSON lines, in the order in which they were received."""
    rng = random_stream(plan.seed, _SCANS_STREAM, chunk)
    good = _at(drawn, written.scanned, written.qr.filter(pa.array(written.scanned)), rng)
    again = _again(plan, good, rng)
    bad = _bad(plan, ids, drawn, written, rng)
    scans = [good, *again, *bad]
    qr = pa.concat_arrays([part.qr for part in scans])
    scanned = np.concatenate([part.scanned_ms for part in scans])
    gate = np.concatenate([part.gate for part in scans])
    offline = rng.random(len(qr)) < LATE_SHARE
    delay = np.where(offline, rng.integers(5 * MINUTE_MS, 36 * HOUR_MS, len(qr)), rng.integers(200, 4_000, len(qr)))
    received = np.minimum(scanned + delay, plan.as_of_ms)
    order = np.lexsort((scanned, received))
    lines = join(
        '{"type":"scan","qr_code_data":"', qr, '","scanned_at":"', iso(scanned), '","scanner_id":"gate-',
        numbers(gate), '","received_at":"', iso(received), '"}\n',
    ).take(pa.array(order))  # fmt: skip
    cancelled, garbled, wrong_hash, unknown, other = (len(part) for part in bad)
    return lines, ScanCounts(len(good), sum(map(len, again)), cancelled, garbled, wrong_hash, unknown, other)


def _at(drawn: Outcomes, rows: np.ndarray, qr: Text, rng: np.random.Generator) -> _Scans:
    """Scans of these texts when the people of ``rows`` arrive; those who cancelled never came but would have then."""
    return _Scans(qr, drawn.arrived_ms[rows], rng.integers(1, _GATES + 1, len(qr)))


def _again(plan: Plan, good: _Scans, rng: np.random.Generator) -> list[_Scans]:
    everyone = np.ones(len(good), bool)
    elsewhere = some(rng, everyone, REPEATED_BY_OTHER_GATE_SHARE)
    later = good.scanned_ms[elsewhere] + rng.integers(MINUTE_MS, 20 * MINUTE_MS, int(elsewhere.sum()))
    twice = some(rng, everyone, SENT_TWICE_SHARE)
    return [
        _Scans(
            good.qr.filter(pa.array(elsewhere)), np.minimum(later, plan.as_of_ms), good.gate[elsewhere] % _GATES + 1
        ),
        _Scans(good.qr.filter(pa.array(twice)), good.scanned_ms[twice], good.gate[twice]),
    ]


def _bad(plan: Plan, ids: Identifiers, drawn: Outcomes, written: Written, rng: np.random.Generator) -> list[_Scans]:
    """Scans of the cancelled, garbled texts, wrong hashes, unknown registrations and other events, in that order.

    All but the first come beside a good scan of the same person, who is still at the door.
    """
    past = plan.start_ms[drawn.event] + HOUR_MS < plan.as_of_ms
    at_door = past & ~plan.cancelled[drawn.event] & written.has_qr
    of_cancelled = some(rng, at_door & drawn.cancelled, CANCELLED_SCANNED_SHARE)
    shares = (GARBLED_SHARE, WRONG_HASH_SHARE, UNKNOWN_SHARE, OTHER_EVENT_SHARE)
    garbled, wrong_hash, unknown, other = (some(rng, written.scanned, share) for share in shares)
    texts = lookup(GARBLED_TEXTS, rng.integers(0, len(GARBLED_TEXTS), int(garbled.sum())))
    # The event id loses its first character's meaning; nothing else of the text changes.
    changed = pc.replace_substring(written.qr.filter(pa.array(wrong_hash)), r"eventId\":\"-", r"eventId\":\"_")
    made_up = push_ids(drawn.registered_ms[unknown], rng)
    next_event = ids.event_ids.take(pa.array((drawn.event[other] + 1) % plan.events))
    return [
        _at(drawn, of_cancelled, written.qr.filter(pa.array(of_cancelled)), rng),
        _at(drawn, garbled, texts, rng),
        _at(drawn, wrong_hash, changed, rng),
        _at(
            drawn, unknown, _signed(drawn, written, unknown, made_up, written.event_ids.filter(pa.array(unknown))), rng
        ),
        _at(drawn, other, _signed(drawn, written, other, written.ids.filter(pa.array(other)), next_event), rng),
    ]


def _signed(drawn: Outcomes, written: Written, rows: np.ndarray, registrations: Text, events: Text) -> Text:
    """Codes of other registrations or events, with the checksum that the app would compute."""
    return qr_text(registrations, events, written.typed_email.filter(pa.array(rows)), drawn.registered_ms[rows])

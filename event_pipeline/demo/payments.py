"""Events of the payment gateway, for the paid events that use one."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from event_pipeline.demo.columns import Text, iso, join, numbers, random_hex, random_stream
from event_pipeline.demo.distributions import DAY_MS, MINUTE_MS, some
from event_pipeline.demo.forms import PAYMENT_STATUS
from event_pipeline.demo.outcomes import Outcomes
from event_pipeline.demo.plan import Plan
from event_pipeline.demo.registrations import Written

FAILED_FIRST_SHARE = 0.08
"""Share of successful payments that failed once before."""
REFUNDED_SHARE = 0.6
"""Share of cancelled registrations whose payment was returned, within three days."""
REPEATED_SHARE = 0.005
"""Share of webhook calls that the gateway makes twice, with the same event id."""

_PAYMENTS_STREAM = 15


def write_payment_events(plan: Plan, chunk: int, drawn: Outcomes, written: Written) -> tuple[Text, int]:
    """The chunk's payment events as NDJSON lines in order of their time, and how many of them are repeats.

    A verified registration succeeded, a rejected one failed; one that is pending or null has not been paid.
    """
    rng = random_stream(plan.seed, _PAYMENTS_STREAM, chunk)
    rows = len(drawn)
    online = plan.gateway[drawn.event] & drawn.is_document & ~drawn.duplicate
    succeeded = online & (written.payment == PAYMENT_STATUS.index("verified"))
    rejected = online & (written.payment == PAYMENT_STATUS.index("rejected"))
    paid_ms = drawn.registered_ms + rng.integers(20_000, 8 * MINUTE_MS, rows)
    refunded_ms = np.maximum(paid_ms, drawn.cancelled_ms) + rng.integers(MINUTE_MS, 3 * DAY_MS, rows)
    payment = random_hex(rows, 20, rng)
    parts = []
    for status, marked, when in (
        ("failed", some(rng, succeeded, FAILED_FIRST_SHARE), paid_ms - 15_000),
        ("failed", rejected, paid_ms),
        ("succeeded", succeeded, paid_ms),
        ("refunded", succeeded & drawn.cancelled & (rng.random(rows) < REFUNDED_SHARE), refunded_ms),
    ):
        happened = marked & (when <= plan.as_of_ms)
        parts.append((_lines(plan, drawn, written, status, payment, when, happened, rng), when[happened]))
    lines = pa.concat_arrays([part for part, _ in parts])
    moments = np.concatenate([part for _, part in parts])
    twice = np.flatnonzero(some(rng, np.ones(len(lines), bool), REPEATED_SHARE))
    index = np.concatenate([np.arange(len(lines)), twice])
    order = np.argsort(moments[index], kind="stable")
    return lines.take(pa.array(index[order])), len(twice)


def _lines(
    plan: Plan,
    drawn: Outcomes,
    written: Written,
    status: str,
    payment: Text,
    when: np.ndarray,
    rows: np.ndarray,
    rng: np.random.Generator,
) -> Text:
    keep = pa.array(rows)
    event = random_hex(int(rows.sum()), 20, rng)
    return join(
        '{"type":"payment_event","provider":"stripe","provider_event_id":"evt_demo', event,
        '","payment_id":"pi_demo', payment.filter(keep), '","registration_id":"', written.ids.filter(keep),
        '","event_id":"', written.event_ids.filter(keep), f'","status":"{status}","amount_minor":',
        numbers(plan.fee[drawn.event[rows]] * 100), ',"currency":"INR","occurred_at":"', iso(when[rows]), '"}\n',
    )  # fmt: skip

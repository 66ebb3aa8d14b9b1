"""Documents of an export tree, and values as an SDK hands them over."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

from event_pipeline_tests.hostile.case import MARKER, MEGABYTE, NOT_AN_OBJECT, Case, Outcome, line, marked, raw
from event_pipeline_tests.hostile.values import nested
from event_pipeline_tests.warehouse.documents import (
    registration,
)

SHAPES = [
    Case("ten thousand keys", "tree", raw("".join(f', "k{n}": {n}' for n in range(10_000))), "kept"),
    Case(
        "ten thousand answers",
        "tree",
        marked(registration(additional_info={"custom_fields": {f"f{n}": "x" for n in range(10_000)}})),
        "kept",
    ),
    Case("a key of a megabyte", "tree", raw(f', "{MEGABYTE}": 1'), "kept"),
    Case("an unknown field of a megabyte", "tree", raw(f', "essay": "{MEGABYTE}"'), "kept"),
    Case(
        "a name of a megabyte",
        "tree",
        marked(registration(participant_name=MEGABYTE)),
        "rejected",
        "participant_name.too_long",
    ),
    Case(
        "a phone of a megabyte",
        "tree",
        marked(registration(participant_phone=MEGABYTE)),
        "kept",
        "participant_phone.garbled",
    ),
    Case(
        "digits of a megabyte",
        "tree",
        marked(registration(participant_phone="9" * 1_000_000)),
        "kept",
        "participant_phone.garbled",
    ),
    Case(
        "an amount of a megabyte",
        "tree",
        marked(registration(payment_amount="1" * 1_000_000)),
        "rejected",
        "amount_minor.garbled",
    ),
    Case(
        "a date of a megabyte",
        "tree",
        marked(registration(registration_date="2" * 1_000_000)),
        "kept",
        "registered_at.garbled",
    ),
    Case(
        "an address of a megabyte",
        "tree",
        marked(registration(participant_email="a@" + MEGABYTE)),
        "rejected",
        "participant_email.garbled",
    ),
    Case(
        "a code of a megabyte",
        "tree",
        marked(registration(qr_code_data=json.dumps({"a": MEGABYTE}))),
        "kept",
        "qr_code_data.too_long",
    ),
    Case(
        "a hundred thousand members",
        "tree",
        marked(registration(additional_info={"team_members": [{}] * 100_000})),
        "rejected",
        "team_size.range",
    ),
    Case(
        "members as a map",
        "tree",
        marked(registration(additional_info={"team_members": {"0": {"name": "a"}}})),
        "kept",
    ),
    Case("members as texts", "tree", marked(registration(additional_info={"team_members": ["a", "b"]})), "kept"),
    Case(
        "members that are nothing",
        "tree",
        marked(registration(additional_info={"team_members": [None, None]})),
        "kept",
    ),
    Case(
        "members as text",
        "tree",
        marked(registration(additional_info={"team_members": "a and b"})),
        "kept",
        "team_members.garbled",
    ),
    Case("more information as text", "tree", marked(registration(additional_info="CSE, third year")), "kept"),
    Case("more information as a list", "tree", marked(registration(additional_info=[1, 2])), "kept"),
    Case("a field of two hundred levels", "tree", raw(f', "deep": {nested(199)}'), "kept"),
    Case("a field of ten thousand levels", "tree", raw(f', "deep": {nested(10_000)}'), "rejected", NOT_AN_OBJECT),
    Case("maps of ten thousand levels", "tree", raw(f', "deep": {nested(10_000, "{")}'), "rejected", NOT_AN_OBJECT),
    Case("a hundred thousand brackets in a text", "tree", raw(f', "text": "{"[" * 100_000}"'), "kept"),
    Case("a field twice", "tree", raw(', "status": "cancelled"'), "kept"),
    Case("a field a thousand times", "tree", raw(', "status": "cancelled"' * 1_000), "kept"),
    Case(
        "keys of JavaScript",
        "tree",
        raw(', "__proto__": {"status": "attended"}, "constructor": null, "toString": 1'),
        "kept",
    ),
    Case(
        "a path as a key",
        "tree",
        raw(', "additional_info.department": "CSE", "$.status": "attended", "$": 1, "*": 2'),
        "kept",
    ),
    Case("keys with quotes", "tree", raw(r', "\"": 1, "\\": 2, "\"}, {\"": 3'), "kept"),
    Case("a key of NUL", "tree", raw(r', "\u0000": 1, "a\u0000b": 2'), "kept"),
    Case("an empty map", "line", line({}), "rejected", "event_id.required"),
]

BROKEN_JSON = [
    Case("a number beyond all numbers", "tree", raw(', "a": 1e999'), "kept"),
    Case("a trailing comma", "tree", raw(","), "kept"),
    Case("bare Infinity", "tree", raw(', "a": [-Infinity]'), "kept"),
    Case("bare NaN", "tree", raw(', "a": NaN'), "kept"),
    Case("a missing colon", "tree", raw(', "a" 1'), "rejected", NOT_AN_OBJECT),
    Case("single quotes", "tree", raw(", 'a': 1"), "rejected", NOT_AN_OBJECT),
    Case("a comment", "tree", raw(" /* hello */"), "rejected", NOT_AN_OBJECT),
    Case("an unquoted key", "tree", raw(", a: 1"), "rejected", NOT_AN_OBJECT),
    Case("a bad escape", "tree", raw(r', "a": "\x41"'), "rejected", NOT_AN_OBJECT),
    Case("a lone surrogate", "tree", raw(r', "a": "\ud800"'), "rejected", NOT_AN_OBJECT),
    Case("a raw control character", "tree", raw(', "a": "\x01"'), "rejected", NOT_AN_OBJECT),
]
"""Balanced brackets, but no JSON between them: each is a document by itself, and its neighbours are whole.

The database reads the first four all the same, so such a document is worth what the rest of it says.
"""


class Strange:
    """What an SDK might hand over one day."""

    def __str__(self) -> str:
        return "strange \ud800\x00"


def _deep(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


NATIVES: list[tuple[str, Any, Outcome, str | None]] = [
    ("native NaN", {"payment_amount": float("nan")}, "rejected", "amount_minor.garbled"),
    ("native infinity", {"payment_amount": float("-inf")}, "rejected", "amount_minor.garbled"),
    ("native infinite time", {"registration_date": float("inf")}, "kept", "registered_at.garbled"),
    ("native lone surrogate", {"participant_name": "a\ud800b"}, "kept", None),
    ("native NUL", {"participant_name": "a\x00b", "a\x00": 1}, "kept", None),
    ("native number beyond 64 bits", {"payment_amount": 2**200}, "rejected", "amount_minor.garbled"),
    ("native bytes", {"participant_id": b"\xff\x00"}, "kept", None),
    ("native depth", {"deep": _deep(900)}, "kept", None),
    ("native set", {"tags": {1, 2}}, "kept", None),
    ("native keys that are no texts", {"more": {1: 2, None: 3, (1, 2): 4}}, "kept", None),
    ("native stranger", {"participant_name": Strange()}, "kept", None),
    ("native old time", {"registration_date": datetime(1, 1, 1, tzinfo=UTC)}, "kept", "registered_at.garbled"),
    ("native date", {"registration_date": date(2025, 6, 1)}, "kept", None),
    ("native text", MARKER, "rejected", NOT_AN_OBJECT),
    ("native list", [MARKER], "rejected", NOT_AN_OBJECT),
]
CHANGES = [
    Case(name, "change", {**registration(), **value} if isinstance(value, dict) else value, outcome, rule)
    for name, value, outcome, rule in NATIVES
]

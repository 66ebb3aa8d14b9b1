"""Records of the inbox."""

from __future__ import annotations

import json
from typing import Any

from event_pipeline_tests.hostile.case import MARKER, MEGABYTE, Case, marked
from event_pipeline_tests.hostile.values import nested
from event_pipeline_tests.warehouse.documents import (
    email_event,
    payment_event,
    qr_code,
    scan,
)


def _scan(code: str, **more: Any) -> str:
    return marked({**scan(code), "scanner_id": MARKER, **more})


INBOX = [
    Case("a scan of a megabyte", "inbox", _scan(MEGABYTE), "kept", "qr_text.too_long", "scans"),
    Case("a scan of nothing", "inbox", _scan(""), "kept", None, "scans"),
    Case(
        "a scan without a code",
        "inbox",
        json.dumps({"type": "scan", "scanned_at": "2025-06-08T04:40:00Z", "case": MARKER}),
        "kept",
        None,
        "scans",
    ),
    Case("a scan of a code that is a map", "inbox", _scan("@", qr_code_data={"type": "x"}), "kept", None, "scans"),
    Case(
        "a code with a number for its registration",
        "inbox",
        _scan(qr_code("r").replace('"r"', "5")),
        "kept",
        None,
        "scans",
    ),
    Case(
        "a code with a map for its registration",
        "inbox",
        _scan(qr_code("r").replace('"r"', "{}")),
        "kept",
        None,
        "scans",
    ),
    Case(
        "a code with a lone surrogate", "inbox", _scan(qr_code("r").replace('"r"', r'"\ud800"')), "kept", None, "scans"
    ),
    Case("a code of too many levels", "inbox", _scan(nested(2_000)), "kept", None, "scans"),
    Case(
        "a code with a field twice",
        "inbox",
        _scan('{"type":"NITS_EVENT_ATTENDANCE",' + qr_code("r")[1:]),
        "kept",
        None,
        "scans",
    ),
    Case("a code beyond the basic plane", "inbox", _scan(qr_code("𝔯")), "kept", None, "scans"),
    Case(
        "a code of a timestamp beyond all",
        "inbox",
        _scan(qr_code("r").replace("1748746500000", "9" * 400)),
        "kept",
        None,
        "scans",
    ),
    Case(
        "a scan in the year 40000",
        "inbox",
        _scan("x", scanned_at="40000-01-01T00:00:00Z"),
        "kept",
        "scanned_at.garbled",
        "scans",
    ),
    Case("a scan at no time", "inbox", _scan("x", scanned_at=None), "kept", None, "scans"),
    Case(
        "a scan received tomorrow",
        "inbox",
        _scan("x", received_at="2999-01-01T00:00:00Z"),
        "kept",
        "received_at.garbled",
        "scans",
    ),
    Case("a record of no type", "inbox", marked({"qr_code_data": "x"}), "unreadable"),
    Case("a record of an unknown type", "inbox", marked({"type": "SCAN"}), "unreadable"),
    Case("a record whose type is a list", "inbox", marked({"type": ["scan"]}), "unreadable"),
    Case("records as one list", "inbox", f"[{_scan('x')}]", "unreadable"),
    Case("half a record", "inbox", _scan("x")[:-5], "unreadable"),
    Case("a record of markup", "inbox", f"<xml>{MARKER}</xml>", "unreadable"),
    Case("a record of ten thousand levels", "inbox", _scan("x")[:-1] + f', "a": {nested(10_000)}}}', "unreadable"),
    Case(
        "a mail event of nobody",
        "inbox",
        marked({"type": "email_event"}),
        "rejected",
        "provider.required",
        "email_events",
    ),
    Case("a mail event without its id", "inbox", marked(email_event("r1")), "kept", None, "email_events"),
    Case(
        "a mail event with an id of a megabyte",
        "inbox",
        marked(email_event("r1", provider_event_id=MEGABYTE)),
        "kept",
        None,
        "email_events",
    ),
    Case(
        "a mail event with a map for its id",
        "inbox",
        marked(email_event("r1", provider_event_id={"a": 1})),
        "kept",
        None,
        "email_events",
    ),
    Case(
        "a mail event that never happens",
        "inbox",
        marked(email_event("r1", event="exploded")),
        "rejected",
        "email_event.allowed",
        "email_events",
    ),
    Case(
        "a payment of less than nothing",
        "inbox",
        marked(payment_event("r1", amount=-1)),
        "rejected",
        "amount_minor.range",
        "payment_events",
    ),
    Case(
        "a payment beyond all money",
        "inbox",
        marked(payment_event("r1", amount=10**30)),
        "rejected",
        "amount_minor.garbled",
        "payment_events",
    ),
    Case(
        "a payment of half a paisa",
        "inbox",
        marked(payment_event("r1", amount_minor=0.5)),
        "rejected",
        "amount_minor.garbled",
        "payment_events",
    ),
    Case(
        "a payment in no currency",
        "inbox",
        marked(payment_event("r1", currency="x" * 11)),
        "rejected",
        "currency.too_long",
        "payment_events",
    ),
]

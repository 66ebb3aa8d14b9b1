"""Lines of an export: hostile ids, and lines that are no document at all."""

from __future__ import annotations

import json

from event_pipeline_tests.hostile.case import MARKER, MEGABYTE, NOT_AN_OBJECT, ORDINARY, Case, line
from event_pipeline_tests.hostile.values import nested
from event_pipeline_tests.warehouse.documents import (
    chat_message,
    event,
)

IDS = [
    Case(f"id {name}", "line", line(**{"id": document_id, "note": MARKER}), "kept")
    for name, document_id in {
        "with a slash": "a/b/c",
        "of dots": "../..",
        "with a NUL": "a\x00b",
        "of JavaScript": "__proto__",
        "that is unknown": "unknown",
        "as a number": 5,
        "as a fraction": 1.5,
        "as true": True,
        "of white space": " ",
        "with white space": " a ",
        "of SQL": "'; DROP TABLE x; --",
        "of a formula": "=1+1",
        "of markup": "<script>alert(1)</script>",
        "right to left": "\u202eabc",
        "of nothing visible": "\u200b",
        "of emoji": "👩‍👩‍👧",
        "with a quote": '"',
        "with a new line": "a\nb",
        "of percent signs": "%s%n",
        "like a scan": "scan:1",
        "of 1,600 characters": "y" * 1_600,
        "that looks like a version": "00001748746500000-gone",
    }.items()
] + [
    Case("id of 1,601 characters", "line", line(id="z" * 1_601), "rejected", "registration_id.too_long"),
    Case("id of a megabyte", "line", line(id=MEGABYTE), "rejected", "registration_id.too_long"),
    Case("id that is empty", "line", line(id=""), "unreadable"),
    Case("id that is null", "line", line(id=None), "unreadable"),
    Case("id that is a list", "line", line(id=[1]), "unreadable"),
    Case("id that is a map", "line", line(id={"a": 1}), "unreadable"),
    Case(
        "nested id",
        "line",
        line({**chat_message(), "case": MARKER}, collection="event_chat", id="e1/m1"),
        "kept",
        collection="event_chat",
    ),
    Case(
        "nested id without its event",
        "line",
        line({**chat_message(), "case": MARKER}, collection="event_chat", id="m2"),
        "rejected",
        "event_id.required",
        "event_chat",
    ),
    Case(
        "nested id of an empty event",
        "line",
        line({**chat_message(), "case": MARKER}, collection="event_chat", id="/m3"),
        "rejected",
        "event_id.required",
        "event_chat",
    ),
]

LINES = [
    Case(
        "a document that is null",
        "line",
        line().replace('"data": {', '"data": null, "was": {'),
        "rejected",
        NOT_AN_OBJECT,
    ),
    Case("a document that is a text", "line", line(ORDINARY), "rejected", NOT_AN_OBJECT),
    Case("a document that is a list", "line", line([1, MARKER]), "rejected", NOT_AN_OBJECT),
    Case("a document that is a number", "line", line(5, note=MARKER), "rejected", NOT_AN_OBJECT),
    Case("no document", "line", json.dumps({"collection": "registrations", "id": MARKER}), "unreadable"),
    Case("no collection", "line", line().replace('"collection"', '"kollection"'), "unreadable"),
    Case("a collection that is empty", "line", line(collection=""), "unreadable"),
    Case("a collection that is a number", "line", line(collection=7), "unreadable"),
    Case("a collection that is a list", "line", line(collection=["registrations"]), "unreadable"),
    Case("an operation nobody knows", "line", line(operation="destroy"), "unreadable"),
    Case("an operation that is a map", "line", line(operation={}), "unreadable"),
    Case("an update time of garbage", "line", line(updated_at="soon"), "kept"),
    Case("an update time in 9999", "line", line(updated_at="9999-12-31T23:59:59Z"), "kept"),
    Case("an update time before 1970", "line", line(updated_at="1600-01-01T00:00:00Z"), "kept"),
    Case("an update time of a map", "line", line(updated_at={"seconds": 1}), "kept"),
    Case("an update time of many digits", "line", line(updated_at="9" * 40), "kept"),
    Case("a line that breaks off", "line", line()[:-40], "unreadable"),
    Case("a line that breaks off in a text", "line", f'{{"collection": "registrations", "id": "{MARKER}', "unreadable"),
    Case("a line that begins late", "line", line()[20:], "unreadable"),
    Case("two documents on a line", "line", line() + line(), "unreadable"),
    Case("a comma after the line", "line", line() + ",", "unreadable"),
    Case("a line of text", "line", f"hello {MARKER}", "unreadable"),
    Case("a line of CSV", "line", f"registrations,{MARKER},asha@example.org", "unreadable"),
    Case("a line that is a list", "line", f"[{line()}]", "unreadable"),
    Case("a line that is a text", "line", f'"{MARKER}"', "unreadable"),
    Case("a byte order mark amid the file", "line", "\ufeff" + line(), "unreadable"),
    Case("a line with a NUL", "line", line().replace("Asha", "As\x00ha"), "kept"),
    Case(
        "a line of ten thousand levels",
        "line",
        line().replace('"data"', f'"deep": {nested(10_000)}, "data"'),
        "unreadable",
    ),
    Case("white space around the line", "line", " \t" + line() + " \t ", "kept"),
    Case("a carriage return after the line", "line", line() + "\r", "kept"),
    Case("a line separator in a text", "line", line().replace("Asha", "As\u2028ha"), "kept"),
    Case(
        "a document of a megabyte",
        "line",
        line({**event(description=MEGABYTE), "case": MARKER}, collection="events"),
        "kept",
        "description.too_long",
        "events",
    ),
]

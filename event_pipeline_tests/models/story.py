"""A small organisation in which everything happens once that registrations, people and dimensions must get right."""

from __future__ import annotations

from typing import Any

from event_pipeline.contracts.contract import UNKNOWN
from event_pipeline.models.identity import keyed_hash
from event_pipeline.sources.change import Change
from event_pipeline_tests.models.reading import Texts
from event_pipeline_tests.warehouse.documents import (
    ABSENT,
    changed,
    email_event,
    event,
    payment_event,
    qr_code,
    registration,
    scan,
    sheet_row,
)

JUNE_1, JUNE_2, JUNE_3 = (f"2025-06-0{day}T00:00:00.000Z" for day in (1, 2, 3))


def registered(registration_id: str, person: str, at: Any = JUNE_1, **more: Any) -> Change:
    return changed("registrations", registration_id, registration(person, registration_date=at, **more))


def typed(person: str | None, row_id: str | None = None, **fields: str) -> Change:
    return changed("sheet_rows", f"s/{row_id or person}", sheet_row(person, **fields))


STORY: list[Change] = [
    changed("clubs", "c1", {"name": "Robotics", "contact_email": "robotics@example.org"}),
    changed("categories", "k1", {"name": "Technical", "color": "#ff0000"}),
    changed("events", "e1", event()),
    changed("events", "e2", event(title="Robo Wars (2024)", club_id="c-gone", category_id=None, payment_amount=100)),
    changed("events", "e3", event(title=ABSENT, start_date=None, requires_payment=ABSENT)),
    changed("events", UNKNOWN, event(title="An event that calls itself unknown")),
    changed("clubs", UNKNOWN, {"name": "A club that calls itself unknown"}),
    changed("tags", "t1", {"name": "robots", "color": "#111111"}),
    changed("tags", "t2", {"name": "robots", "color": "#222222"}),
    changed("tags", "t3", {"color": "#333333"}),
    *(changed("event_tags", f"e1_{tag}", {"event_id": "e1", "tag_id": tag}) for tag in ("t1", "t2", "t3", "t-gone")),
    changed("event_tags", "e-gone_t1", {"event_id": "e-gone", "tag_id": "t1"}),
    registered("twice-b", "twice", JUNE_2),
    registered("twice-a", "twice", JUNE_1),
    registered("twice-c", " TWICE", JUNE_3),
    registered("same-b", "same", JUNE_1),
    registered("same-a", "same", JUNE_1),
    registered("early-cancelled", "changed-mind", JUNE_1, status="cancelled"),
    registered("late-valid", "changed-mind", JUNE_3),
    registered("timeless", "timeless", ABSENT, created_at=None),
    registered("timeless-later", "timeless", JUNE_3),
    registered("other-event", "twice", JUNE_3, event_id="e2"),
    registered("nobody-1", "nobody", participant_email=None),
    registered("nobody-2", "nobody", participant_email=ABSENT),
    registered("dangling", "dangling", event_id="e-gone"),
    registered("literally-unknown", "literal", event_id=UNKNOWN),
    registered("team", "team", registration_type="team", additional_info={"team_members": [{}, {}]}),
    registered("no-status", "no-status", status=None),
    registered("same-day", "same-day", "2025-06-07T20:00:00.000Z"),
    registered("after", "after", "2025-06-08T20:00:00.000Z"),
    registered("bad", "quarantined", payment_amount="a lot"),
    registered("deleted", "deleted"),
    changed("registrations", "deleted", None, after=60),
    registered("marked", "marked", status="attended"),
    registered("paid", "paid", payment_status="pending", payment_amount=100),
    registered("checked", "checked", payment_status="verified", payment_amount=100),
    registered("noted", "noted"),
    typed("walk-in", name="Walk In", phone="9876543210", department="ECE", notes="paid cash", payment_verified="Yes"),
    typed("walk-in", "walk-in-again"),
    typed(None, "nameless-walk-in", name="No Mail"),
    typed("deleted"),
    typed("quarantined"),
    typed("marked", attendance_status="attended"),
    typed("paid", payment_verified="yes", payment_amount="₹100"),
    typed("checked", payment_verified="yes"),
    typed("noted", notes="vegetarian", email=" Noted@Example.org"),
    changed("sheet_rows", "s/error", {**sheet_row("export-error"), "is_export_error": True}),
    changed("sheet_rows", "s/member", sheet_row("member", worksheet="Team Members")),
    changed("sheet_rows", "s/homeless", {**sheet_row("homeless"), "event_id": None, "spreadsheet_id": "other"}),
    changed("email_events", "m1", email_event("twice-a", "twice")),
    changed("email_events", "m2", email_event(None, "only-mailed", event_id="e-gone", event="bounce")),
    changed("email_events", "m3", email_event("not-ours", "only-mailed", event="open")),
    changed("email_events", "m4", email_event("twice-a", "twice", event="exploded")),
    changed("scans", "s1", scan(qr_code("twice-a", "twice"))),
    changed("payment_events", "p1", payment_event("not-ours", event_id="e-gone")),
]  # fmt: skip


def user_of(person: str) -> str:
    """The pseudonym of ``<person>@example.org``."""
    (found,) = Texts(keyed_hash).read([f"{person}@example.org"])
    return found

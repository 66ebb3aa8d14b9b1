"""Histories of a small organisation in which everything goes wrong that people make go wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from event_pipeline.sources.change import Change
from event_pipeline_tests.oracle import account
from event_pipeline_tests.warehouse.documents import (
    ABSENT,
    changed,
    club,
    email_event,
    event,
    payment_event,
    qr_code,
    registration,
    scan,
    sheet_row,
)

REGISTRATIONS = ("r0", "r1", "r2", "r3", "r4")
EVENTS = ("e1", "e2", "e-gone")
AFTER = (0, 1, 2, 3_600, 90_000)

_choose = st.sampled_from
_instants = _choose(
    ["2025-06-01T02:55:00.000Z", "2025-06-03T18:29:59.000Z", "2025-06-03T18:30:00.000Z", "2025-05-20",
     1_748_900_000_000, "3/6/2025, 9:10:00 pm", {"_seconds": 1_748_800_000, "_nanoseconds": 5_000_000},
     "2025-06-07T23:00:00+05:30"]
)  # fmt: skip
"""Times in the spellings that the app and its helpers use; two lie on either side of the organisation's midnight."""

_starts = _choose(
    ["2025-06-08T04:30:00.000Z"] * 4
    + ["2025-06-08T18:45:00.000Z", "2025-06-04T04:30:00.000Z", "2025-07-15T04:30:00.000Z", None, "soon"]
)


def events() -> st.SearchStrategy[dict[str, Any]]:
    """An event: editions, moved starts, fees in several spellings, states nobody knows, deleted clubs."""
    return st.builds(
        event,
        title=_choose(["Robo Wars 2025", "Robo Wars (2024)", "Quiz", ABSENT]),
        start_date=_starts,
        end_date=_choose(["2025-06-08T12:30:00.000Z", "2025-06-10T12:30:00.000Z", None, ABSENT]),
        status=_choose(["upcoming", "completed", "completed", "cancelled", "Ongoing", "postponed", None]),
        club_id=_choose(["c1", "c1", "c2", "c-gone", None]),
        max_participants=_choose([None, 2, "5", 10, 0]),
        requires_payment=_choose([True, False, ABSENT]),
        payment_amount=_choose([None, 0, 100, "₹150", "1,150", "Rs. 100/-", 150.5]),
        google_sheet_id=_choose(["other", ABSENT]),
    )


_people = _choose(
    [
        {"participant_name": "Asha Rao", "participant_email": "asha@example.org"},
        {"participant_name": "RAO, Asha", "participant_email": " Asha@Example.org"},
        {"participant_name": None, "participant_email": "asha@example.org"},
        {"participant_name": "Ravi Rao", "participant_email": "asha@example.org"},
        {"participant_name": "Ravi Rao", "participant_email": "ravi@example.org"},
        {"participant_name": "Noor", "participant_email": None},
        {"participant_name": "Jürgen", "participant_email": "jürgen@Bücher.example"},
        {"participant_name": "Bad", "participant_email": "no address"},
    ]
)
_teams = _choose(
    [None] * 4
    + [
        [{"name": "A"}, {"name": "B"}],
        [None, {"name": "A"}, {"name": "B"}],
        {"0": {"name": "A"}, "2": {"name": "B"}},
        {"-Nx1": {"name": "A"}, "-Nx2": {"name": "B"}, "-Nx3": {"name": "C"}},
        [{"name": "A", "members": [{"name": "B"}, {"name": "C"}]}],
        [],
    ]
)
_attendance = _choose(
    [
        {}, {}, {},
        {"status": "cancelled"},
        {"status": "Cancelled ", "updated_at": "2025-06-05T10:00:00.000Z"},
        {"status": "cancelled", "updated_at": "2025-06-09T10:00:00.000Z"},
        {"status": "attended"},
        {"attendance_status": "attended", "attendance_timestamp": "2025-06-08T04:50:00Z"},
        {"attendance_status": "attended", "attendance_timestamp": "2025-06-08T18:31:00Z"},
        {"status": None},
    ]
)  # fmt: skip
_payments = _choose(
    [
        {}, {}, {},
        {"payment_status": "pending"},
        {"payment_status": "verified"},
        {"payment_status": "verified", "payment_amount": 100},
        {"payment_status": "Verified", "payment_amount": "₹1,150.00"},
        {"payment_status": "rejected", "payment_amount": "150"},
        {"payment_status": "verified", "payment_amount": "12,50"},
        {"payment_status": "verified", "payment_amount": "€ 12"},
    ]
)  # fmt: skip


@st.composite
def registrations(draw: st.DrawFn) -> dict[str, Any]:
    """A registration: shared addresses, duplicates, teams in every shape, marks made by hand."""
    about = {"department": draw(_choose(["CSE", "ECE", None])), "team_members": draw(_teams)}
    more: dict[str, Any] = draw(_people) | draw(_attendance) | draw(_payments)
    return registration(
        event_id=draw(_choose(["e1"] * 6 + ["e2", "e-gone"])),
        registration_date=draw(_instants),
        created_at=draw(_choose(["2025-05-30T10:00:00Z", None])),
        updated_at=more.pop("updated_at", draw(_choose(["2025-06-04T19:00:00.000Z", ABSENT, "2025-06-19T00:00:00Z"]))),
        additional_info=about,
        **more,
    )


_typists = _choose(
    [
        {"name": "Asha Rao", "email": "asha@example.org"},
        {"email": "ravi@example.org"},
        {"name": "Walk In", "email": "walk-in@example.org"},
        {"name": "Walk In", "phone": "98765 43210"},
        {"name": "Ravi Rao", "email": "asha@example.org"},
    ]
)
_marks = _choose(
    [
        {}, {},
        {"attendance_status": "Attended", "attendance_time": "8/6/2025, 10:20:00 am"},
        {"attendance_status": "attended"},
        {"payment_verified": "Yes", "payment_amount": "₹150"},
        {"payment_verified": "no"},
        {"registration_status": "Cancelled"},
        {"registration_date": "1/6/2025, 9:00:00 pm", "notes": "vegetarian"},
    ]
)  # fmt: skip


@st.composite
def sheet_rows(draw: st.DrawFn) -> dict[str, Any]:
    """A row that an organiser typed about somebody: walk-ins and corrections."""
    row = sheet_row(None, worksheet=draw(_choose(["Registrations"] * 5 + ["Team Members"])))
    row["fields"] = draw(_typists) | draw(_marks)
    return row | draw(_choose([{}, {}, {}, {"is_export_error": True}, {"event_id": None, "spreadsheet_id": "other"}]))


_scan_times = _choose(
    ["2025-06-08T04:40:00.000Z", "2025-06-08T04:40:00.000Z", "2025-06-08T04:50:00.500Z",
     "2025-06-08T04:44:59.000Z", "2025-06-08T04:45:00.000Z", "2025-06-08T18:40:00.000Z",
     "2025-06-12T05:00:00.000Z", "2025-06-06T18:00:00.000Z", "1970-01-01T00:03:00Z", "1980-01-06T00:05:00Z",
     "2025-12-01T00:00:00Z", "not a time"]
)  # fmt: skip
_receipts = _choose(
    [ABSENT, ABSENT, "2025-06-08T04:46:00.000Z", "2025-06-09T10:00:00.000Z", "2025-06-19T10:00:00.000Z"]
)


@st.composite
def scans(draw: st.DrawFn) -> dict[str, Any]:
    """A scan: late, of another event or day, with a reset clock, garbled, in a byte order mark, let in by hand."""
    person = draw(_choose(["asha", "ravi"]))
    code = qr_code(
        draw(_choose([*REGISTRATIONS[:3], *REGISTRATIONS[:3], "r9"])),
        person,
        draw(_choose(["e1"] * 6 + ["e2", "e-gone"])),
    )
    code = draw(_choose([code] * 12 + ["\ufeff" + code, code + " \u200b", code.replace("@", "#"), "NITS", "{}"]))
    record = scan(code, draw(_scan_times), draw(_choose(["gate-1", "gate-2"])))
    more = {
        "received_at": draw(_receipts),
        "event_id": draw(_choose([ABSENT, ABSENT, "e1", "e2"])),
        "override": draw(_choose([ABSENT, ABSENT, True])),
    }
    return record | {name: value for name, value in more.items() if value is not ABSENT}


@st.composite
def paid_elsewhere(draw: st.DrawFn, number: int) -> list[Change]:
    """Events of a provider without objects: tried, paid, given back in parts."""
    registration_id = draw(_choose([*REGISTRATIONS[:3], "r9", None]))
    words = draw(
        _choose(
            [["pending"], ["failed"], ["pending", "succeeded"], ["failed", "succeeded"], ["succeeded", "refunded"],
             ["pending", "succeeded", "refunded", "refunded"]]
        )
    )  # fmt: skip
    currency = draw(_choose(["INR", "INR", "EUR", ABSENT]))
    found = []
    for at, word in enumerate(words):
        occurred_at = f"2025-06-{4 + 2 * at + number:02}T18:{29 + at}:30.000Z"
        amount = 5_000 if word == "refunded" else 15_000
        record = payment_event(
            registration_id, word, amount, payment_id=f"pay_{number}", occurred_at=occurred_at, currency=currency
        )
        found.append(changed("payment_events", f"razorpay:p{number}-{at}", record, after=1))
    return found


@st.composite
def paid_by_card(draw: st.DrawFn, number: int) -> list[Change]:
    """Stripe's events of one payment, as far as it came."""
    events_of = draw(account.accounts(number, _choose([*REGISTRATIONS[:3], "r9", None])))
    return [account.reported(found) for found in events_of]


_mail_times = _choose(["2025-06-01T03:00:00.000Z", "2025-06-02T18:30:00.000Z", "2025-06-03T04:00:00.000Z"])


@st.composite
def mails(draw: st.DrawFn) -> dict[str, Any]:
    """What a mail provider reports of a registration's mail, or of one about nobody we know."""
    registration_id = draw(_choose([*REGISTRATIONS[:3], "r9", None]))
    word = draw(_choose(["sent", "delivered", "open", "click", "bounce", "deferred", "spam_report"]))
    return email_event(
        registration_id, draw(_choose(["asha", "ravi", "only-mailed"])), word,
        message_id=draw(_choose([f"m-{registration_id}", "m-other"])), occurred_at=draw(_mail_times),
        is_machine=draw(_choose([ABSENT, ABSENT, True])),
    )  # fmt: skip


@st.composite
def _states(
    draw: st.DrawFn, collection: str, document_id: str, contents: st.SearchStrategy[Any], most: int = 3, least: int = 0
) -> list[Change]:
    """A document in up to ``most`` states or deletes, at instants that coincide now and then."""
    is_deleted = st.integers(0, 7).map(lambda number: number == 7)
    states = draw(st.lists(st.tuples(_choose(AFTER), is_deleted, contents), min_size=least, max_size=most))
    return [changed(collection, document_id, None if gone else content, after=after) for after, gone, content in states]


@st.composite
def histories(draw: st.DrawFn) -> list[Change]:
    """A whole history; its changes are in no order that means anything."""
    found: list[Change] = [changed("events", "e1", draw(events()))]
    for event_id in ("e1", "e2"):
        found += draw(_states("events", event_id, events(), 2))
    for club_id in ("c1", "c2"):
        found += draw(_states("clubs", club_id, st.builds(club, name=_choose(["Robotics", "Chess"])), 2))
    found += draw(_states("tags", "t1", st.builds(lambda name: {"name": name}, _choose(["robots", "chess"])), 1))
    found += draw(_states("event_tags", "e1_t1", st.just({"event_id": "e1", "tag_id": "t1"}), 2))
    found += draw(_states("categories", "k1", st.just({"name": "Technical", "color": "#ff0000"}), 1))
    for registration_id in REGISTRATIONS[: draw(st.integers(2, len(REGISTRATIONS)))]:
        found += draw(_states("registrations", registration_id, registrations(), least=1))
    for number in range(draw(st.integers(0, 3))):
        found += draw(_states("sheet_rows", f"s/{number}", sheet_rows(), 2))
    for number in range(draw(st.integers(0, 4))):
        found.append(changed("scans", f"scan{number}", draw(scans())))
    for number in range(draw(st.integers(0, 2))):
        found += draw(paid_elsewhere(number))
    for number in range(draw(st.integers(0, 2))):
        found += draw(paid_by_card(number))
    for number in range(draw(st.integers(0, 4))):
        found.append(changed("email_events", f"sendgrid:m{number}", draw(mails())))
    return found


@st.composite
def arrivals(draw: st.DrawFn, history: Sequence[Change]) -> list[list[Change]]:
    """The changes in any order, some twice, in one to three parts."""
    again = draw(st.lists(_choose(history), max_size=3)) if history else []
    shuffled = draw(st.permutations([*history, *again]))
    cuts = sorted(draw(st.lists(st.integers(0, len(shuffled)), max_size=2)))
    return [list(shuffled[start:end]) for start, end in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]

"""Histories of a small organisation in which everything goes wrong that people make go wrong."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from event_pipeline_tests.oracle import account
from event_pipeline_tests.oracle.drawn_registrations import amounts, registrations, sheet_rows
from event_pipeline_tests.oracle.history import History, Names, Told, told, told_document
from event_pipeline_tests.oracle.mailing import mailings
from event_pipeline_tests.oracle.organisations import Writing
from event_pipeline_tests.oracle.worksheets import spreadsheets
from event_pipeline_tests.warehouse.documents import ABSENT, changed, club, event, payment_event, qr_code, scan

REGISTRATIONS = ("r0", "r1", "r2", "r3", "r4")
AFTER = (0, 1, 2, 3_600, 90_000)

_choose = st.sampled_from
_starts = _choose(
    ["2025-06-08T04:30:00.000Z"] * 4
    + ["2025-06-08T18:45:00.000Z", "2025-06-04T04:30:00.000Z", "2025-07-15T04:30:00.000Z", None, "soon"]
)


def events(names: Names, writing: Writing) -> st.SearchStrategy[dict[str, Any]]:
    """An event: editions, moved starts, fees in several spellings, states nobody knows, deleted clubs."""
    return st.builds(
        event,
        title=_choose(["Robo Wars 2025", "Robo Wars (2024)", "Quiz", ABSENT]),
        start_date=_starts,
        end_date=_choose(["2025-06-08T12:30:00.000Z", "2025-06-10T12:30:00.000Z", None, ABSENT]),
        status=_choose(["upcoming", "completed", "completed", "cancelled", "Ongoing", "postponed", None]),
        club_id=_choose([names.id("c1"), names.id("c1"), names.id("c2"), names.id("c-gone"), None]),
        category_id=st.just(names.id("k1")),
        max_participants=_choose([None, 2, "5", 10, 0]),
        requires_payment=_choose([True, False, ABSENT]),
        payment_amount=st.one_of(_choose([None, 0, 100]), amounts(writing)),
        google_sheet_id=_choose([names.id("other"), names.id("book"), ABSENT]),
    )


_scan_times = _choose(
    ["2025-06-08T04:40:00.000Z", "2025-06-08T04:40:00.000Z", "2025-06-08T04:50:00.500Z",
     "2025-06-08T04:44:59.000Z", "2025-06-08T04:45:00.000Z", "2025-06-08T18:40:00.000Z",
     "2025-06-12T05:00:00.000Z", "2025-06-06T18:00:00.000Z", "1970-01-01T00:03:00Z", "1980-01-06T00:05:00Z",
     "2025-12-01T00:00:00Z", "not a time"]
)  # fmt: skip
_receipts = _choose(
    [ABSENT, ABSENT, "2025-06-08T04:46:00.000Z", "2025-06-09T10:00:00.000Z", "2025-06-19T10:00:00.000Z"]
)


def _some_registration(names: Names, *more: Any) -> st.SearchStrategy[Any]:
    return _choose([*(names.id(name) for name in REGISTRATIONS[:3]), *more])


@st.composite
def scans(draw: st.DrawFn, names: Names) -> dict[str, Any]:
    """A scan: late, of another event or day, with a reset clock, garbled, in a byte order mark, let in by hand."""
    e1, e2 = names.id("e1"), names.id("e2")
    code = qr_code(
        draw(st.one_of(*[_some_registration(names)] * 6, st.just(names.id("r9")))),
        draw(_choose(["asha", "ravi"])),
        draw(_choose([e1] * 6 + [e2, names.id("e-gone")])),
    )
    code = draw(_choose([code] * 12 + ["\ufeff" + code, code + " \u200b", code.replace("@", "#"), "NITS", "{}"]))
    record = scan(code, draw(_scan_times), draw(_choose(["gate-1", "gate-2"])))
    more = {
        "received_at": draw(_receipts),
        "event_id": draw(_choose([ABSENT, ABSENT, e1, e2])),
        "override": draw(_choose([ABSENT, ABSENT, True])),
    }
    return record | {name: value for name, value in more.items() if value is not ABSENT}


@st.composite
def paid_elsewhere(draw: st.DrawFn, names: Names, number: int) -> History:
    """Events of a provider without objects: tried, paid, given back in parts."""
    registration_id = draw(_some_registration(names, names.id("r9"), None))
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
        record = payment_event(
            registration_id, word, 5_000 if word == "refunded" else 15_000, payment_id=names.id(f"pay_{number}"),
            occurred_at=occurred_at, currency=currency, event_id=names.id("e1"),
        )  # fmt: skip
        change = changed("payment_events", names.id(f"razorpay:p{number}-{at}"), record, after=1)
        found.append(told(change, names.id(f"razorpay {number}")))
    return found


@st.composite
def paid_by_card(draw: st.DrawFn, names: Names, number: int, currency: str) -> History:
    """Stripe's events of one payment, as far as it came."""
    registration_ids = _some_registration(names, names.id("r9"), None)
    account_number = 10 * names.number + number
    events_of = account.accounts(account_number, names.id("e1"), registration_ids, currency.lower())
    return [told(account.reported(found), f"stripe {account_number}") for found in draw(events_of)]


@st.composite
def _states(
    draw: st.DrawFn, collection: str, document_id: str, contents: st.SearchStrategy[Any], most: int = 3, least: int = 0
) -> History:
    """A document in up to ``most`` states or deletes, at instants that coincide now and then."""
    is_deleted = st.integers(0, 7).map(lambda number: number == 7)
    states = draw(st.lists(st.tuples(_choose(AFTER), is_deleted, contents), min_size=least, max_size=most))
    return [
        told_document(collection, document_id, None if gone else content, after=after)
        for after, gone, content in states
    ]


@st.composite
def histories(draw: st.DrawFn, names: Names, writing: Writing) -> History:
    """A whole history; what is told is in no order that means anything."""
    some_event, own = events(names, writing), names.id
    found: History = [told(changed("events", own("e1"), draw(some_event)))]
    for event_id in ("e1", "e2"):
        found += draw(_states("events", own(event_id), some_event, 2))
    for club_id in ("c1", "c2"):
        found += draw(_states("clubs", own(club_id), st.builds(club, name=_choose(["Robotics", "Chess"])), 2))
    tags = st.builds(lambda name: {"name": name}, _choose(["robots", "chess"]))
    found += draw(_states("tags", own("t1"), tags, 1))
    link = {"event_id": own("e1"), "tag_id": own("t1")}
    found += draw(_states("event_tags", own("e1_t1"), st.just(link), 2))
    found += draw(_states("categories", own("k1"), st.just({"name": "Technical", "color": "#ff0000"}), 1))
    for registration_id in REGISTRATIONS[: draw(st.integers(2, len(REGISTRATIONS)))]:
        found += draw(_states("registrations", own(registration_id), registrations(names, writing), least=1))
    for number in range(draw(st.integers(0, 2))):
        found += draw(_states("sheet_rows", f"{own('s')}/{number}", sheet_rows(names), 2))
    if draw(st.booleans()):
        found += draw(spreadsheets(names, writing))
    for number in range(draw(st.integers(0, 4))):
        found.append(told_document("scans", own(f"scan{number}"), draw(scans(names))))
    for number in range(draw(st.integers(0, 2))):
        found += draw(paid_elsewhere(names, number))
    for number in range(draw(st.integers(0, 2))):
        found += draw(paid_by_card(names, number, writing.settings["currency"]))
    found += draw(mailings(names, REGISTRATIONS[:3]))
    return found


@st.composite
def arrivals(draw: st.DrawFn, history: History) -> list[History]:
    """What is told in any order, some of it twice, in one to three parts."""
    again: list[Told] = draw(st.lists(_choose(history), max_size=3))
    shuffled = draw(st.permutations([*history, *again]))
    cuts = sorted(draw(st.lists(st.integers(0, len(shuffled)), max_size=2)))
    return [list(shuffled[start:end]) for start, end in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]

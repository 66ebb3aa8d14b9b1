"""Registrations and rows of sheets: who registers, with whom, and what is marked of them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from event_pipeline_tests.oracle.history import Names
from event_pipeline_tests.oracle.organisations import Writing
from event_pipeline_tests.warehouse.documents import ABSENT, registration, sheet_row

_choose = st.sampled_from

_TIMES = (
    "2025-06-01T02:55:00.000Z", "2025-06-03T18:29:59.000Z", "2025-06-03T18:30:00.000Z", "2025-06-02T22:30:00Z",
    1_748_900_000_000, {"_seconds": 1_748_800_000, "_nanoseconds": 5_000_000}, "2025-06-07T23:00:00+05:30",
)  # fmt: skip
"""Times in the spellings that the app and its helpers use; two lie on either side of midnight in India."""


def times(writing: Writing) -> st.SearchStrategy[Any]:
    """A time in any spelling, with a zone or as the organisation's clocks show it."""
    return _choose([*_TIMES, *writing.clock_times])


def amounts(writing: Writing) -> st.SearchStrategy[Any]:
    """An amount in any spelling; one in six is none."""
    return st.one_of(*[_choose(writing.amounts)] * 5, _choose(writing.bad_amounts))


def _people(names: Names) -> st.SearchStrategy[dict[str, Any]]:
    asha, ravi = names.email("asha"), names.email("ravi")
    return _choose(
        [
            {"participant_name": "Asha Rao", "participant_email": asha},
            {"participant_name": "RAO, Asha", "participant_email": f" {asha.title()}"},
            {"participant_name": None, "participant_email": asha},
            {"participant_name": "Ravi Rao", "participant_email": asha},
            {"participant_name": "Ravi Rao", "participant_email": ravi},
            {"participant_name": "Noor", "participant_email": None},
            {"participant_name": "Jürgen", "participant_email": f"jürgen@Bücher{names.number}.example"},
            {"participant_name": "Bad", "participant_email": "no address"},
        ]
    )


_TEAMS = (
    None, None, None, None,
    [{"name": "A"}, {"name": "B"}],
    [None, {"name": "A"}, {"name": "B"}],
    {"0": {"name": "A"}, "2": {"name": "B"}},
    {"-Nx1": {"name": "A"}, "-Nx2": {"name": "B"}, "-Nx3": {"name": "C"}},
    [{"name": "A", "members": [{"name": "B"}, {"name": "C"}]}],
    [],
)  # fmt: skip
_ATTENDANCE = (
    {}, {}, {},
    {"status": "cancelled"},
    {"status": "Cancelled ", "updated_at": "2025-06-05T10:00:00.000Z"},
    {"status": "cancelled", "updated_at": "2025-06-09T10:00:00.000Z"},
    {"status": "attended"},
    {"attendance_status": "attended", "attendance_timestamp": "2025-06-08T04:50:00Z"},
    {"attendance_status": "attended", "attendance_timestamp": "2025-06-08T18:31:00Z"},
    {"status": None},
)  # fmt: skip
_PAYMENTS = (None, None, None, "pending", "verified", "verified", "Verified", "rejected")


@st.composite
def registrations(draw: st.DrawFn, names: Names, writing: Writing) -> dict[str, Any]:
    """A registration: shared addresses, duplicates, teams in every shape, marks made by hand."""
    about = {"department": draw(_choose(["CSE", "ECE", None])), "team_members": draw(_choose(_TEAMS))}
    more: dict[str, Any] = draw(_people(names)) | draw(_choose(_ATTENDANCE))
    paid = draw(_choose(_PAYMENTS))
    if paid is not None:
        more |= {"payment_status": paid} | draw(
            st.one_of(st.just({}), st.builds(lambda amount: {"payment_amount": amount}, amounts(writing)))
        )
    return registration(
        event_id=draw(_choose([names.id("e1")] * 6 + [names.id("e2"), names.id("e-gone")])),
        participant_phone=draw(_choose([ABSENT, *writing.phones])),
        registration_date=draw(times(writing)),
        created_at=draw(_choose(["2025-05-30T10:00:00Z", None])),
        updated_at=more.pop("updated_at", draw(_choose(["2025-06-04T19:00:00.000Z", ABSENT, "2025-06-19T00:00:00Z"]))),
        additional_info=about,
        **more,
    )


_MARKS = (
    {}, {},
    {"attendance_status": "Attended", "attendance_time": "8/6/2025, 10:20:00 am"},
    {"attendance_status": "attended"},
    {"payment_verified": "Yes", "payment_amount": "150"},
    {"payment_verified": "no"},
    {"registration_status": "Cancelled"},
    {"registration_date": "1/6/2025, 9:00:00 pm", "notes": "vegetarian"},
)  # fmt: skip


@st.composite
def sheet_rows(draw: st.DrawFn, names: Names) -> dict[str, Any]:
    """A row, as it is read, that an organiser typed about somebody: walk-ins and corrections."""
    who = draw(
        _choose(
            [
                {"name": "Asha Rao", "email": names.email("asha")},
                {"email": names.email("ravi")},
                {"name": "Walk In", "email": names.email("walk-in")},
                {"name": "Walk In", "phone": "98765 43210"},
                {"name": "Ravi Rao", "email": names.email("asha")},
            ]
        )
    )
    row = sheet_row(None, worksheet=draw(_choose(["Registrations"] * 5 + ["Team Members"])))
    row |= {"event_id": names.id("e1"), "spreadsheet_id": names.id("sheet"), "fields": who | draw(_choose(_MARKS))}
    other = {"event_id": None, "spreadsheet_id": names.id("other")}
    return row | draw(_choose([{}, {}, {}, {"is_export_error": True}, other]))

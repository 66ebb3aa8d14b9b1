"""Attendance: every claim that someone came is kept and judged; the first valid one of a person counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_pipeline.sources.change import Change
from event_pipeline_tests.effort import scaled
from event_pipeline_tests.warehouse.documents import SEEN, changed, event, qr_code, registration, scan, sheet_row
from event_pipeline_tests.warehouse.pipelines import MemoryPipeline, Row

AT_0440, AT_0450, AT_0800 = (f"2025-06-08T{time}:00.000Z" for time in ("04:40", "04:50", "08:00"))
ATTENDED = {"status": "attended", "attendance_status": "attended"}


def registered(person: str, **more: Any) -> Change:
    return changed("registrations", f"r-{person}", registration(person, **more))


def scanned(scan_id: str, code: str, at: str = AT_0440, gate: str = "gate-1") -> Change:
    return changed("scans", scan_id, scan(code, at, gate))


def typed(person: str, **fields: str) -> Change:
    return changed("sheet_rows", f"s/{person}", sheet_row(person, attendance_status="Attended", **fields))


def code(person: str, **more: Any) -> str:
    return qr_code(f"r-{person}", person, **more)


STORY: list[Change] = [
    changed("events", "e1", event()),
    changed("events", "e2", event(title="Quiz")),
    registered("on-time"),
    scanned("on-time", code("on-time")),
    registered("late"),
    scanned("late", code("late"), at="2025-06-09T10:00:00.000Z"),
    registered("twice"),
    scanned("twice-2", code("twice"), at=AT_0450, gate="gate-2"),
    scanned("twice-1", code("twice"), at=AT_0440, gate="gate-1"),
    scanned("twice-1", code("twice"), at=AT_0440, gate="gate-1"),
    registered("elsewhere"),
    scanned("elsewhere", code("elsewhere", event_id="e2")),
    scanned("garbled", "NITS garbled"),
    scanned("other-type", code("on-time", type="COUPON")),
    registered("misread"),
    scanned("misread", code("misread").replace("misread@", "misreab@")),
    scanned("no-hash", code("misread", hash=None)),
    scanned("stranger", code("stranger")),
    registered("cancelled", status="cancelled"),
    scanned("cancelled", code("cancelled")),
    registered("undone", **ATTENDED, attendance_timestamp=AT_0450),
    changed("registrations", "r-undone", registration("undone"), after=3_600),
    scanned("undone-before", code("undone")),
    registered("again", **ATTENDED, attendance_timestamp=AT_0450),
    changed("registrations", "r-again", registration("again"), after=-1_036_000),
    scanned("again-before", code("again")),
    scanned("again-after", code("again"), at="2025-06-20T04:00:00.000Z"),
    registered("re-marked", **ATTENDED, attendance_timestamp=AT_0450),
    changed("registrations", "r-re-marked", registration("re-marked"), after=60),
    changed("registrations", "r-re-marked", registration("re-marked", attendance_status="Attended "), after=120),
    registered("both", **ATTENDED, attendance_timestamp=AT_0450),
    scanned("both", code("both")),
    registered("mark-first", **ATTENDED, attendance_timestamp=AT_0440),
    scanned("mark-first", code("mark-first"), at=AT_0450),
    registered("timeless", **ATTENDED, attendance_timestamp=None),
    registered("double"),
    changed("registrations", "r-double-b", registration("double", registration_date="2025-06-03T00:00:00Z")),
    scanned("double", qr_code("r-double-b", "double")),
    registered("replaced", status="cancelled"),
    changed("registrations", "r-replaced-b", registration("replaced", registration_date="2025-06-03T00:00:00Z")),
    scanned("replaced-old", code("replaced")),
    scanned("replaced-new", qr_code("r-replaced-b", "replaced"), at=AT_0450),
    changed("registrations", "r-nameless-1", registration("nameless", participant_email=None)),
    changed("registrations", "r-nameless-2", registration("nameless", participant_email=None)),
    scanned("nameless-1", qr_code("r-nameless-1", "nameless")),
    scanned("nameless-2", qr_code("r-nameless-2", "nameless"), at=AT_0450),
    registered("typed"),
    typed("typed", attendance_time="8/6/2025, 1:30:00 pm"),
    registered("typed-late"),
    typed("typed-late"),
    scanned("typed-late", code("typed-late")),
    typed("walk-in", attendance_time="8/6/2025, 10:20:00 am"),
    registered("absent"),
    changed("registrations", "r-gone", registration("gone-event", event_id="e-deleted")),
    scanned("gone-event", qr_code("r-gone", "gone-event", event_id="e-deleted")),
    registered("wrong-door"),
    changed("scans", "wrong-door", scan(code("wrong-door"), AT_0440, "gate-1") | {"event_id": "e2"}),
    registered("right-door"),
    changed("scans", "right-door", scan(code("right-door"), AT_0440, "gate-1") | {"event_id": "e1"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def claims(memory_pipeline: MemoryPipeline) -> dict[str, Row]:
    memory_pipeline.clear()
    memory_pipeline.commit(*STORY)
    memory_pipeline.refresh()
    return memory_pipeline.by_key("core.fact_attendance")


@pytest.fixture(scope="module")
def registrations(claims: dict[str, Row], memory_pipeline: MemoryPipeline) -> dict[str, Row]:
    return memory_pipeline.by_key("core.fact_registrations")


@pytest.mark.parametrize(
    ("claim", "refusal", "is_counted"),
    [
        ("scan:on-time", None, True),
        ("scan:late", None, True),
        ("scan:twice-1", None, True),
        ("scan:twice-2", "already_in", False),
        ("scan:elsewhere", "wrong_event", False),
        ("scan:garbled", "garbled", False),
        ("scan:other-type", "garbled", False),
        ("scan:misread", "bad_checksum", False),
        ("scan:no-hash", "bad_checksum", False),
        ("scan:stranger", "unknown_registration", False),
        ("scan:cancelled", "cancelled", False),
        ("scan:undone-before", "undone", False),
        ("scan:again-before", None, True),
        ("scan:again-after", "already_in", False),
        ("app:r-re-marked", None, True),
        ("scan:both", None, True),
        ("app:r-both", "already_in", False),
        ("app:r-mark-first", None, True),
        ("scan:mark-first", "already_in", False),
        ("app:r-timeless", None, True),
        ("scan:double", None, True),
        ("scan:replaced-old", "cancelled", False),
        ("scan:replaced-new", None, True),
        ("scan:nameless-1", None, True),
        ("scan:nameless-2", None, True),
        ("scan:typed-late", None, True),
        ("scan:gone-event", None, True),
        ("scan:wrong-door", "wrong_event", False),
        ("scan:right-door", None, True),
    ],
)
def test_a_claim_is_judged(claims: dict[str, Row], claim: str, refusal: str | None, is_counted: bool) -> None:
    found = claims[claim]
    assert (found["refusal_reason"], found["is_counted"]) == (refusal, is_counted)
    assert found["is_valid"] is (refusal in (None, "already_in"))


@pytest.mark.parametrize(
    ("registration_id", "attended_at"),
    [
        ("r-on-time", "04:40"), ("r-late", "2025-06-09T10:00"), ("r-twice", "04:40"), ("r-elsewhere", None),
        ("r-misread", None), ("r-cancelled", None), ("r-undone", None), ("r-both", "04:40"), ("r-mark-first", "04:40"),
        ("r-double", "04:40"), ("r-double-b", None), ("r-replaced", None), ("r-replaced-b", "04:50"),
        ("r-nameless-1", "04:40"), ("r-nameless-2", "04:50"), ("r-typed", "08:00"), ("r-typed-late", "04:40"),
        ("r-absent", None), ("r-timeless", "2025-06-02T02:55"),
    ],
)  # fmt: skip
def test_a_registration_attended_at_its_counted_claim(
    registrations: dict[str, Row], registration_id: str, attended_at: str | None
) -> None:
    row = registrations[registration_id]
    text = attended_at if attended_at is None or "T" in attended_at else f"2025-06-08T{attended_at}"
    assert row["attended_at"] == (datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None)
    assert row["is_attended"] is (attended_at is not None)


def test_every_scan_is_kept_once(claims: dict[str, Row]) -> None:
    scans = {change.document_id for change in STORY if change.collection == "scans"}
    assert {claim for claim in claims if claim.startswith("scan:")} == {f"scan:{scan_id}" for scan_id in scans}


def test_a_duplicates_code_admits_the_person_once(registrations: dict[str, Row]) -> None:
    first, second = registrations["r-double"], registrations["r-double-b"]
    assert (first["is_duplicate"], second["is_duplicate"]) == (False, True)
    assert (first["is_attended"], second["is_attended"]) == (True, False)


def test_attendance_typed_in_a_sheet_counts_with_its_own_method(claims: dict[str, Row]) -> None:
    (mark,) = [row for row in claims.values() if row["method"] == "sheet_mark" and row["registration_id"] == "r-typed"]
    assert mark["occurred_at"] == datetime.fromisoformat(AT_0800)
    assert (mark["is_counted"], mark["event_id"]) == (True, "e1")


def test_a_sheet_mark_without_a_time_does_not_beat_the_scan(claims: dict[str, Row]) -> None:
    rows = [row for row in claims.values() if row["registration_id"] == "r-typed-late"]
    assert {row["method"]: row["is_counted"] for row in rows} == {"qr_scan": True, "sheet_mark": False}


def test_a_walk_in_marked_attended_attends(registrations: dict[str, Row]) -> None:
    (walk_in,) = [row for row in registrations.values() if row["is_walk_in"]]
    assert walk_in["attended_at"] == datetime(2025, 6, 8, 4, 50, tzinfo=UTC)


def test_a_claim_for_a_deleted_event_is_kept_on_the_unknown_event(claims: dict[str, Row]) -> None:
    found = claims["scan:gone-event"]
    assert (found["event_id"], found["source_event_id"], found["is_counted"]) == ("unknown", "e-deleted", True)


def test_an_unknown_registration_is_not_repeated_from_the_code(claims: dict[str, Row]) -> None:
    found = claims["scan:stranger"]
    assert (found["registration_id"], found["user_id"], found["event_id"]) == (None, "unknown", "unknown")


def test_claims_before_attendance_was_undone_do_not_count_and_later_ones_do(pipeline: MemoryPipeline) -> None:
    pipeline.commit(
        changed("events", "e1", event(end_date="2025-06-21T12:30:00.000Z")),
        registered("asha", **ATTENDED, attendance_timestamp=AT_0440),
        changed("registrations", "r-asha", registration("asha"), after=60),
        scanned("before", code("asha"), at=AT_0450),
        changed("scans", "after", scan(code("asha"), "2025-06-21T04:00:00.000Z", "gate-1"), after=200_000),
    )
    pipeline.refresh()
    judged = {key: row["refusal_reason"] for key, row in pipeline.by_key("core.fact_attendance").items()}
    assert judged == {"scan:before": "undone", "scan:after": None}
    assert pipeline.by_key("core.fact_registrations")["r-asha"]["is_attended"] is True


def test_an_edited_or_sorted_row_leaves_attendance_without_a_time_on_the_day_it_was_first_marked(
    pipeline: MemoryPipeline,
) -> None:
    row, day = sheet_row("asha", attendance_status="Attended"), 86_400
    pipeline.commit(
        changed("events", "e1", event()),
        registered("asha"),
        changed("sheet_rows", "s/asha", sheet_row("asha", attendance_status="not attended")),
        changed("sheet_rows", "s/asha", row, after=day),
        changed("sheet_rows", "s/asha", row | {"row_number": 9}, after=2 * day),
        changed("sheet_rows", "s/asha", sheet_row("asha", attendance_status="Attended", notes="late"), after=3 * day),
    )
    pipeline.refresh()
    (claim,) = pipeline.rows("core.fact_attendance")
    assert claim["occurred_at"] == SEEN + timedelta(days=1)


EARLY, LATE = "2025-06-06T18:29:59.999Z", "2025-06-09T18:30:00.000Z"
"""The last instant before, and the first after, the days on which codes of the event of 8 June are good, in India."""


def received(scan_id: str, code: str, at: Any, received_at: str | None, **more: Any) -> Change:
    return changed("scans", scan_id, scan(code, at) | {"received_at": received_at} | more)


@pytest.mark.parametrize(
    ("scanned_at", "received_at", "occurred_at", "is_corrected", "refusal"),
    [
        ("2025-06-08T04:40:00Z", "2025-06-08T04:40:01Z", "2025-06-08T04:40:00Z", False, None),
        ("2025-06-08T04:49:00Z", "2025-06-08T04:40:00Z", "2025-06-08T04:49:00Z", False, None),
        ("2025-06-08T04:51:00Z", "2025-06-08T04:40:00Z", "2025-06-08T04:40:00Z", True, None),
        ("2025-06-09T04:40:00Z", "2025-06-08T04:40:00Z", "2025-06-08T04:40:00Z", True, None),
        ("1970-01-01T00:03:00Z", "2025-06-08T04:40:00Z", "2025-06-08T04:40:00Z", True, None),
        ("1980-01-06T00:05:00Z", "2025-06-08T04:40:00Z", "2025-06-08T04:40:00Z", True, None),
        ("2015-01-01T00:00:00Z", "2025-06-08T04:40:00Z", "2025-06-08T04:40:00Z", True, None),
        ("2099-12-31T00:00:00Z", "2025-06-08T04:40:00Z", "2025-06-08T04:40:00Z", True, None),
        ("0001-01-01T00:00:00Z", "2025-06-08T04:40:00Z", "2025-06-08T04:40:00Z", True, None),
        ("soon", "2025-06-08T04:40:00Z", "2025-06-08T04:40:00Z", True, None),
        (None, "2025-06-08T04:40:00Z", "2025-06-08T04:40:00Z", True, None),
        ("1970-01-01T00:03:00Z", "1970-01-01T00:03:01Z", "2025-06-20T00:00:00Z", True, None),
        ("1970-01-01T00:03:00Z", None, "2025-06-20T00:00:00Z", True, None),
        ("2024-06-08T04:40:00Z", None, "2024-06-08T04:40:00Z", False, "wrong_day"),
        (EARLY, "2025-06-08T04:40:00Z", EARLY, False, "wrong_day"),
        (LATE, "2025-06-12T04:40:00Z", LATE, False, "wrong_day"),
    ],
)  # fmt: skip
def test_a_scan_counts_at_a_believable_time(
    pipeline: MemoryPipeline, scanned_at: Any, received_at: str | None, occurred_at: str, is_corrected: bool,
    refusal: str | None,
) -> None:  # fmt: skip
    pipeline.commit(
        changed("events", "e1", event()), registered("asha"), received("s", code("asha"), scanned_at, received_at)
    )
    pipeline.refresh()
    fact = pipeline.by_key("core.fact_attendance")["scan:s"]
    assert (fact["occurred_at"], fact["is_clock_corrected"]) == (datetime.fromisoformat(occurred_at), is_corrected)
    assert (fact["refusal_reason"], fact["is_counted"]) == (refusal, refusal is None)


def test_a_scan_sent_long_after_the_event_keeps_a_time_of_the_event(pipeline: MemoryPipeline) -> None:
    pipeline.commit(
        changed("events", "e1", event()), registered("asha"), registered("ravi"),
    )  # fmt: skip
    for scan_id, person, at in (("of-the-day", "asha", AT_0440), ("of-no-day", "ravi", "2025-06-15T04:40:00Z")):
        sent = scan(code(person), at) | {"received_at": "2025-09-01T04:40:00Z"}
        pipeline.commit(changed("scans", scan_id, sent, after=73 * 86_400))
    pipeline.refresh()
    facts = pipeline.by_key("core.fact_attendance")
    assert facts["scan:of-the-day"]["occurred_at"] == datetime(2025, 6, 8, 4, 40, tzinfo=UTC)
    assert facts["scan:of-no-day"]["occurred_at"] == datetime(2025, 9, 1, 4, 40, tzinfo=UTC)
    assert [facts[name]["is_counted"] for name in ("scan:of-the-day", "scan:of-no-day")] == [True, True]


def test_an_override_admits_at_another_door_and_on_another_day_and_is_recorded(pipeline: MemoryPipeline) -> None:
    by = {"override": True, "override_by": "ep_gate", "override_reason": "has a day ticket"}
    pipeline.commit(
        changed("events", "e1", event()), changed("events", "e2", event(title="Quiz")),
        *(registered(person) for person in ("asha", "ravi", "mina", "vik")), registered("gone", status="cancelled"),
        changed("scans", "door", scan(code("asha")) | {"event_id": "e2"} | by),
        changed("scans", "day", scan(code("ravi"), LATE) | by),
        changed("scans", "needless", scan(code("mina")) | by),
        changed("scans", "cancelled", scan(code("gone"), LATE) | by),
        changed("scans", "of-another", scan(code("vik", event_id="e2")) | by),
    )  # fmt: skip
    pipeline.refresh()
    facts = pipeline.by_key("core.fact_attendance")
    assert {name: (fact["refusal_reason"], fact["is_override"]) for name, fact in facts.items()} == {
        "scan:door": (None, True), "scan:day": (None, True), "scan:needless": (None, False),
        "scan:cancelled": ("cancelled", False), "scan:of-another": ("wrong_event", False),
    }  # fmt: skip
    row = pipeline.by_key("staging.scans")["door"]
    assert (row["is_override"], row["override_by"], row["override_reason"]) == (True, "ep_gate", "has a day ticket")


def test_a_move_of_the_event_judges_its_scans_anew(pipeline: MemoryPipeline) -> None:
    pipeline.commit(changed("events", "e1", event()), registered("asha"), scanned("s", code("asha"), at=LATE))
    pipeline.refresh()
    assert pipeline.by_key("core.fact_attendance")["scan:s"]["refusal_reason"] == "wrong_day"
    pipeline.commit(changed("events", "e1", event(end_date="2025-06-09T12:30:00.000Z"), after=1))
    pipeline.refresh()
    assert pipeline.by_key("core.fact_attendance")["scan:s"]["is_counted"] is True


plain = st.text(st.characters(max_codepoint=0xFFFF, exclude_characters="\x00", exclude_categories=["Cs"]), max_size=60)


@given(st.lists(st.tuples(plain, plain, plain, st.integers(0, 2**53)), min_size=5, max_size=20))
@settings(deadline=None, max_examples=scaled(20))
def test_the_database_computes_the_apps_checksum(memory_pipeline: MemoryPipeline, parts: list[Any]) -> None:
    memory_pipeline.clear()
    for number, (registration_id, event_id, person, made_at) in enumerate(parts):
        right = qr_code(registration_id, person, event_id, made_at)
        wrong = qr_code(registration_id, person, event_id, made_at, email=f"{person}x@example.org")
        memory_pipeline.commit(scanned(f"right-{number}", right), scanned(f"wrong-{number}", wrong))
    memory_pipeline.refresh({"staging.scans"})
    found = memory_pipeline.by_key("staging.scans")
    assert {key: row["is_checksum_valid"] for key, row in found.items()} == {
        key: key.startswith("right") for key in found
    }
    assert len(found) == 2 * len(parts)


def test_a_text_longer_than_any_code_has_no_checksum(pipeline: MemoryPipeline) -> None:
    fits, too_long = qr_code("r" * 900, "asha"), qr_code("r" * 1_200, "asha")
    pipeline.commit(scanned("fits", fits), scanned("too-long", too_long))
    pipeline.refresh({"staging.scans"})
    found = pipeline.by_key("staging.scans")
    assert (found["fits"]["is_checksum_valid"], found["too-long"]["is_checksum_valid"]) == (True, False)

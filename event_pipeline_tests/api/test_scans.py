"""At the door: phones are told at once what the tables say later, nothing is lost, and nobody comes in twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from event_pipeline.api.problems import Problem
from event_pipeline.contracts.core import FACT_REGISTRATIONS
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect
from event_pipeline_tests.api import evening as evenings
from event_pipeline_tests.api.evening import DEVICES, SCANS_A_DEVICE, Evening, Phone
from event_pipeline_tests.api.organisation import NOW, Api, append, ask, running_api
from event_pipeline_tests.warehouse.documents import qr_code

TOLD = {
    None: {"admitted", "already_in", "unpaid"},
    "already_in": {"admitted", "already_in", "unpaid"},
    "garbled": {"garbled"},
    "bad_checksum": {"garbled"},
    "unknown_registration": {"unknown"},
    "wrong_event": {"not_this_event"},
    "cancelled": {"cancelled"},
    "undone": {"taken_back"},
    "wrong_day": {"not_this_day"},
}
"""By the reason that core.fact_attendance refuses a scan for, what phones are told."""

TOMORROW = datetime.now(UTC) + timedelta(days=1)
"""After attendance was taken back, which is when the app exported it."""

ODD = ("team", "second registration", "cancelled", "paid", "pending", "never paid", "rejected", "unknown",
       "another event's", "misread", "menu", "half", "taken back")  # fmt: skip


@pytest.fixture(scope="module")
def evening(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Evening:
    """Doors open, one gate scans one of each kind in turn, then everybody comes at once; then the tables follow."""
    made = Evening(evenings.copy_of(folder, tmp_path_factory.mktemp("evening")))
    evenings.hold_today(made.settings)
    made.codes = evenings.invite(made.settings)
    evenings.bring_up_to_date(made.settings, *evenings.REGISTRATIONS, *evenings.ATTENDANCE)
    free, paid = evenings.events_of(made.settings)
    with evenings.serving(made.settings) as (services, address):
        gate = Phone(services, address, "gate-1")
        late = Phone(services, address, "gate-2")
        for number, name in enumerate(("guest-0", *ODD, "guest-1", "paid")):
            made.live += gate.send([(made.codes[name], NOW + timedelta(seconds=number))])
        made.live += gate.send([(made.codes["guest-3"], NOW + timedelta(seconds=40))], paid)
        made.live += gate.send([(made.codes["guest-3"], NOW + timedelta(seconds=41))], free)
        services.now = lambda: TOMORROW
        made.live += late.send([(made.codes["taken back"], TOMORROW)])
        services.now = lambda: NOW
        gate.close()
        late.close()
        guests = [made.codes[f"guest-{number}"] for number in range(4, evenings.GUESTS)]
        made.burst, made.statuses = evenings.burst(services, address, guests)
    evenings.bring_up_to_date(made.settings, *evenings.ATTENDANCE)
    return made


@pytest.fixture(scope="module")
def facts(evening: Evening) -> dict[tuple[str, datetime], dict[str, Any]]:
    """Scans as the tables have them, by device and time."""
    rows = ask(
        evening.settings, "SELECT scanner_id, epoch_us(occurred_at), refusal_reason, is_counted, user_id "
        "FROM warehouse.core.fact_attendance WHERE scanner_id IN ('gate-1', 'gate-2') AND occurred_at >= ? "
        "OR scanner_id LIKE 'burst-%'", [NOW - timedelta(days=3)]
    )  # fmt: skip
    names = ("refusal", "is_counted", "user_id")
    return {
        (scanner, datetime.fromtimestamp(at / 1_000_000, UTC)): dict(zip(names, rest, strict=True))
        for scanner, at, *rest in rows
    }


def test_the_phone_is_told_what_is_the_matter(evening: Evening) -> None:
    told = [one.answer for one in evening.live]
    assert told == [
        "admitted",  # guest-0
        "admitted",  # a team, by its one code
        "already_in",  # guest-0 by the code of a second registration
        "cancelled", "admitted", "unpaid", "unpaid", "unpaid", "unknown", "not_this_event", "garbled", "garbled",
        "garbled", "taken_back",
        "admitted", "already_in",  # guest-1, whose other code was refused; the one who paid, again
        "not_this_event", "admitted",  # guest-3 at another event's door, then at the right one
        "admitted",  # scanned again after attendance was taken back
    ]  # fmt: skip


def test_who_is_in_already_is_told_since_when(evening: Evening) -> None:
    assert evening.live[2].since == evening.live[0].scanned_at
    assert evening.live[15].since == evening.live[4].scanned_at


def test_a_burst_loses_nothing_and_admits_each_person_once(
    evening: Evening, facts: dict[tuple[str, datetime], dict[str, Any]]
) -> None:
    assert evening.statuses == {200}
    assert len(evening.burst) == DEVICES * SCANS_A_DEVICE == 1_000
    kept = {one: facts[one.scanner_id, one.scanned_at] for one in evening.burst}
    admitted = Counter(fact["user_id"] for told, fact in kept.items() if told.answer == "admitted")
    counted = Counter(fact["user_id"] for fact in kept.values() if fact["is_counted"])
    everyone = {fact["user_id"] for fact in kept.values()}
    assert admitted == counted == dict.fromkeys(everyone, 1)
    assert {told.answer for told in evening.burst} == {"admitted", "already_in"}


def test_the_tables_agree_with_every_answer(
    evening: Evening, facts: dict[tuple[str, datetime], dict[str, Any]]
) -> None:
    said = [(told, facts[told.scanner_id, told.scanned_at]) for told in (*evening.live, *evening.burst)]
    assert [(told, fact) for told, fact in said if told.answer not in TOLD[fact["refusal"]]] == []
    live = [(told.answer, fact["is_counted"]) for told, fact in said if told in evening.live]
    assert [answer for answer, is_counted in live if is_counted != (answer in {"admitted", "unpaid"})] == []


@pytest.fixture(scope="module")
def door(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A door of the organisation as it is."""
    settings = evenings.copy_of(folder, tmp_path_factory.mktemp("door"))
    evenings.hold_today(settings)
    with running_api(settings) as running:
        yield running


@pytest.fixture(scope="module")
def expected(door: Api) -> list[tuple[str, str, str]]:
    """Code, event and name of people who have not come to a free event."""
    return ask(
        door.services.settings, "SELECT json_extract_string(payload, '$.qr_code_data'), f.event_id, person_name "
        "FROM warehouse.core.fact_registrations f "
        "JOIN lake.raw.firebase_registrations ON document_id = registration_id "
        "JOIN lake.people.people USING (user_id) JOIN warehouse.core.dim_events e ON e.event_id = f.event_id "
        "WHERE f.is_counted AND NOT is_attended AND NOT e.is_paid "
        "AND json_extract_string(payload, '$.qr_code_data') IS NOT NULL "
        "ORDER BY 1"
    )  # fmt: skip


def scan(
    door: Api, text: str, at: datetime = NOW, headers: dict[str, str] | None = None, **more: Any
) -> dict[str, Any]:
    item = {"qr_code_data": text, "scanned_at": at.isoformat(), **more}
    answer = door.http.post("/scans", json={"scans": [item]}, headers=headers or door.headers("scan"))
    assert answer.status_code == 200, answer.text
    return answer.json()["items"][0]


def lines(settings: Settings) -> int:
    try:
        return sum(len(path.read_bytes().splitlines()) for path in settings.inbox_dir.glob("inbound-*"))
    except FileNotFoundError:  # one got its name meanwhile
        return lines(settings)


def test_a_scan_sent_again_is_answered_as_before_and_kept_once(door: Api, expected: list[Any]) -> None:
    text, headers, settings = expected[0][0], door.headers("scan"), door.services.settings
    first = scan(door, text, headers=headers, scan_id="s-1")
    kept = lines(settings)
    assert first["answer"] == "admitted"
    assert scan(door, text, headers=headers, scan_id="s-1") == first
    assert lines(settings) == kept
    assert scan(door, text, headers=headers, scan_id="s-2")["answer"] == "already_in"
    without = scan(door, expected[1][0], headers=headers)
    assert without == scan(door, expected[1][0], headers=headers)
    assert without["answer"] == "admitted"


def test_two_phones_that_scan_a_code_at_once_admit_one_person(door: Api, expected: list[Any]) -> None:
    keys = [door.headers("scan") for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda headers: scan(door, expected[2][0], headers=headers)["answer"], keys))
    assert Counter(told) == {"admitted": 1, "already_in": 7}


def test_an_offline_scan_keeps_its_time_and_tells_since_then(door: Api, expected: list[Any]) -> None:
    earlier = NOW - timedelta(hours=2)
    assert scan(door, expected[3][0])["answer"] == "admitted"
    late = scan(door, expected[3][0], earlier, scanner_id="offline")
    assert (late["answer"], late["since"]) == ("already_in", earlier.isoformat().replace("+00:00", "Z"))
    records = "".join(path.read_text() for path in door.services.settings.inbox_dir.glob("inbound-*"))
    assert earlier.strftime('"scanned_at":"%Y-%m-%dT%H:%M:%S.000000Z","scanner_id":"offline"') in records


def test_a_time_without_a_zone_is_in_the_organisations(door: Api, expected: list[Any]) -> None:
    local = datetime(2026, 6, 30, 6, 0)  # noqa: DTZ001
    assert scan(door, expected[4][0], local)["since"] == "2026-06-30T00:30:00Z"


def test_a_registration_newer_than_the_list_is_looked_for_before_it_is_called_unknown(
    door: Api, expected: list[Any]
) -> None:
    event_id = expected[5][1]
    scan(door, expected[5][0])
    text = qr_code("r-brand-new", "new", event_id=event_id)
    headers = door.headers("scan")
    assert scan(door, text, headers=headers)["answer"] == "unknown"
    row = {
        "registration_id": "r-brand-new", "event_id": event_id, "source_event_id": event_id, "user_id": "u-new",
        "registrant_key": "k-new", "is_shared_address": False,
        "registration_status": "registered", "team_size": 1, "is_cancelled": False, "is_duplicate": False,
        "is_counted": True, "is_walk_in": False, "is_attended": False,
    }  # fmt: skip
    settings = door.services.settings
    with connect(settings) as connection:
        append(connection, settings, FACT_REGISTRATIONS, row)
    # The very same scan, sent again.
    assert scan(door, text, headers=headers)["answer"] == "admitted"


def test_a_door_goes_on_by_its_list_while_the_warehouse_is_busy(
    door: Api, expected: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    of_one_event = [text for text, event_id, _ in expected[8:] if event_id == expected[8][1]]
    assert scan(door, of_one_event[0])["answer"] == "admitted"
    headers = door.headers("scan")

    def busy() -> None:
        raise Problem("busy", "try again in a second")

    monkeypatch.setattr(door.services.private, "session", busy)
    assert scan(door, of_one_event[1], headers=headers)["answer"] == "admitted"
    upload = {"scans": [{"qr_code_data": qr_code("r-nobody", "nobody"), "scanned_at": NOW.isoformat()}]}
    refused = door.http.post("/scans", json=upload, headers=headers)
    assert (refused.status_code, refused.json()["type"]) == (503, "urn:event-pipeline:problem:busy")


def test_names_are_told_to_keys_that_may_know_them_and_audited(door: Api, expected: list[Any]) -> None:
    text, _, name = expected[6]
    assert scan(door, text)["person_name"] is None
    assert scan(door, text, headers=door.headers("scan", "pii"))["person_name"] == name
    assert door.services.audit.entries(1)[0].action == "read_scanned_people"


def test_scans_are_kept_when_the_warehouse_cannot_answer_and_answered_when_sent_again(
    tmp_path: Path, folder: Path, expected: list[Any]
) -> None:
    settings = evenings.copy_of(folder, tmp_path)
    evenings.hold_today(settings)
    kept, hidden = lines(settings), settings.catalog_dir.rename(tmp_path / "hidden")
    with running_api(settings) as door:
        headers = door.headers("scan")
        upload = {"scans": [{"qr_code_data": expected[7][0], "scanned_at": NOW.isoformat()}]}
        refused = door.http.post("/scans", json=upload, headers=headers)
        assert (refused.status_code, lines(settings)) == (503, kept + 1)
        hidden.rename(settings.catalog_dir)
        assert door.http.post("/scans", json=upload, headers=headers).json()["items"][0]["answer"] == "admitted"


def test_whatever_a_scanner_reads_is_answered_and_kept(door: Api) -> None:
    before = lines(door.services.settings)
    hostile = ["", "\x00", "{", "[" * 1_000, '{"type":"NITS_EVENT_ATTENDANCE"}', "\U0001f600", "x" * 100_000, "null"]
    for text in hostile:
        assert scan(door, text)["answer"] == "garbled"
    raw = b'{"scans": [{"qr_code_data": "\\ud800", "scanned_at": "2026-06-30T01:00:00Z"}]}'
    sent = door.http.post("/scans", content=raw, headers=door.headers("scan") | {"Content-Type": "application/json"})
    assert sent.json()["items"][0]["answer"] == "garbled"
    assert lines(door.services.settings) == before + len(hostile) + 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"scans": []},
        {"scans": [{"qr_code_data": "x"}]},
        {"scans": [{"qr_code_data": 5, "scanned_at": "2026-06-01T00:00:00Z"}]},
        {"scans": [{"qr_code_data": "x", "scanned_at": "2026-06-01T00:00:00Z", "scanner": "typo"}]},
        {"scans": [{"qr_code_data": "x", "scanned_at": "2026-06-01T00:00:00Z"}] * 1_001},
    ],
)
def test_an_upload_of_another_shape_is_refused_whole(door: Api, wrong: dict[str, Any]) -> None:
    before = lines(door.services.settings)
    answer = door.http.post("/scans", json=wrong, headers=door.headers("scan"))
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:event-pipeline:problem:invalid")
    assert lines(door.services.settings) == before

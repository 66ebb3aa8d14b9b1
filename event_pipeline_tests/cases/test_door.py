"""Scans of the cases: whoever is told admitted at the door is counted by the tables, and the reverse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from event_pipeline_tests.api import evening as evenings
from event_pipeline_tests.api.conftest import folder
from event_pipeline_tests.api.organisation import NOW, ask, running_api
from event_pipeline_tests.warehouse.documents import event, qr_code, registration

__all__ = ["folder"]

CASE = Path(__file__).parent / "63-clock-reset-batch" / "batch.json"

DAY = "2026-05-20T04:30:00.000Z"
EVENT = event(title="Hack Night", start_date=DAY, end_date="2026-05-20T12:30:00.000Z")
OTHER = event(title="Quiz", start_date=DAY, end_date="2026-05-20T12:30:00.000Z")

BOM, NBSP, ZERO_WIDTH = "\ufeff", "\u00a0", "\u200b"


def good(person: str, **more: Any) -> str:
    """The code of a person's registration."""
    return qr_code(f"r{person}", person, "hack", **more)


def sent(person: str, text: str | None = None, at: Any = "2026-05-20T05:00:00Z", **more: Any) -> dict[str, Any]:
    """An item of an upload."""
    return {"qr_code_data": good(person) if text is None else text, "scanned_at": at, **more}


ITEMS: dict[str, tuple[dict[str, Any], str]] = {
    "on time": (sent("p1"), "admitted"),
    "1970": (sent("p2", at="1970-01-01T00:03:00Z"), "admitted"),
    "1980": (sent("p3", at="1980-01-06T00:05:00Z"), "admitted"),
    "year 1": (sent("p4", at="0001-01-01T00:00:00Z"), "admitted"),
    "2099": (sent("p5", at="2099-12-31T00:00:00Z"), "admitted"),
    "no time": (sent("p6", at="soon"), "admitted"),
    "no time, but one to the tables": (sent("p7", at="20/05/2025, 10:30:00 am"), "admitted"),
    "epoch": (sent("p8", at=1_779_253_200), "admitted"),
    "byte order mark": (sent("p9", BOM + good("p9")), "admitted"),
    "invisible edges": (sent("p10", f"{ZERO_WIDTH}{NBSP}{good('p10')}\r\n{ZERO_WIDTH}"), "admitted"),
    "misread mark": (sent("p11", "ï»¿" + good("p11")), "admitted"),
    "reader's prefix": (sent("p12", "]Q1" + good("p12")), "admitted"),
    "id with a mark": (sent("p13", qr_code(BOM + "rp13", "p13", "hack" + NBSP)), "admitted"),
    "another day": (sent("p14", at="2026-06-05T05:00:00Z"), "not_this_day"),
    "the evening before": (sent("p15", at="2026-05-19T17:00:00Z"), "admitted"),
    "after midnight": (sent("p16", at="2026-05-20T20:00:00Z"), "admitted"),
    "another day, admitted": (sent("p17", at="2026-06-05T05:00:00Z", override=True), "admitted"),
    "another event's code": (sent("p18", qr_code("rp18", "p18", "quiz")), "not_this_event"),
    "another event's code, overridden": (sent("p19", qr_code("rp19", "p19", "quiz"), override=True), "not_this_event"),
    "another event": (sent("p20", qr_code("rp20-quiz", "p20", "quiz")), "not_this_event"),
    "another event, admitted": (sent("p21", qr_code("rp21-quiz", "p21", "quiz"), override=True), "admitted"),
    "cancelled": (sent("p22"), "cancelled"),
    "cancelled, overridden": (sent("p22", override=True), "cancelled"),
    "misread": (sent("p23", good("p23").replace("p23@", "p32@")), "garbled"),
    "half": (sent("p24", good("p24")[:40]), "garbled"),
    "name written twice": (sent("p25", good("p25")[:-1] + ', "registrationId": "rp1"}'), "admitted"),
    "unknown": (sent("nobody", qr_code("r-nobody", "nobody", "hack")), "unknown"),
    "again": (sent("p1", at="2026-05-20T05:10:00Z"), "already_in"),
    "again with a reset clock": (sent("p2", at="1970-01-01T00:09:00Z"), "already_in"),
    "an id of a scan used twice": (sent("p26", scan_id="1"), "admitted"),
    "the other with that id": (sent("p27", scan_id="1"), "admitted"),
    "no text": ({"qr_code_data": 5, "scanned_at": DAY}, "invalid"),
    "no item": ("nothing", "invalid"),  # pyright: ignore[reportAssignmentType]
}
"""Items of one upload by what is the matter with them, and what each is told."""

ADMITTED = {f"p{number}" for number in (*range(1, 14), 15, 16, 17, 21, 25, 26, 27)}


@pytest.fixture(scope="module")
def attended(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What phones are told, and per person how often the tables count them, after the case's batch and ITEMS."""
    settings = evenings.copy_of(folder, tmp_path_factory.mktemp("cases"))
    batch = json.loads(CASE.read_text())
    people = {registration_id: person for registration_id, person, _ in batch}
    people |= {f"rp{number}": f"p{number}" for number in range(1, 28)}
    documents = {name: registration(person, event_id="hack") for name, person in people.items()}
    documents["rp22"] = registration("p22", event_id="hack", status="cancelled")
    documents |= {f"r{person}-quiz": registration(person, event_id="quiz") for person in ("p20", "p21")}
    exports = {"registrations": documents, "events": {"hack": EVENT, "quiz": OTHER}}
    for collection, made in exports.items():
        lines = (json.dumps({"id": name, "data": data}) for name, data in made.items())
        (settings.exports_dir / f"{collection}-case.ndjson").write_text("\n".join(lines) + "\n")
    evenings.bring_up_to_date(
        settings, "staging.events", "core.dim_events", *evenings.REGISTRATIONS, *evenings.ATTENDANCE
    )
    with running_api(settings) as api:
        headers = api.headers("scan")
        items = [sent(person, qr_code(name, person, "hack"), at) for name, person, at in batch]
        first = api.http.post("/scans", json={"scans": items}, headers=headers).json()
        upload = {"scans": [item for item, _ in ITEMS.values()], "event_id": " hack "}
        second = api.http.post("/scans", json=upload, headers=headers).json()
    evenings.bring_up_to_date(settings, *evenings.ATTENDANCE, "people.people", "core.fact_registrations")
    counted = ask(
        settings, "SELECT split_part(email, '@', 1), count(*)::INTEGER FROM warehouse.core.fact_registrations "
        "JOIN lake.people.people USING (user_id) WHERE is_attended AND source_event_id IN ('hack', 'quiz') GROUP BY 1"
    )  # fmt: skip
    facts = ask(
        settings, "SELECT registration_id, is_clock_corrected, is_override, occurred_at::VARCHAR "
        "FROM warehouse.core.fact_attendance WHERE is_counted AND source_event_id IN ('hack', 'quiz')"
    )  # fmt: skip
    return {"first": first, "second": second, "counted": dict(counted), "facts": {name: rest for name, *rest in facts}}


def test_a_batch_of_a_phone_with_a_reset_clock_is_admitted_and_attended(attended: dict[str, Any]) -> None:
    assert [item["answer"] for item in attended["first"]["items"]] == ["admitted"] * 3
    assert {person: attended["counted"].get(person) for person in ("q3", "q7", "q9")} == {"q3": 1, "q7": 1, "q9": 1}
    received = NOW.strftime("%Y-%m-%d %H:%M")
    corrected = {name: (fact[0], fact[2][:16]) for name, fact in attended["facts"].items() if name.startswith("rq")}
    assert corrected == {"rq3": (True, received), "rq7": (True, received), "rq9": (False, "2026-05-20 05:00")}


def test_each_scan_of_a_batch_has_its_own_answer(attended: dict[str, Any]) -> None:
    told = dict(zip(ITEMS, (item["answer"] for item in attended["second"]["items"]), strict=True))
    assert told == {name: answer for name, (_, answer) in ITEMS.items()}


def test_whoever_is_told_admitted_is_counted_and_nobody_else(attended: dict[str, Any]) -> None:
    counted = {person: times for person, times in attended["counted"].items() if person.startswith("p")}
    assert counted == dict.fromkeys(ADMITTED, 1)


def test_an_override_is_recorded_with_the_claim_that_it_admits(attended: dict[str, Any]) -> None:
    assert {name for name, (_, is_override, _) in attended["facts"].items() if is_override} == {"rp17", "rp21-quiz"}


def test_a_refusal_that_may_be_overridden_says_so(attended: dict[str, Any]) -> None:
    said = dict(zip(ITEMS, (item["may_override"] for item in attended["second"]["items"]), strict=True))
    assert {name for name, may in said.items() if may} == {"another day", "another event"}

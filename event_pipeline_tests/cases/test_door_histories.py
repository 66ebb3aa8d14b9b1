"""Any history of scans: what phones are told is what the tables count. And what pages say of refused registrations."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from event_pipeline.api.sessions import COOKIE
from event_pipeline.settings import Settings
from event_pipeline_tests.api import evening as evenings
from event_pipeline_tests.api.conftest import folder
from event_pipeline_tests.api.organisation import Api, ask, running_api
from event_pipeline_tests.effort import scaled
from event_pipeline_tests.warehouse.documents import event, qr_code, registration

__all__ = ["folder"]

DAY, END = "2026-05-20T04:30:00.000Z", "2026-05-20T12:30:00.000Z"
PEOPLE = 8
TIMES = st.one_of(
    st.integers(0, 59).map(lambda minute: f"2026-05-20T05:{minute:02}:00Z"),
    st.sampled_from(
        ["1970-01-01T00:00:05Z", "2099-01-01T00:00:00Z", "2026-05-19T17:00:00Z", "2026-05-21T18:29:59Z",
         "2026-05-21T18:30:00Z", "2026-05-18T18:29:59Z", "2026-05-28T05:00:00Z", "2026-05-20 10:45:00", "soon",
         1779253200]
    ),
)  # fmt: skip
CODES = st.sampled_from(
    ["own"] * 6 + ["second", "team", "quiz", "lies", "cancelled", "misread", "half", "nobody", "mark"]
)
REASONS = {
    "not_this_event": {"wrong_event"}, "not_this_day": {"wrong_day"}, "cancelled": {"cancelled"},
    "unknown": {"unknown_registration"}, "garbled": {"garbled", "bad_checksum"}, "admitted": {None, "already_in"},
    "unpaid": {None, "already_in"}, "already_in": {None, "already_in"},
}  # fmt: skip
"""By what a phone is told: the reasons of the tables. A scan that is delivered later may be of an earlier time."""


@dataclass(frozen=True)
class Drawn:
    """A scan; ``door`` is whose door it was, ``times`` how often it is delivered."""

    person: int
    code: str
    at: Any
    door: str | None
    override: bool
    times: int


SCANS = st.builds(
    Drawn, st.integers(0, PEOPLE - 1), CODES, TIMES, st.sampled_from(["hack", "hack", "quiz", None]), st.booleans(),
    st.sampled_from([1, 1, 2]),
)  # fmt: skip


@pytest.fixture(scope="module")
def door(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Api]]:
    """A folder of its own with the API over it, and an event of which every registration is refused."""
    copied = evenings.copy_of(folder, tmp_path_factory.mktemp("door"))
    refused = {f"x{n}": registration(f"x{n}", event_id="refused", participant_email="nobody at all") for n in (1, 2)}
    _export(copied, "refused", {"refused": event(title="Refused"), "bare": event(title="Bare")}, refused)
    with running_api(copied) as api:
        yield copied, api


def _export(copied: Settings, name: str, events: dict[str, Any], registrations: dict[str, Any]) -> None:
    for collection, made in {"events": events, "registrations": registrations}.items():
        lines = (json.dumps({"id": key, "data": data}) for key, data in made.items())
        (copied.exports_dir / f"{collection}-{name}.ndjson").write_text("\n".join(lines) + "\n")
    tables = (*evenings.REGISTRATIONS, *evenings.ATTENDANCE, "core.fact_registrations")
    evenings.bring_up_to_date(copied, "staging.events", "core.dim_events", *tables)


def _registrations(number: int) -> dict[str, Any]:
    """Per person one that counts, its second, a cancelled one, a team's, and one of the other event."""
    hack, quiz = f"hack{number}", f"quiz{number}"
    made: dict[str, Any] = {}
    for person in range(PEOPLE):
        name = f"h{number}p{person}"
        made |= {
            f"{name}-own": registration(name, event_id=hack),
            f"{name}-second": registration(name, event_id=hack),
            f"{name}-cancelled": registration(f"{name}c", event_id=hack, status="cancelled"),
            f"{name}-team": registration(
                f"{name}t", event_id=hack, registration_type="team", additional_info={"team_members": [{}, {}]}
            ),
            f"{name}-quiz": registration(name, event_id=quiz),
        }
    return made


def _text(drawn: Drawn, number: int) -> str:
    name, hack = f"h{number}p{drawn.person}", f"hack{number}"
    code = qr_code(f"{name}-own", name, hack)
    return {
        "second": qr_code(f"{name}-second", name, hack),
        "quiz": qr_code(f"{name}-quiz", name, f"quiz{number}"),
        "lies": qr_code(f"{name}-own", name, f"quiz{number}"),
        "team": qr_code(f"{name}-team", f"{name}t", hack),
        "cancelled": qr_code(f"{name}-cancelled", f"{name}c", hack),
        "misread": code.replace(f"{name}@", f"{name}x@"),
        "half": code[:30],
        "nobody": qr_code(f"{name}-gone", name, hack),
        "mark": f"\ufeff{code}\r\n",
    }.get(drawn.code, code)


def _told(api: Api, drawn: list[Drawn], number: int) -> dict[str, str]:
    """What each scan was told first; sent again it is told the same."""
    headers, told = api.headers("scan"), dict[str, str]()
    for place, scan in enumerate(drawn):
        item = {"qr_code_data": _text(scan, number), "scanned_at": scan.at, "scanner_id": f"h{number}s{place}"}
        upload = {"scans": [item | {"override": scan.override}], "event_id": scan.door and f"{scan.door}{number}"}
        for _ in range(scan.times):
            (answer,) = api.http.post("/scans", json=upload, headers=headers).json()["items"]
            assert told.setdefault(item["scanner_id"], answer["answer"]) == answer["answer"]
    return told


NUMBERS = count()


@settings(
    max_examples=scaled(2), deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True,
)  # fmt: skip
@given(drawn=st.lists(SCANS, min_size=30, max_size=50))
def test_what_phones_are_told_is_what_the_tables_count(door: tuple[Settings, Api], drawn: list[Drawn]) -> None:
    copied, api = door
    number = next(NUMBERS)
    days = {"start_date": DAY, "end_date": END}
    events = {f"{name}{number}": event(title=name, **days) for name in ("hack", "quiz")}
    _export(copied, f"h{number}", events, _registrations(number))
    told = _told(api, drawn, number)
    evenings.bring_up_to_date(copied, *evenings.ATTENDANCE, "core.fact_registrations")
    facts = ask(
        copied, "SELECT scanner_id, refusal_reason, is_counted, registration_id, source_event_id "
        "FROM warehouse.core.fact_attendance WHERE scanner_id LIKE ?", [f"h{number}s%"]
    )  # fmt: skip
    assert {scanner for scanner, *_ in facts} == set(told)
    wrong = {scanner: (told[scanner], reason) for scanner, reason, *_ in facts if reason not in REASONS[told[scanner]]}
    assert wrong == {}
    names = {scanner: (event_id, name.removesuffix("-own").removesuffix("-second"))
             for scanner, _, _, name, event_id in facts if name}  # fmt: skip
    admitted = Counter(names[scanner] for scanner, answer in told.items() if answer in {"admitted", "unpaid"})
    counted = Counter(names[scanner] for scanner, _, is_counted, *_ in facts if is_counted)
    assert admitted == counted == dict.fromkeys(counted, 1)
    came = ask(
        copied, "SELECT source_event_id, count(*)::INTEGER FROM warehouse.core.fact_registrations "
        "WHERE is_attended AND source_event_id IN (?, ?) GROUP BY 1", list(events)
    )  # fmt: skip
    assert dict(came) == dict(Counter(event_id for event_id, _ in counted))


def test_a_page_of_an_event_whose_registrations_were_refused_says_so(door: tuple[Settings, Api]) -> None:
    _, api = door
    services = api.services
    key, _ = services.keys.create("a test's", ("read", "pii"))
    api.http.cookies.set(COOKIE, services.sessions.begin(key, 1).secret)
    try:
        for path in ("/events/refused", "/events/refused/participants"):
            shown = api.http.get(path).text
            assert "2 registrations could not be read" in shown
            assert 'href="/quality#quarantine"' in shown
            assert "Nobody has registered yet" not in shown
        for path in ("/events/bare", "/events/bare/participants"):
            assert "Nobody has registered yet" in api.http.get(path).text
    finally:
        api.http.cookies.clear()

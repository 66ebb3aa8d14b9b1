"""The workbook of an event: its people, their teams, and figures that are the API's."""

from __future__ import annotations

import io
import json
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from event_pipeline.settings import Settings
from event_pipeline.sources.sheet_columns import REGISTRATIONS, TEAM_MEMBERS
from event_pipeline.sources.sheet_layout import read_rows
from event_pipeline_tests.api.organisation import Api, ask
from event_pipeline_tests.exports.written import excel_sheets

EVENTS = "/api/pipeline/events"
ZONE = ZoneInfo("Asia/Kolkata")


def _busiest(settings: Settings, condition: str) -> str:
    ((event_id,),) = ask(
        settings,
        "SELECT event_id FROM warehouse.core.dim_events JOIN warehouse.marts.agg_email_funnel USING (event_id) "
        f"WHERE event_id <> 'unknown' AND {condition} ORDER BY registered DESC, event_id LIMIT 1",
    )
    return event_id


def _workbook(api: Api, headers: dict[str, str], event_id: str) -> bytes:
    answer = api.http.get(f"{EVENTS}/{event_id}/workbook", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["cache-control"] == "no-store"
    return answer.content


@pytest.fixture(scope="module")
def paid(settings: Settings) -> str:
    """A past event with a fee, questions of its own and many registrations."""
    return _busiest(
        settings,
        "is_paid AND event_status = 'completed' AND event_id IN "
        "(SELECT event_id FROM lake.staging.events WHERE len(custom_fields) > 5)",
    )


@pytest.fixture(scope="module")
def sheets(api: Api, everything: dict[str, str], paid: str) -> dict[str, list[list[Any]]]:
    return excel_sheets(_workbook(api, everything, paid))


def test_the_sheets_are_those_of_the_app(sheets: dict[str, list[list[Any]]], settings: Settings, paid: str) -> None:
    assert list(sheets) == ["Registrations", "Team Members", "Dashboard", "Payments", "Payments To Check"]
    ((title, form),) = ask(settings, "SELECT title, custom_fields FROM lake.staging.events WHERE event_id = ?", [paid])
    labels = [question["label"] for question in json.loads(form)]
    rows = sheets["Registrations"]
    assert rows[0][0] == f"{title} - Event Registrations"
    assert all(cell is None for cell in rows[1])
    assert rows[2] == [
        "S.No.", "Name", "Email", "Phone", "Student ID", "Department", "Year", "Registration Type",
        "Registration Status", "Attendance Status", "Attendance Time", "Registration Date", *labels,
        "Payment Verified", "Payment Amount", "Payment Screenshot", "Notes",
    ]  # fmt: skip


def test_every_registration_is_a_row_with_its_person(
    sheets: dict[str, list[list[Any]]], settings: Settings, paid: str
) -> None:
    header, rows = sheets["Registrations"][2], sheets["Registrations"][3:]
    found = [dict(zip(header, row, strict=True)) for row in rows]
    expected = ask(
        settings,
        """
        SELECT r.participant_name, r.participant_email, r.participant_phone, f.registration_status, f.is_attended,
            f.attended_at, f.registered_at, f.payment_status,
            (SELECT sum(amount_minor)::BIGINT FROM warehouse.core.fact_payments y
             WHERE y.registration_id = f.registration_id AND y.payment_status = f.payment_status)
        FROM warehouse.core.fact_registrations f JOIN lake.staging.registrations r USING (registration_id)
        WHERE f.event_id = ? AND NOT f.is_walk_in ORDER BY f.registered_at NULLS LAST, f.registration_id
        """,
        [paid],
    )
    ((walk_ins,),) = ask(
        settings, "SELECT count(*) FROM warehouse.core.fact_registrations WHERE event_id = ? AND is_walk_in", [paid]
    )
    assert len(found) == len(expected) + walk_ins
    assert [row["S.No."] for row in found] == list(range(1, len(found) + 1))
    by_email = {(row["Name"], row["Email"], row["Registration Date"]): row for row in found}
    for name, email, phone, status, attended, attended_at, registered_at, payment, amount in expected:
        at = registered_at and registered_at.astimezone(ZONE).replace(tzinfo=None)
        row = by_email[name or "N/A", email or "N/A", at or "N/A"]
        assert row["Phone"] == (phone or "N/A")
        assert row["Registration Status"].lower() == status
        assert row["Attendance Status"] == ("Attended" if attended else "Not attended")
        if attended_at is not None:
            assert abs(row["Attendance Time"].replace(tzinfo=ZONE).astimezone(UTC) - attended_at).total_seconds() < 0.01
        if payment is not None:
            assert row["Payment Verified"] == ("Yes" if payment == "verified" else "No")
            assert row["Payment Amount"] == ("N/A" if amount is None else amount / 100)


def test_the_answers_to_the_events_own_questions_are_there(
    sheets: dict[str, list[list[Any]]], settings: Settings, paid: str
) -> None:
    header, rows = sheets["Registrations"][2], sheets["Registrations"][3:]
    first = header.index("Registration Date") + 1
    answered = sum(row[first] != "N/A" for row in rows)
    ((expected,),) = ask(
        settings,
        "SELECT count(*) FROM lake.staging.registrations r, lake.staging.events e WHERE e.event_id = r.event_id "
        "AND r.event_id = ? AND json_exists(r.custom_fields, '$.' || json_extract_string(e.custom_fields, '$[0].id'))",
        [paid],
    )
    assert answered >= expected > 0


def test_the_members_of_teams_are_listed(api: Api, everything: dict[str, str], settings: Settings) -> None:
    event_id = _busiest(
        settings,
        "event_id IN (SELECT event_id FROM lake.staging.registrations WHERE len(team_members) > 10)",
    )
    header, *rows = excel_sheets(_workbook(api, everything, event_id))["Team Members"][2:]
    ((members,),) = ask(
        settings,
        "SELECT sum(team_size - 1)::BIGINT FROM warehouse.core.fact_registrations WHERE event_id = ?", [event_id],
    )  # fmt: skip
    assert len(rows) == members > 0
    assert {"Team Name", "Team Lead", "Member Name", "Student ID"} <= set(header)
    assert all(row[header.index("Member Name")] not in (None, "N/A") for row in rows)


def test_the_dashboards_figures_are_the_apis(
    api: Api, everything: dict[str, str], sheets: dict[str, list[list[Any]]], paid: str
) -> None:
    said = api.http.get(f"{EVENTS}/{paid}/analytics", headers=everything).json()
    shown = {row[0]: row[1] for row in sheets["Dashboard"] if row[0]}
    event, funnel, no_shows = said["event"], said["email_funnel"], said["no_shows"]
    figures = [row for row in sheets["Dashboard"] if row[0] == "Registrations" and row[1] is not None]
    assert [row[1] for row in figures] == [event["registrations"]]
    assert shown["Participants, teams included"] == event["participants"]
    assert shown["Check-ins"] == event["check_ins"]
    assert shown["Revenue"] == event["revenue"]["amount_minor"] / 100
    assert (shown["Expected"], shown["Attended"], shown["No-shows"]) == (
        no_shows["expected"], no_shows["attended"], no_shows["no_shows"],
    )  # fmt: skip
    assert shown["Attendance rate"] == pytest.approx(1 - no_shows["rate"])
    assert (shown["Expected people"], shown["Attended people"], shown["No-show people"]) == (
        no_shows["expected_people"], no_shows["attended_people"], no_shows["no_show_people"],
    )  # fmt: skip
    assert (shown["Delivered"], shown["Opened"]) == (funnel["delivered"], funnel["opened"])
    for state in said["payments"]:
        label = f"{state['payment_status'].capitalize()} ({state['payments']} in {state['amount']['currency']})"
        assert shown[label] == state["amount"]["amount_minor"] / 100


def test_the_rows_of_the_sheet_add_up_to_the_figures(sheets: dict[str, list[list[Any]]]) -> None:
    shown = {row[0]: row[1] for row in sheets["Dashboard"] if row[0] and row[1] is not None}
    rows = sheets["Registrations"][3:]
    assert shown["Rows in the sheet Registrations"] == len(rows)
    left = len(rows) - shown["Of these cancelled"] - shown["Of these duplicates"]
    assert left == shown["Registrations"]
    status = sheets["Registrations"][2].index("Registration Status")
    assert sum(row[status] == "Cancelled" for row in rows) == shown["Of these cancelled"]


def test_the_pipeline_reads_its_own_workbook_as_the_events_sheet(sheets: dict[str, list[list[Any]]]) -> None:
    registrations = read_rows(sheets["Registrations"], REGISTRATIONS)
    assert len(registrations) == len(sheets["Registrations"]) - 3
    assert all(row.row_number == at for at, row in enumerate(registrations, 4))
    members = read_rows(sheets["Team Members"], TEAM_MEMBERS)
    assert len(members) == len(sheets["Team Members"]) - 3


def test_an_event_without_a_fee_has_no_payment_columns(
    api: Api, everything: dict[str, str], settings: Settings
) -> None:
    header = excel_sheets(_workbook(api, everything, _busiest(settings, "NOT is_paid")))["Registrations"][2]
    assert not any(label.startswith("Payment") for label in header)
    assert header[-1] == "Notes"


def test_nothing_that_anyone_wrote_runs(api: Api, everything: dict[str, str], paid: str) -> None:
    book = openpyxl.load_workbook(io.BytesIO(_workbook(api, everything, paid)))
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert kinds <= {"s", "n", "d"}
    assert not any(cell.hyperlink for sheet in book for row in sheet.iter_rows() for cell in row)


def test_every_workbook_that_is_taken_is_audited(api: Api, paid: str) -> None:
    headers = api.headers("pii", "export", "admin")
    answer = api.http.get(f"{EVENTS}/{paid}/workbook", headers=headers)
    (entry,) = api.http.get("/api/pipeline/audit", params={"limit": 1}, headers=headers).json()["items"]
    assert (entry["action"], entry["target"], entry["actor"]) == (
        "read_workbook", paid, headers["Authorization"][7:18],
    )  # fmt: skip
    assert entry["details"] == {"people": int(answer.headers["x-export-rows"])}
    assert entry["request_id"] == answer.headers["x-request-id"]


def test_an_event_that_is_not_there_is_a_problem_and_not_audited(api: Api) -> None:
    headers = api.headers("pii", "export", "admin")
    assert api.http.get(f"{EVENTS}/nothing/workbook", headers=headers).status_code == 404
    entries = api.http.get("/api/pipeline/audit", params={"limit": 20}, headers=headers).json()["items"]
    assert not any(entry["target"] == "nothing" for entry in entries)


def test_no_file_is_left_behind(api: Api, everything: dict[str, str], paid: str) -> None:
    _workbook(api, everything, paid)
    assert not list(api.services.exports.folder.path.glob("workbook-*"))

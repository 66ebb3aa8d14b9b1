"""Rows keep their identity and their words however people rearrange a worksheet."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_pipeline.errors import PermanentError
from event_pipeline.sources.sheet_columns import REGISTRATIONS, TEAM_MEMBERS
from event_pipeline.sources.sheet_layout import SheetRow, read_rows
from event_pipeline.sources.sheet_people import COUNT_FOR_EMAIL, NAME_ONLY, PHONE_ONLY
from event_pipeline_tests.effort import scaled

APP_HEADER = [
    "S.No.", "Name", "Email", "Phone", "Student ID", "Department", "Year", "Registration Type", "Registration Status",
    "Attendance Status", "Attendance Time", "Registration Date", "T-shirt size", "Payment Verified", "Payment Amount",
    "Payment Screenshot", "Notes",
]  # fmt: skip
ASHA = [
    "1", "Asha Devi", " Asha@Example.com ", "+91 98765-43210", "2212001", "CSE", "3", "Individual", "Confirmed",
    "Attended", "8/6/2025, 2:55:00 am", "1/6/2025, 9:00:00 pm", "M", "Yes", "₹150", "N/A", "paid in cash",
]  # fmt: skip


def registrations(*rows: list[Any]) -> list[SheetRow]:
    return read_rows(rows, REGISTRATIONS)


def test_sheet_as_the_app_writes_it_keeps_texts_as_typed() -> None:
    [row] = registrations(["Hackathon - Event Registrations"], [], APP_HEADER, ASHA)
    assert row.key == "email:asha@example.com"
    assert row.row_number == 4
    assert row.fields == {
        "serial_number": "1",
        "name": "Asha Devi",
        "email": " Asha@Example.com ",
        "phone": "+91 98765-43210",
        "student_id": "2212001",
        "department": "CSE",
        "year": "3",
        "registration_type": "Individual",
        "registration_status": "Confirmed",
        "attendance_status": "Attended",
        "attendance_time": "8/6/2025, 2:55:00 am",
        "registration_date": "1/6/2025, 9:00:00 pm",
        "payment_verified": "Yes",
        "payment_amount": "₹150",
        "notes": "paid in cash",
    }
    assert row.custom_fields == {"T-shirt size": "M"}
    assert not row.is_export_error


@pytest.mark.parametrize("blank_rows", [0, 2, 9])
def test_header_is_found_wherever_it_stands(blank_rows: int) -> None:
    [row] = registrations(*[[]] * blank_rows, APP_HEADER, ASHA)
    assert (row.key, row.row_number) == ("email:asha@example.com", blank_rows + 2)


def test_statistics_above_the_header_are_no_rows() -> None:
    above = [["EVENT DATA"], ["Event: Quiz"], ["Total Registrations:", "5"], ["mail", "ask club@example.com for help"]]
    assert len(registrations(*above, APP_HEADER, ASHA)) == 1


@pytest.mark.parametrize("header", ["E-mail", "email  address", "EMAIL ID", "e_mail", "Email:"])
def test_renamed_headers_are_tolerated(header: str) -> None:
    [row] = registrations([header, " NAME "], ["a@b.in", "Asha"])
    assert row.fields == {"email": "a@b.in", "name": "Asha"}


@pytest.mark.parametrize("header", ["S.No", "s no.", "Serial No.", "Sl. No."])
def test_row_with_nothing_but_a_serial_number_is_skipped(header: str) -> None:
    rows = registrations([header, "Name", "Email"], ["1", "Asha", ""], ["2", " ", "N/A"], ["", "n/a"], [])
    assert [row.fields for row in rows] == [{"serial_number": "1", "name": "Asha"}]


def test_one_column_of_the_sheet_claims_a_field_and_the_others_are_kept() -> None:
    rows = registrations(["Name", "Email", "Email", "E-mail"], ["A", "", "b@x.in", "c@x.in"], ["B", "d@x.in", "", ""])
    assert [row.fields for row in rows] == [{"name": "A"}, {"name": "B", "email": "d@x.in"}]
    assert rows[0].custom_fields == {"Email (2)": "b@x.in", "E-mail": "c@x.in"}
    [row] = registrations(["Name", "Email", "Email"], ["A", "a@x.in", "b@x.in"])
    assert (row.fields["email"], row.custom_fields) == ("a@x.in", {"Email (2)": "b@x.in"})


def test_a_column_of_addresses_without_any_gives_way_to_one_with_some() -> None:
    [row] = registrations(["Name", "Email", "Email Address", "Parent phone"], ["A", "", "b@x.in", "987"])
    assert (row.fields, row.custom_fields) == ({"name": "A", "email": "b@x.in"}, {"Parent phone": "987"})


def test_a_question_of_the_name_of_a_late_column_comes_before_it() -> None:
    header = ["Name", "Email", "Notes", "Payment Amount", "Payment Verified", "Payment Amount", "Notes"]
    [row] = registrations(header, ["A", "a@x.in", "vegan", "a lot", "Yes", "₹150", "paid in cash"])
    assert (row.fields["notes"], row.fields["payment_amount"]) == ("paid in cash", "₹150")
    assert row.custom_fields == {"Notes": "vegan", "Payment Amount": "a lot"}
    assert row.headers == {"payment_verified": "Payment Verified"}


def test_what_participants_answered_in_a_form_is_no_word_of_an_organiser() -> None:
    header = ["Timestamp", "Email Address", "Name", "Amount paid", "Remarks", "Notes"]
    [row] = registrations(header, ["6/8/2025 14:55:00", "a@x.in", "A", "150", "vegan", "came late"])
    assert row.fields == {
        "registration_date": "6/8/2025 14:55:00", "email": "a@x.in", "name": "A", "notes": "came late",
    }  # fmt: skip
    assert row.custom_fields == {"Amount paid": "150", "Remarks": "vegan"}


NOBODY: list[list[Any]] = [
    ["", "", "", "", "", "", "", "", "", False, "", "", "", False],
    ["", "", "", "", "", "", "", "", "", "FALSE"],
    ["", "", "", "", "", "", "", "", "", "", "", "", "", True],
    ["", "Total", "", "", "", "", "", "", "", "", "", "", "", "", "₹450"],
    ["", "Total:", 3],
    ["Grand total: 3"],
    ["", "GRAND TOTAL", "", "", "", "", "", "", "", "12"],
    ["Gesamt", "", 12],
    ["", "कुल", "12"],
    ["", "合計", "3"],
    ["", "#REF!", "#N/A", "#NAME?"],
    ["#VALUE!", "#DIV/0!", "#ERROR!", "Loading..."],
    ["", "N/A", "N/A", "N/A"],
    ["", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "Veg", "2"],
    ["Walk-ins"],
    ["", "12"],
    APP_HEADER,
    ["S.No.", "Name", "Email", "Phone"],
]


@pytest.mark.parametrize("row", NOBODY)
def test_what_identifies_nobody_is_no_row(row: list[Any]) -> None:
    rows = registrations(APP_HEADER, ASHA, row)
    assert [row.key for row in rows if row.doubt is None] == ["email:asha@example.com"]
    assert not any(row.doubt for row in rows)


@pytest.mark.parametrize(
    ("row", "doubt"),
    [
        (["", "Ravi Kumar"], NAME_ONLY),
        (["", "Girls", "", "", "", "", "", "", "", "", "", "", "", "", "2"], NAME_ONLY),
        (["", "Veg", "12"], COUNT_FOR_EMAIL),
        (["", "", "", "98765 43210"], PHONE_ONLY),
    ],
)
def test_what_could_be_a_person_is_kept_with_the_doubt(row: list[Any], doubt: str) -> None:
    assert [row.doubt for row in registrations(APP_HEADER, ASHA, row)] == [None, doubt]


@pytest.mark.parametrize(
    "row",
    [
        ["", "", "ravi@example.org"],
        ["", "Ravi", "ravi@gmail"],
        ["", "Ravi", "", "98765 43210"],
        ["", "Ravi", "", 9876543210],
        ["", "Ravi", "", "", "2212007"],
        ["", "Ravi", "", "", "", "ECE"],
        [4, "Ravi"],
        ["4", "Ravi", "-", "-"],
        ["", "Ravi", "", "", "", "", "", "", "", "Attended"],
        ["", "Ravi", "", "", "", "", "", "", "", True],
        ["", "Ravi", "", "", "", "", "", "", "", "", "", "8/6/2025"],
        ["", "Max", "", "", "", "ECE"],
    ],
)
def test_a_walk_in_is_an_address_or_a_name_with_more_of_a_person(row: list[Any]) -> None:
    assert [row.doubt for row in registrations(APP_HEADER, ASHA, row)] == [None, None]


def test_a_table_beside_the_list_is_no_part_of_it() -> None:
    header = [*APP_HEADER, "", "Summary", ""]
    [row] = registrations(header, [*ASHA, "", "Girls", "2"], [*[""] * 18, "Boys", "1"])
    assert row.custom_fields == {"T-shirt size": "M"}


def test_the_header_of_a_table_beside_a_person_takes_nobody_out_of_the_list() -> None:
    header = ["Name", "Email", "Phone", "", "Summary", ""]
    walk_ins = [["Walk In", "", "98765 43210", "", "Name", "Amount"], ["", "", "", "", "Email", "Phone"]]
    rows = registrations(header, *walk_ins, ["Late Comer", "", "98765 00000", "", "T-shirts", "12"])
    assert [row.fields["name"] for row in rows] == ["Walk In", "Late Comer"]


def test_an_empty_column_put_into_the_list_parts_nothing_from_it() -> None:
    [row] = registrations([*APP_HEADER[:9], "", *APP_HEADER[9:]], [*ASHA[:9], "", *ASHA[9:]])
    assert (row.fields["notes"], row.fields["payment_verified"]) == ("paid in cash", "Yes")


def test_a_table_below_the_list_ends_it() -> None:
    rows = registrations(
        APP_HEADER, ASHA, [], ["", "Volunteer", "Mobile", "Branch", "Status"], ["", "Mina", "98765 00000", "ECE", "on"],
        ["9", "Late", "late@example.org"],
    )  # fmt: skip
    assert [row.key for row in rows] == ["email:asha@example.com", "email:late@example.org"]


def test_a_numbered_table_below_with_a_head_of_its_own_is_nobody() -> None:
    rows = registrations(APP_HEADER, ASHA, [], ["No", "Name", "Duty"], ["1", "Ravi", "Gate"], ["2", "Mina", "Desk"])
    assert [row.key for row in rows] == ["email:asha@example.com"]


def test_marks_under_headers_of_their_own_name_are_no_header() -> None:
    header = ["Name", "Email", "Phone", "Present", "Paid"]
    rows = registrations(
        header, ["A", "a@x.in"], ["Ravi", "", "98765 43210", "Present", "Paid"], ["Mina", "", "98765 00000"]
    )
    assert [row.fields["name"] for row in rows if row.doubt is None] == ["A", "Ravi", "Mina"]


def test_remarks_in_brackets_and_questions_are_left_out_of_headers() -> None:
    header = ["Name (as on certificate)", "Email (college)", "Mobile Number (WhatsApp) *", "Attended? (Y/N)", "Paid?"]
    [row] = registrations(header, ["A", "a@x.in", "98765 43210", "Y", "Y"])
    assert row.fields == {
        "name": "A", "email": "a@x.in", "phone": "98765 43210", "attendance_status": "Y", "payment_verified": "Y",
    }  # fmt: skip
    [row] = registrations(["Name", "Email (parent)", "Email"], ["A", "p@x.in", "a@x.in"])
    assert (row.fields["email"], row.custom_fields) == ("a@x.in", {"Email (parent)": "p@x.in"})


def test_first_and_last_names_are_one_name() -> None:
    rows = registrations(["First Name", "Last Name", "Email"], ["Asha", "Rao", "a@x.in"], ["Mina", "", "m@x.in"])
    assert [row.fields["name"] for row in rows] == ["Asha Rao", "Mina"]
    assert [row.custom_fields for row in rows] == [{}, {}]
    [row] = registrations(["Name", "Email", "First Name", "Last Name"], ["A B", "a@x.in", "A", "B"])
    assert (row.fields["name"], row.custom_fields) == ("A B", {"First Name": "A", "Last Name": "B"})


def test_what_is_no_address_names_no_row() -> None:
    first, second = registrations(
        ["Name", "Email", "Phone"], ["A", "-", "98765 43210"], ["B", "no email", "98765 00000"]
    )
    assert first.key.startswith("name:")
    assert second.key.startswith("name:")
    assert first.key != second.key


def test_a_formula_that_lost_an_address_makes_no_walk_in() -> None:
    [row] = registrations(APP_HEADER, ["1", "Asha Devi", "#REF!", "98765 43210"])
    assert row.is_export_error


def test_the_apps_own_header_wins_over_another_name_for_it() -> None:
    [row] = registrations(["Mobile", "Name", "Phone"], ["111", "A", "222"])
    assert (row.fields["phone"], row.custom_fields) == ("222", {"Mobile": "111"})


def test_blank_and_repeated_custom_headers_keep_every_value() -> None:
    [row] = registrations(["Name", "Email", "", "Size", "Size", "Size (2)"], ["A", "a@x.in", "1", "2", "3", "4", "5"])
    assert row.custom_fields == {"Column C": "1", "Size": "2", "Size (2)": "3", "Size (2) (2)": "4", "Column G": "5"}


def test_walk_in_without_email_is_known_by_name_and_phone() -> None:
    walk_in, same, other = registrations(
        ["Name", "Email", "Phone"],
        ["Ravi  Kumar", "", "98765 43210"],
        ["ravi kumar", "N/A", "9876543210"],
        ["Ravi Kumar", "", "11111"],
    )
    assert walk_in.key.startswith("name:")
    assert same.key == walk_in.key + "#2"
    assert other.key not in (walk_in.key, same.key)


def test_repeats_are_numbered_and_never_share_a_key() -> None:
    emails = ["a@x.in", "A@X.in ", "a@x.in#2", "a@x.in"]
    rows = registrations(["Name", "Email"], *[["A", email] for email in emails])
    assert [row.key for row in rows][:2] == ["email:a@x.in", "email:a@x.in#2"]
    assert len({row.key for row in rows}) == 4


def test_row_that_failed_to_export_is_kept_and_marked() -> None:
    header = ["S.No.", "Name", "Email", "Phone", "Notes"]
    rows = registrations(header, ["1", "A", "a@x.in", "ERROR"], ["2", "ERROR", "ERROR", "ERROR"], ["3", "B", "b@x.in"])
    assert [row.is_export_error for row in rows] == [True, True, False]
    assert rows[0].key == "email:a@x.in"
    assert rows[1].key.startswith("name:")
    [noted] = registrations(header, ["1", "A", "a@x.in", "1", "ERROR"])
    assert not noted.is_export_error


def test_registrations_that_sorting_moved_above_the_header_are_kept() -> None:
    rows = registrations(["A", "a@x.in"], ["Name", "Email"], ["Z", "z@x.in"])
    assert [(row.key, row.row_number) for row in rows] == [("email:a@x.in", 1), ("email:z@x.in", 3)]


def test_pasted_second_header_is_no_row() -> None:
    rows = registrations(["Name", "Email"], ["A", "a@x.in"], ["name ", "E-MAIL"], ["B", "b@x.in"])
    assert [row.key for row in rows] == ["email:a@x.in", "email:b@x.in"]


@pytest.mark.parametrize("rows", [[], [[]], [["Hackathon - Event Registrations"]], [["1", "Asha", "a@x.in"]]])
def test_missing_header_names_the_worksheet_and_the_expected_columns(rows: list[list[str]]) -> None:
    with pytest.raises(PermanentError, match=r"'Registrations' has no header row.*S\.No\., Name, Email, Phone"):
        read_rows(rows, REGISTRATIONS)


def test_team_members_are_told_apart_by_team() -> None:
    rows = read_rows(
        [
            ["TEAM MEMBERS DETAILS"], ["Event: Quiz"], [],
            ["Serial No.", "Team Name", "Team Lead", "Team Lead Email", "Team Lead Phone", "Member Name", "Scholar ID",
             "Department", "Year", "Notes"],
            ["1", "Alpha", "Asha", "asha@x.in", "987", "Asha", "2212001", "CSE", "3", "Team Lead"],
            ["2", "Alpha", "Asha", "asha@x.in", "987", "Ravi", "2212002", "N/A", "3", "Team Member"],
            ["", "", "", "", "", "", "", "", "", ""],
            ["3", "Beta", "Mina", "mina@x.in", "986", "Ravi", "2212003", "ECE", "1", "Team Member"],
        ],
        TEAM_MEMBERS,
    )  # fmt: skip
    assert len({row.key for row in rows}) == 3
    assert all(row.key.startswith("member:name:") for row in rows)
    assert rows[1].fields == {
        "serial_number": "2",
        "team_name": "Alpha",
        "team_lead_name": "Asha",
        "team_lead_email": "asha@x.in",
        "team_lead_phone": "987",
        "name": "Ravi",
        "student_id": "2212002",
        "year": "3",
        "notes": "Team Member",
    }


@pytest.mark.parametrize("email", ["x" * 50_000 + "@y.in", "a\x00b@x.in", "\ud800@x.in", "a\nb@x.in"])
def test_hostile_email_still_gives_a_storable_key(email: str) -> None:
    [row] = registrations(["Name", "Email"], ["A", email])
    assert len(row.key.encode()) < 300
    assert row.key.isprintable()
    assert row.fields["email"] == email


cells = st.one_of(
    st.sampled_from(["", "N/A", " ", "ERROR", "a@x.in", "A@x.in", "₹150", "Asha", "1"]), st.text(max_size=8)
)
tables = st.lists(st.lists(cells, min_size=len(APP_HEADER), max_size=len(APP_HEADER)), max_size=8)


@settings(deadline=None, max_examples=scaled(60))
@given(tables)
def test_every_row_with_an_address_is_exactly_one_record(table: list[list[str]]) -> None:
    rows = registrations(APP_HEADER, *table)
    found = [row.row_number for row in rows]
    assert [at for at, cells in enumerate(table, start=2) if cells[2] in ("a@x.in", "A@x.in")] == [
        at for at in found if table[at - 2][2] in ("a@x.in", "A@x.in")
    ]
    assert len(set(found)) == len({row.key for row in rows}) == len(rows)
    for row in rows:
        typed = [cell for cell in table[row.row_number - 2] if cell.strip().upper() not in ("", "N/A")]
        assert sorted([*row.fields.values(), *row.custom_fields.values()]) == sorted(typed)


people = st.lists(
    st.builds(
        lambda number, phone: [str(number), f"Person {number}", f"p{number}@x.in", phone, *[""] * 13],
        st.integers(1, 500), st.sampled_from(["", "98765 43210", 9876543210]),
    ),
    max_size=6, unique_by=lambda row: row[2],
)  # fmt: skip


@settings(deadline=None, max_examples=scaled(100))
@given(people, st.lists(st.tuples(st.integers(0, 12), st.sampled_from([[], *NOBODY])), max_size=8), st.booleans())
def test_nobodys_rows_and_side_tables_never_change_the_people(
    table: list[list[Any]], inserted: list[tuple[int, list[Any]]], has_side_table: bool
) -> None:
    untidy = [list(row) for row in table]
    for at, row in inserted:
        untidy.insert(min(at, len(untidy)), row)
    header = [*APP_HEADER, "", "Summary", ""] if has_side_table else APP_HEADER
    if has_side_table:
        untidy = [[*row, *[""] * (18 - len(row)), "Girls", 2] for row in untidy]
        untidy = [row for row in untidy if row[:17] != APP_HEADER]
    assert [without_number(row) for row in registrations(header, *untidy) if row.doubt is None] == [
        without_number(row) for row in registrations(APP_HEADER, *table)
    ]


@settings(deadline=None, max_examples=scaled(60))
@given(tables, st.randoms(use_true_random=False), st.lists(st.integers(0, 8), max_size=4))
def test_column_order_and_blank_rows_change_nothing_but_row_numbers(
    table: list[list[str]], shuffler: random.Random, blanks: list[int]
) -> None:
    order = list(range(len(APP_HEADER)))
    shuffler.shuffle(order)
    moved = [[cells[at] for at in order] for cells in [APP_HEADER, *table]]
    for at in blanks:
        moved.insert(min(at, len(moved)), [])
    assert [without_number(row) for row in registrations(*moved)] == [
        without_number(row) for row in registrations(APP_HEADER, *table)
    ]


@settings(deadline=None, max_examples=scaled(60))
@given(st.lists(st.lists(st.one_of(cells, st.none(), st.integers(), st.booleans()), max_size=6), max_size=8))
def test_any_grid_under_a_header_is_read(grid: list[list[Any]]) -> None:
    rows = registrations(["Name", "Email"], *grid)
    assert len({row.key for row in rows}) == len(rows) <= len(grid)
    assert all(row.fields or row.custom_fields for row in rows)


def without_number(row: SheetRow) -> tuple[str, dict[str, str], dict[str, str], bool]:
    return row.key, row.fields, row.custom_fields, row.is_export_error

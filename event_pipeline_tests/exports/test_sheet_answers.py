"""Answers and team members are read however forms and strangers wrote them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from event_pipeline.exports.sheet_answers import Question, answer_text, members_of, questions_of


def _row(answers: Any = None, sheet_answers: Any = None) -> dict[str, Any]:
    return {
        "answers": None if answers is None else json.dumps(answers),
        "sheet_answers": None if sheet_answers is None else json.dumps(sheet_answers),
    }


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("M", "M"),
        (5, "5"),
        (["C", "Python"], "C, Python"),
        ([], None),
        ("", None),
        (None, None),
        (True, "Yes"),
        (False, "No"),
        (0, "0"),
        ({"a": 1}, '{"a":1}'),
        (["C", None, {"a": 1}], 'C, {"a":1}'),
    ],
)
def test_an_answer_is_shown_as_text(answer: Any, expected: str | None) -> None:
    assert answer_text(Question("f", "Label"), _row({"f": answer})) == expected


def test_a_walk_ins_answer_stands_under_its_label() -> None:
    assert answer_text(Question("f", "Size"), _row(sheet_answers={"Size": "L"})) == "L"
    assert answer_text(Question("f", "Size"), _row(["not an object"])) is None


def test_questions_keep_their_order_and_are_told_apart() -> None:
    form = [{"id": "a", "label": "Size"}, {"id": "b", "label": "Size"}, {"id": 3}, "garbage", {"label": "no id"}]
    assert questions_of(json.dumps(form)) == [Question("a", "Size"), Question("b", "Size (2)"), Question("3", "3")]
    assert questions_of(json.dumps({"0": form[0], "2": form[2]})) == [Question("a", "Size"), Question("3", "3")]


def _registration(team_members: str | None) -> dict[str, str | None]:
    return {"name": "Lead", "email": "lead@x.org", "student_id": None, "team_members": team_members}


@pytest.mark.parametrize("text", [None, "", "{", "[" * 5_000, '"text"', "5", "null"])
def test_what_is_no_form_has_no_questions(text: str | None) -> None:
    assert questions_of(text) == []
    assert list(members_of(_registration(text))) == []


def test_members_are_objects_or_plain_names() -> None:
    team = [{"name": "Asha", "rollNumber": 7, "email": "a@x.org"}, "Ravi", None, {}, {"roll_number": "R1"}]
    members = list(members_of(_registration(json.dumps(team))))
    assert [(m["name"], m["student_id"]) for m in members] == [
        ("Asha", "7"), ("Ravi", None), (None, None), (None, "R1"),
    ]  # fmt: skip

"""What a registration's JSON says of the event's own questions and of the team, however the form wrote it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from event_pipeline.models.members import MEMBER_FIELDS, Lead, read_members


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the event's form."""

    field_id: str
    label: str


def questions_of(custom_fields: str | None) -> list[Question]:
    """The questions in the form's order; two with one label are told apart by a number."""
    found: list[Question] = []
    labels: set[str] = set()
    for item in _list(custom_fields):
        if isinstance(item, dict) and item.get("id") is not None:
            field_id = str(item["id"])
            label = base = str(item.get("label") or field_id).strip() or field_id
            number = 2
            while label in labels:
                label, number = f"{base} ({number})", number + 1
            labels.add(label)
            found.append(Question(field_id, label))
    return found


def answer_text(question: Question, row: Mapping[str, Any]) -> str | None:
    """The answer to it in ``answers``, or in ``sheet_answers`` under its label; None where there is none."""
    for text, key in ((row["answers"], question.field_id), (row["sheet_answers"], question.label)):
        answers = _parsed(text)
        if isinstance(answers, dict) and key in answers:
            return _shown(answers[key])
    return None


def members_of(row: Mapping[str, Any]) -> Iterator[dict[str, str | None]]:
    """The members besides the lead of a registration; one that is only a name has nothing else."""
    lead = Lead.of(row["name"], row["email"], row["student_id"])
    for member in read_members(row["team_members"], lead):
        if isinstance(member, Mapping):
            yield {column: _first(member, names) for column, names in MEMBER_FIELDS.items()}
        else:
            yield dict.fromkeys(MEMBER_FIELDS) | {"name": _shown(member)}


def _first(member: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((text for name in names if (text := _shown(member.get(name)))), None)


def _shown(value: Any) -> str | None:
    """A list as its parts with commas between, Yes and No for true and false."""
    if value is None or value in ("", [], {}):
        return None
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return ", ".join(text for item in value if (text := _shown(item))) or None
    return orjson.dumps(value).decode() if isinstance(value, dict) else str(value)


def _list(text: str | None) -> list[Any]:
    parsed = _parsed(text)
    if isinstance(parsed, dict):
        # Firebase writes a list with gaps as an object of its numbers.
        return list(parsed.values())
    return parsed if isinstance(parsed, list) else []


def _parsed(text: str | None) -> Any:
    """What JSON text says; None where it is too deep or wrong to be read, as hostile documents are."""
    try:
        return orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        return None

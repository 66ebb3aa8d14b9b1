"""Members of a team as forms and Firebase write them: the one reader, in the database and for whoever lists them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir
import orjson

from event_pipeline.models.database_functions import json_array_length, python_members
from event_pipeline.models.emails import fold_email
from event_pipeline.models.names import key_of_name

MEMBER_FIELDS: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "participant_name", "fullName"),
    "email": ("email", "participant_email"),
    "phone": ("phone", "participant_phone", "mobile"),
    "student_id": ("rollNumber", "roll_number", "student_id", "studentId", "participant_id"),
    "department": ("department", "branch"),
    "year": ("year", "year_of_study"),
}
"""By what it is, the names that forms write it under, the app's own first."""

_TEAMS = ("team_members", "teamMembers", "members")
_OF_A_PERSON = frozenset(name for names in MEMBER_FIELDS.values() for name in names)
_KNOWN = _OF_A_PERSON | set(_TEAMS)
_OBJECT, _NAME = r"\{[^{}\[\]]*\}", r'"[^"\\{}\[\]]*[\pL\pN][^"\\{}\[\]]*"'
SIMPLE = rf"^\[(?:(?:{_OBJECT}|{_NAME}),?)*\]$"
"""A list of flat objects and plain names, as the app writes it."""

UNEVEN = r'(?i)null|members|"\s*(?:n/a|none|nil)\s*"'
_NOBODY = frozenset({"n/a", "none", "nil", "null"})
"""What stands in a list of names where nobody does."""
_CHILD_KEYS = re.compile(r"(?:[a-z]+[ _-]?)?\d+|-[\w-]+", re.IGNORECASE)
_DEEPEST = 20
_NOWHERE = "\n"
Member = Mapping[str, Any] | str | int | float


@dataclass(frozen=True, slots=True)
class Lead:
    """Who registered the team: the key of the name, the comparable address, the student id in folded case."""

    name_key: str
    email: str
    student_id: str

    @classmethod
    def of(cls, name: str | None, email: str | None, student_id: str | None) -> Lead:
        """The lead as a registration names them."""
        return cls(key_of_name(name or ""), fold_email(email or ""), (student_id or "").strip().casefold())

    def is_repeated_by(self, member: Member) -> bool:
        """Whether a member has the lead's name, and their address or student id besides."""
        if not isinstance(member, Mapping) or not self.name_key:
            return False
        if key_of_name(text_of_member(member, "name")) != self.name_key:
            return False
        email = fold_email(text_of_member(member, "email"))
        student_id = text_of_member(member, "student_id").strip().casefold()
        return bool((email and email == self.email) or (student_id and student_id == self.student_id))


def member_count(
    team_members: ir.StringValue, name: ir.StringValue, email: ir.StringValue, student_id: ir.StringValue
) -> ir.IntegerValue:
    """Members besides the lead. Python is asked for what is no list of flat objects and names, or may repeat them."""
    lower = team_members.lower()
    says_lead = lower.contains(email.fill_null(_NOWHERE)) | lower.contains(student_id.lower().fill_null(_NOWHERE))
    is_simple = team_members.re_search(SIMPLE) & ~team_members.re_search(UNEVEN) & ~says_lead
    lead = name.fill_null("").replace("\n", " ") + "\n" + email.fill_null("") + "\n" + student_id.fill_null("")
    counted = ibis.ifelse(is_simple, json_array_length(team_members), python_members(team_members, lead))
    return ibis.ifelse(team_members.isnull(), ibis.literal(0, type="int64"), counted)


def count_members(team_members: str, lead: str) -> int:
    """How many people a team has besides its lead, whose name, address and student id are lines of ``lead``."""
    return sum(1 for _ in read_members(team_members, Lead.of(*lead.split("\n", 2))))


def read_members(team_members: str | None, lead: Lead) -> Iterator[Member]:
    """The members besides the lead, as written: objects, or names alone. Nobody where the JSON cannot be read.

    A list may have holes, which are nobody. An object holds members under numbers or push ids, or is one member
    itself. A member who has a team of their own brings its members along. A member without anything filled in counts;
    one who repeats the lead does not.
    """
    team = _parsed(team_members)
    found = _found(team, 0) if isinstance(team, list | dict) else iter(())
    return (member for member in found if not lead.is_repeated_by(member))


def text_of_member(member: Mapping[str, Any], field: str) -> str:
    """What a member says under any of the names of that field; empty where nothing."""
    texts = (member.get(name) for name in MEMBER_FIELDS[field])
    return next((str(text) for text in texts if isinstance(text, str | int) and text != ""), "")


def _found(value: Any, depth: int, *, is_item: bool = False) -> Iterator[Member]:
    if depth > _DEEPEST or value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        inner = _parsed(value) if value.lstrip().startswith(("[", "{")) else None
        if inner is not None:
            yield from _found(inner, depth + 1)
        elif any(char.isalnum() for char in value) and value.strip().lower() not in _NOBODY:
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from _found(item, depth + 1, is_item=True)
    elif not isinstance(value, dict):
        yield value
    elif _holds_members(value, is_item):
        for child in value.values():
            yield from _found(child, depth + 1, is_item=True)
    else:
        yield from _of_member(value, depth)


def _of_member(member: dict[str, Any], depth: int) -> Iterator[Member]:
    """A member and the members of the team that they bring; a team with nothing of a person beside it is no member."""
    if member.keys() & _OF_A_PERSON or not member.keys() & set(_TEAMS):
        yield member
    for name in _TEAMS:
        yield from _found(member.get(name), depth + 1)


def _holds_members(value: dict[str, Any], is_item: bool) -> bool:
    """Whether an object is a list of members that Firebase wrote as an object, rather than one member."""
    if not value:
        return not is_item
    if _KNOWN & value.keys():
        return False
    if all(isinstance(child, dict | list) or child is None for child in value.values()):
        return True
    return not is_item and all(_CHILD_KEYS.fullmatch(key) for key in value)


def _parsed(text: str | None) -> Any:
    try:
        return orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        return None

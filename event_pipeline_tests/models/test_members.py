"""Members of a team however they are written: how many people there are besides the lead."""

from __future__ import annotations

from functools import cache
from typing import Any

import ibis
import pytest

from event_pipeline.models.members import member_count
from event_pipeline_tests.models.reading import Texts


@cache
def counts() -> Texts:
    lead: list[Any] = [ibis.literal(text) for text in ("Asha Rao", "asha@example.org", "21CS1")]
    return Texts(lambda text: member_count(text, *lead))


@pytest.mark.parametrize(
    ("team", "members"),
    [
        (None, 0), ("[]", 0), ("{}", 0), ('[{"name":"B"},{"name":"C"}]', 2), ('[null,{"name":"B"},{"name":"C"}]', 2),
        ('{"0":{"name":"B"},"2":{"name":"C"}}', 2), ('{"-NxB":{"name":"B"},"-NxC":{"name":"C"}}', 2),
        ('["B","C"]', 2), ('["B","",null," ","C"]', 2), ('{"0":"B","1":"C"}', 2), ("[{},{}]", 2),
        ('{"name":"B","rollNumber":"1"}', 1), ('[["B","C"],["D"]]', 3), ('[{"name":"B","phone":"null"}]', 1),
        ('[{"name":"B","team_members":[{"name":"C"},{"name":"D"}]}]', 3), ('{"team_members":[{"name":"B"}]}', 1),
        ('{"member1":"B","member2":"C"}', 2), ('["[{\\"name\\":\\"B\\"},{\\"name\\":\\"C\\"}]"]', 2),
        ('[{"name":"asha RAO","email":"Asha@Example.org"},{"name":"B"}]', 1),
        ('[{"name":"Rao, Asha","rollNumber":"21cs1"},{"name":"B"}]', 1),
        ('[{"name":"Ravi","email":"asha@example.org"},{"name":"B"}]', 2), ('[{"name":"Asha Rao"}]', 1),
        ('{"team_name":"X","members":["B","C"]}', 2), ('{"count":2,"team_members":[{"name":"B"},{"name":"C"}]}', 2),
        ('["B","N/A","-","none"]', 1), ('["Anil","Nil Sen"]', 2), ('[{"name":"N/A"},{"name":"B"}]', 2),
        ("[" * 100 + "]" * 100, 0),
    ],
)  # fmt: skip
def test_members_are_people_besides_the_lead(team: str | None, members: int) -> None:
    assert counts().read([team]) == [members]

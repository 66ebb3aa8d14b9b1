"""Pseudonyms: stable, keyed, and without the key anywhere in a query."""

from __future__ import annotations

import re
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from event_pipeline.models.identity import keyed_hash
from event_pipeline_tests.effort import scaled
from event_pipeline_tests.models.reading import Texts

plain = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=30)


@cache
def hashes(key: str = "a key for tests only") -> Texts:
    return Texts(keyed_hash, key)


@given(st.lists(plain, min_size=1, max_size=20, unique=True))
@settings(deadline=None, max_examples=scaled(30))
def test_a_pseudonym_is_stable_and_tells_people_apart(texts: list[str]) -> None:
    found = hashes().read(texts)
    assert found == hashes().read(texts)
    assert len(set(found)) == len(texts)
    assert all(re.fullmatch("[0-9a-f]{32}", value) for value in found)


@given(plain)
@settings(deadline=None, max_examples=scaled(30))
def test_another_key_makes_another_pseudonym(text: str) -> None:
    assert hashes().read([text]) != hashes("another key for tests").read([text])


def test_the_key_never_stands_in_a_query() -> None:
    assert "a key for tests only" not in hashes().sql


def test_nobody_has_no_pseudonym() -> None:
    assert hashes().read([None]) == [None]


def test_pseudonyms_stay_what_they_were() -> None:
    assert hashes().read(["asha@example.org"]) == ["8f3886607d992e42dbebedfa31751b45"]

"""Names of people: which spellings are one name, and that the database and Python agree on it."""

from __future__ import annotations

import unicodedata
from functools import cache

import duckdb
import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_pipeline.models.names import key_of_name, name_key, with_name_key
from event_pipeline.warehouse.connection import ibis_backend
from event_pipeline_tests.effort import scaled
from event_pipeline_tests.models.reading import Texts

_ASSIGNED = [chr(code) for code in range(1, 0x110000) if unicodedata.category(chr(code)) not in ("Cn", "Cs", "Co")]


@cache
def keys() -> Texts:
    return Texts(name_key)


@cache
def stepwise() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    backend = ibis_backend(connection)
    texts = ibis.table({"position": "int64", "text": "string"}, name="texts")
    connection.execute("CREATE TABLE texts (position BIGINT, text VARCHAR)")
    connection.execute(f"CREATE VIEW keyed AS {backend.compile(with_name_key(texts, 'text', 'key'))}")
    return connection


def in_steps(names: list[str]) -> list[str | None]:
    """The keys that a table gets."""
    rows = pa.table({"position": list(range(len(names))), "text": pa.array(names, pa.string())})
    stepwise().register("given", rows)
    stepwise().execute("TRUNCATE texts")
    stepwise().execute("INSERT INTO texts SELECT * FROM given")
    return [key for (key,) in stepwise().execute("SELECT key FROM keyed ORDER BY position").fetchall()]


@pytest.mark.parametrize(
    "spellings",
    [
        ("Asha Rao", "  asha   RAO ", "Rao, Asha", "Ａｓｈａ Ｒａｏ", "asha.rao", "ASHA-RAO", "Asha\u00a0Rao"),
        ("D'Mello", "D\u2019Mello", "DMello", "d`mello"),
        ("José Núñez", "Jose Nunez", "JOSE\u0301 NUN\u0303EZ", "Núñez José"),
        ("Straße", "STRASSE", "strasse"),
        ("किरण राव", "राव किरण", "किरण\u200d राव"),
        ("क़ासिम", "क\u093cासिम"),
        ("Nguyễn", "nguyen", "NGUYÊ\u0303N"),
        ("𝓐𝓼𝓱𝓪", "asha"),
        ("مُحَمَّد", "محمد"),
    ],
)
def test_spellings_of_one_name_have_one_key(spellings: tuple[str, ...]) -> None:
    found = keys().read(spellings)
    assert len(set(found)) == 1
    assert found[0]


def test_different_names_have_different_keys() -> None:
    names = ["Asha Rao", "Ravi Rao", "Asha", "किरण", "करण", "李", "王", "が", "か", "1", "2"]
    assert len(set(keys().read(names))) == len(names)


@pytest.mark.parametrize("name", ["", " ", "-", "...", "'", "\u200d", "–"])
def test_a_name_without_letters_is_none(name: str) -> None:
    assert keys().read([name]) == [None]


def test_the_database_says_of_every_letter_what_python_says() -> None:
    texts = [text for char in _ASSIGNED for text in (char, f"a{char}B c")]
    found = keys().read(texts)
    wrong = {
        text: (value, key_of_name(text))
        for text, value in zip(texts, found, strict=True)
        if (value or "") != key_of_name(text)
    }
    assert wrong == {}
    assert in_steps(texts) == found


@given(st.lists(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20), min_size=1))
@settings(deadline=None, max_examples=scaled(50))
def test_the_database_says_of_every_name_what_python_says(names: list[str]) -> None:
    expected = [key_of_name(name) for name in names]
    assert [key or "" for key in keys().read(names)] == expected
    assert [key or "" for key in in_steps(names)] == expected

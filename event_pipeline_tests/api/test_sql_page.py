"""The queries of the SQL page run as they are written."""

from __future__ import annotations

import pytest

from event_pipeline.sql import Dialect
from event_pipeline_tests.api.organisation import Api
from event_pipeline_tests.docs.pages import blocks, read

LANGUAGES: dict[str, Dialect] = {"sql": "duckdb", "sqlite": "sqlite", "postgres": "postgres", "bigquery": "bigquery"}
WRITTEN = [(LANGUAGES[language], block) for language in LANGUAGES for block in blocks(read("sql.md"), language)]


@pytest.mark.parametrize(("dialect", "sql"), WRITTEN)
def test_a_query_of_the_page_answers_rows(api: Api, everything: dict[str, str], dialect: Dialect, sql: str) -> None:
    answer = api.http.post("/api/pipeline/query", json={"sql": sql, "dialect": dialect}, headers=everything)
    assert answer.status_code == 200, answer.text
    assert answer.json()["row_count"] > 0


def test_every_dialect_has_an_example() -> None:
    assert {dialect for dialect, _ in WRITTEN} == set(LANGUAGES.values())

"""The benchmark asks Datasette for the figures that the API answers, so that the two may be compared."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from benchmarks.api.asked import Ask, Question, questions
from benchmarks.api.sqlite_copy import copy_to_sqlite
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect
from event_pipeline_tests.api.organisation import Api


@pytest.fixture(scope="module")
def copied_tables(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    database = tmp_path_factory.mktemp("sqlite") / "warehouse.db"
    with connect(settings, ("warehouse",), read_only=True) as connection:
        copy_to_sqlite(connection, database)
    return database


@pytest.fixture(scope="module")
def asked(settings: Settings) -> dict[str, Question]:
    with connect(settings, ("warehouse",), read_only=True) as connection:
        return {question.name: question for question in questions(connection, settings.organisation.time_zone)}


@pytest.fixture
def sqlite(copied_tables: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(copied_tables)) as opened:
        yield opened


def _from_sqlite(sqlite: sqlite3.Connection, ask: Ask) -> Any:
    """What Datasette's statement makes, its parameters taken from the address as Datasette does."""
    said = {name: values[0] for name, values in parse_qs(ask.path.partition("?")[2], keep_blank_values=True).items()}
    (row,) = sqlite.execute(said["sql"], said).fetchall()
    return json.loads(row[0])


def _from_api(api: Api, headers: dict[str, str], ask: Ask) -> Any:
    answer = api.http.get(ask.path, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_analytics_are_the_same(
    api: Api, everything: dict[str, str], sqlite: sqlite3.Connection, asked: dict[str, Question]
) -> None:
    question = asked["analytics, asked before"]
    place = next(number for number, ask in enumerate(question.api) if "period=all" in ask.path)
    there, here = _from_sqlite(sqlite, question.datasette[place]), _from_api(api, everything, question.api[place])
    # Undated figures have no day that SQL could compare.
    assert sum(point["registrations"] for point in there["trend"]) == there["totals"]["registrations"]
    assert sum(point["registrations"] for point in here["trend"]) == there["totals"]["registrations"]
    assert sum(point["check_ins"] for point in here["trend"]) == there["totals"]["check_ins"]
    assert [event["event_id"] for event in there["top_events"]] == [event["event_id"] for event in here["top_events"]]


def test_events_are_the_same(
    api: Api, everything: dict[str, str], sqlite: sqlite3.Connection, asked: dict[str, Question]
) -> None:
    question = asked["event page, asked before"]
    for number in range(3):
        there = _from_sqlite(sqlite, question.datasette[number])
        here = _from_api(api, everything, question.api[number])
        assert there["event"]["title"] == here["event"]["title"]
        assert (there["figures"]["registrations"] or 0) == here["event"]["registrations"]
        assert len(there["pace"]) == len(here["pace"]["points"])
        assert len(there["arrivals"]) == len(here["arrivals"])
        assert there["funnel"]["attended"] == here["email_funnel"]["attended"]


def test_every_question_but_those_about_routes_to_come_is_answered(api: Api, asked: dict[str, Question]) -> None:
    paths = api.app.openapi()["paths"]
    answered = {name for name, question in asked.items() if question.is_answered_by(paths)}
    assert answered >= asked.keys() - {"point query"}
    assert not Question("nothing", [Ask("/api/pipeline/nothing")], []).is_answered_by(paths)

"""What the answers of the API are held against."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.api.results import QUIET, WRITING, Answered, targets_of, write_results
from benchmarks.api.viewers import Looked


def answered(server: str, state: str, p50: float, p95: float, question: str = "analytics, asked before") -> Answered:
    return Answered(question, server, state, 10, p50, p95, p95, 1.0, 100.0, 1.0)


ANSWERS = [
    answered("API", QUIET, 2.0, 9.0),
    answered("Datasette", QUIET, 100.0, 200.0),
    answered("API", WRITING, 2.5, 12.0),
    answered("Datasette", WRITING, 110.0, 220.0),
]
LOOKS = [Looked(QUIET, 420.0, 0.01, 0.03), Looked(WRITING, 610.0, 0.09, 0.12)]


def test_answers_and_looks_within_every_promise_are_met() -> None:
    targets = targets_of(ANSWERS, LOOKS)
    assert len(targets) == 8
    assert [target.name for target in targets if not target.is_met] == []


@pytest.mark.parametrize(
    ("answers", "looks", "missed"),
    [
        ([answered("API", QUIET, 2.0, 50.0)], [], "analytics, asked before: p95 while quiet"),
        ([answered("API", QUIET, 2.0, 9.0), answered("Datasette", QUIET, 1.9, 9.0)], [],
         "analytics, asked before, quiet: p50, of Datasette's"),
        ([answered("API", QUIET, 2.0, 9.0), answered("API", WRITING, 3.1, 9.0)], [],
         "analytics, asked before: p50 while writing, of quiet"),
        ([], [Looked(QUIET, 1_000.0, 0.0, 0.0)], "the dashboard's first page, quiet"),
        ([], [Looked(WRITING, None, 0.02, 0.08)], "CPU of 5 viewers, writing"),
    ],
)  # fmt: skip
def test_each_promise_can_be_missed(answers: list[Answered], looks: list[Looked], missed: str) -> None:
    assert [target.name for target in targets_of(answers, looks) if not target.is_met] == [missed]


def test_the_page_tells_answers_looks_and_targets(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="plots need the group bench")
    known = dict.fromkeys(("cores", "processor", "memory_gb", "system", "python", "load_average"), 1)
    machine: dict[str, object] = {**known, "versions": {"duckdb": "1.5.5"}, "load_average_after": [0.2]}
    found = {"answers": ANSWERS, "looks": LOOKS, "changes_a_second": 49.0, "wanted_changes_a_second": 50.0}
    page = write_results(tmp_path, machine, found, "a command")
    assert "| quiet | 0.42 | 1.0% | 3.0% |" in page
    assert "| CPU of 5 viewers, writing | under 5% | 3.0% | yes |" in page
    kept = json.loads((tmp_path / "api.json").read_text())
    assert kept["looks"][1] == {"state": "writing", "first_page": 610.0, "alone": 0.09, "followed": 0.12}
    assert (tmp_path / "api.svg").exists()

"""Long runs try more examples, and no test says a number that would override the profile."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from event_pipeline_tests.effort import LONG
from event_pipeline_tests.paths import REPOSITORY

COUNTING = """
from pathlib import Path
from hypothesis import given, settings, strategies as st
from event_pipeline_tests.effort import scaled

def count(name: str) -> None:
    with Path(__file__).with_suffix("." + name).open("a") as counted:
        counted.write("x")

@given(st.integers())
@settings(max_examples=scaled(7), deadline=None, database=None)
def test_that_asks_for_seven(number: int) -> None:
    count("seven")

@given(st.integers())
@settings(deadline=None, database=None)
def test_that_asks_for_nothing(number: int) -> None:
    count("nothing")
"""


def _tried(folder: Path, *options: str) -> tuple[int, int]:
    """Examples of the two tests in a run of their own."""
    test = folder / "test_counting.py"
    test.write_text(COUNTING)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "event_pipeline_tests.conftest"]
    where = ["--rootdir", str(folder), "-c", "/dev/null", str(test)]
    done = subprocess.run([*command, *options, *where], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    seven, nothing = (test.with_suffix(f".{name}").stat().st_size for name in ("seven", "nothing"))
    return seven, nothing


def test_the_usual_profile_tries_what_tests_ask_for(tmp_path: Path) -> None:
    assert _tried(tmp_path) == (7, 100)


def test_the_long_profile_tries_a_hundred_times_as_many(tmp_path: Path) -> None:
    assert _tried(tmp_path, "--hypothesis-profile", LONG) == (700, 10_000)


def _numbers(path: Path) -> list[str]:
    """Where the file asks for a number of examples whatever the profile."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        f"{path.relative_to(REPOSITORY)}:{node.value.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg == "max_examples" and isinstance(node.value, ast.Constant)
    ]


@pytest.mark.parametrize("folder", ["event_pipeline_tests", "benchmarks"])
def test_no_test_overrides_the_profile(folder: str) -> None:
    profiles = REPOSITORY / "event_pipeline_tests" / "effort.py"
    found = [place for path in (REPOSITORY / folder).rglob("*.py") if path != profiles for place in _numbers(path)]
    assert not found, f"write max_examples=scaled(...) of event_pipeline_tests.effort: {', '.join(found)}"

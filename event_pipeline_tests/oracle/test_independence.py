"""The oracle shares no code with what it judges, and says something of every column."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from event_pipeline.contracts.core import CORE
from event_pipeline.contracts.marts import MARTS
from event_pipeline.contracts.staging_derived import PEOPLE
from event_pipeline_tests.oracle import comparison

FOLDER = Path(__file__).parent
HARNESS = {
    "account", "beside", "drawn_registrations", "histories", "history", "mailing", "organisations", "together",
    "worksheets",
}  # fmt: skip
"""Modules that make histories, or run the product; what is worked out is worked out in the others."""
ALLOWED = {"idna", "phonenumbers"}
"""What is neither Python's own nor the oracle's, and may be believed."""


def _computing() -> list[Path]:
    return [
        path for path in sorted(FOLDER.glob("*.py")) if not path.stem.startswith("test_") and path.stem not in HARNESS
    ]


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path.name} imports relatively"
            yield node.module or ""
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize("path", _computing(), ids=lambda path: path.stem)
def test_what_computes_imports_only_python_the_oracle_and_what_may_be_believed(path: Path) -> None:
    found = {name.split(".")[0] for name in _imported(path)}
    assert found <= sys.stdlib_module_names | ALLOWED | {"event_pipeline_tests"}


@pytest.mark.parametrize("path", _computing(), ids=lambda path: path.stem)
def test_what_computes_imports_no_test_that_imports_the_product(path: Path) -> None:
    own = "event_pipeline_tests.oracle"
    theirs = {name for name in _imported(path) if name.startswith("event_pipeline_tests") and not name.startswith(own)}
    harness = {name for name in _imported(path) if name.removeprefix(own + ".").split(".")[0] in HARNESS}
    assert not theirs | harness


def test_every_table_of_core_marts_and_people_is_compared() -> None:
    declared = {contract.name for contract in (*CORE.values(), *MARTS.values(), PEOPLE)}
    assert declared == comparison.KEYS.keys()

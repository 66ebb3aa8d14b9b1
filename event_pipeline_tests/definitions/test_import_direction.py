"""Imports point one way: what drives the pipeline knows what moves data, which knows what tables promise."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from event_pipeline_tests.paths import REPOSITORY

PACKAGE = REPOSITORY / "event_pipeline"

BASE = {"settings", "errors", "masking", "logs", "effective", "sqlite", "background_task", "clock_times"}
"""Modules that everyone may import; they import only each other."""

RANKS = {
    **dict.fromkeys(BASE, 0),
    "contracts": 1,
    **dict.fromkeys(("models", "warehouse", "sources", "quality"), 2),
    **dict.fromkeys(("increments", "alerts", "demo", "documentation", "control", "exports", "sql", "inbound"), 3),
    "ml": 4,
    **dict.fromkeys(("definitions", "stream", "api", "launch", "cli"), 5),
}
"""A part may import parts of lower rank, and of its own."""

PEERS = {
    ("warehouse", "models"), ("warehouse", "sources"), ("quality", "warehouse"), ("quality", "models"),
    ("cli", "launch"), ("cli", "definitions"), ("cli", "stream"), ("launch", "definitions"),
    ("definitions", "stream"), ("api", "stream"), ("cli", "api"), ("alerts", "control"), ("launch", "api"),
    ("sql", "exports"),
}  # fmt: skip
"""Of parts of one rank, those of which the first may import the second."""


FREE_OF_DAGSTER = {"contracts", "models", "sources", "warehouse", "quality", "demo", "increments", "stream", "inbound"}
"""One core, two drivers: what a stream worker drives too knows nothing of Dagster."""


def part_of(module: str) -> str | None:
    """``event_pipeline.models.core.facts`` is in ``models``; None for other packages and the package itself."""
    names = module.split(".")
    return names[1] if names[0] == "event_pipeline" and len(names) > 1 else None


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        names = path.relative_to(REPOSITORY).with_suffix("").parts
        found[".".join(names[:-1] if names[-1] == "__init__" else names)] = path
    return found


def imports_of(path: Path) -> Iterator[str]:
    """Modules that a file imports anywhere, inside functions and for type checking included."""
    package = ".".join(path.relative_to(REPOSITORY).with_suffix("").parts[:-1])
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: -node.level + 1 or None]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            # `from event_pipeline import settings` names the part only in its list.
            yield from (f"{module}.{alias.name}" for alias in node.names) if module == "event_pipeline" else (module,)


def is_allowed(importer: str, imported: str) -> bool:
    if importer == imported or {importer, imported} <= BASE:
        return True
    return RANKS[imported] < RANKS[importer] or (importer, imported) in PEERS


def test_every_part_of_the_package_has_its_place_in_the_order() -> None:
    parts = {part for name in modules() if (part := part_of(name))}
    assert parts - set(RANKS) == set(), "say in RANKS what the new part may import"


def test_imports_point_down() -> None:
    wrong = [
        f"{name} imports {imported}"
        for name, path in modules().items()
        for imported in imports_of(path)
        if (importer := part_of(name)) and (part := part_of(imported)) and not is_allowed(importer, part)
    ]
    assert wrong == []


def test_the_core_knows_nothing_of_dagster() -> None:
    wrong = [
        f"{name} imports {imported}"
        for name, path in modules().items()
        for imported in imports_of(path)
        if part_of(name) in FREE_OF_DAGSTER and imported.split(".")[0].startswith("dagster")
    ]
    assert wrong == []


def test_models_do_no_input_or_output() -> None:
    known = {"duckdb", "requests", "httpx", "socket", "os", "pathlib", "firebase_admin", "gspread"}
    wrong = [
        f"{name} imports {imported}"
        for name, path in modules().items()
        for imported in imports_of(path)
        if part_of(name) == "models" and imported.split(".")[0] in known
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("importer", "imported", "expected"),
    [
        ("models", "definitions", False),
        ("contracts", "models", False),
        ("models", "warehouse", False),
        ("sources", "warehouse", False),
        ("warehouse", "models", True),
        ("definitions", "warehouse", True),
    ],
)
def test_an_upward_import_is_told_from_a_downward_one(importer: str, imported: str, expected: bool) -> None:
    assert is_allowed(importer, imported) is expected


def test_imports_inside_functions_and_relative_ones_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.REPOSITORY", tmp_path)
    path = tmp_path / "event_pipeline" / "models" / "sly.py"
    path.parent.mkdir(parents=True)
    imports = ("from event_pipeline import api", "from ..stream import worker", "import dagster")
    path.write_text("\n    ".join(("def f():", *imports)) + "\n")
    assert list(imports_of(path)) == ["event_pipeline.api", "event_pipeline.stream", "dagster"]

"""What can be typed, started or switched is written down, and what is written down exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from event_pipeline.cli import build_app
from event_pipeline.definitions.build import build_definitions
from event_pipeline.definitions.jobs import build_jobs
from event_pipeline.settings import Firebase, Settings, Sheets
from event_pipeline_tests.docs.pages import PAGES, read
from event_pipeline_tests.paths import REPOSITORY

_FOLLOWING = [
    Settings(firebase=Firebase(backend="firestore", project_id="p"), sheets=Sheets(follow_events=True)),
    Settings(firebase=Firebase(backend="realtime_database", database_url="https://p.firebaseio.com")),
]


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command below a group, as the words that are typed."""
    children = getattr(command, "commands", None)
    if children is None:
        yield path
    for name, child in (children or {}).items():
        yield from _commands(child, (*path, name))


def _all_commands() -> list[tuple[str, ...]]:
    return list(_commands(typer.main.get_command(build_app())))


@pytest.mark.parametrize("command", _all_commands(), ids=" ".join)
def test_every_command_is_described(command: tuple[str, ...]) -> None:
    lines = [line for line in read("operations.md").splitlines() if f"`event-pipeline {command[0]}" in line]
    assert any(all(re.search(rf"\b{word}\b", line) for word in command) for line in lines)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    known = {command[0] for command in _all_commands()}
    named = set(re.findall(r"`(?:\.venv/bin/)?event-pipeline\s+([a-z]+)", text))
    assert named <= known


@pytest.mark.parametrize("settings", _FOLLOWING, ids=["firestore", "realtime_database"])
def test_every_job_sensor_schedule_group_and_check_is_described(settings: Settings) -> None:
    page = read("operations.md")
    definitions = build_definitions(settings)
    graph = definitions.resolve_asset_graph()
    names = {
        item.name for items in (definitions.jobs, definitions.sensors, definitions.schedules) for item in items or ()
    }
    assert names >= {job.name for job in build_jobs()}
    names |= {node.group_name for node in graph.asset_nodes if node.group_name}
    names |= {key.name for key in graph.asset_check_keys}
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []


def test_every_package_is_in_the_readme() -> None:
    layout = (REPOSITORY / "README.md").read_text(encoding="utf-8").split("## Layout")[1]
    packages = [path.parent.name for path in (REPOSITORY / "event_pipeline").glob("*/__init__.py")]
    assert [name for name in packages if f"  {name}/" not in layout] == []


def test_the_commands_of_the_readme_are_targets_of_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        word for page in PAGES for word in re.findall(r"\bmake ([a-z-]+)\b(?=`|\n)", page.read_text(encoding="utf-8"))
    }
    assert {"up", "test"} <= named
    assert named <= targets


def test_ci_runs_the_readmes_own_commands() -> None:
    script = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    assert "\nmake test\n" in script
    assert "make up" in script
    assert "make lint" in script

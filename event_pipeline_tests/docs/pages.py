"""The documentation as text, for the tests of this folder."""

from __future__ import annotations

from pathlib import Path

from event_pipeline_tests.paths import REPOSITORY

DOCS = REPOSITORY / "docs"
PAGES: list[Path] = [REPOSITORY / "README.md", *sorted(DOCS.rglob("*.md"))]


def read(name: str) -> str:
    """A page below docs/."""
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of that language."""
    parts = text.split(f"```{language}\n")[1:]
    return [part.split("```")[0] for part in parts]

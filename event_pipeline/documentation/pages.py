"""Which generated pages there are; writes them, or says which are out of date."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from event_pipeline.documentation.data_dictionary import data_dictionary
from event_pipeline.documentation.settings_page import settings_page

PAGES: Mapping[str, Callable[[], str]] = {
    "data-dictionary.md": data_dictionary,
    "settings.md": settings_page,
}
"""Page by file name below docs/."""


def write_pages(folder: Path) -> list[Path]:
    """Write every page; returns those that changed."""
    changed = outdated_pages(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for path in changed:
        path.write_text(PAGES[path.name](), encoding="utf-8")
    return changed


def outdated_pages(folder: Path) -> list[Path]:
    """Pages that are missing or say something else than the code does now."""
    paths = [folder / name for name in PAGES]
    return [path for path in paths if not path.is_file() or path.read_text(encoding="utf-8") != PAGES[path.name]()]

"""When the demo organisation is loaded, and that it never mixes with an organisation's own data."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from event_pipeline.errors import SettingsError
from event_pipeline.settings import Settings

if TYPE_CHECKING:
    from event_pipeline.demo import DemoSummary

DEMO_EXPORT = "demo.json"
"""The export that holds the demo organisation; while it is there, the data folder is the demo's."""

DEFAULT_REGISTRATIONS, DEFAULT_SEED = 2_000, 7


def has_source(settings: Settings) -> bool:
    """Whether the settings name anything to read besides dropped files."""
    return settings.firebase.backend != "none" or bool(settings.sheets.spreadsheets) or settings.sheets.follow_events


def holds_demo(settings: Settings) -> bool:
    """Whether the data folder holds the demo organisation."""
    return (settings.exports_dir / DEMO_EXPORT).exists()


def is_empty(settings: Settings) -> bool:
    """Whether nothing was ever loaded here and nothing waits to be."""
    if settings.catalog_url is not None or (settings.catalog_dir / "lake.sqlite").exists():
        return False
    return not _dropped(settings.exports_dir) and not _dropped(settings.inbox_dir)


def refuse_mixing(settings: Settings) -> None:
    """Raises SettingsError when an organisation's own source would be read into the demo's tables."""
    if not holds_demo(settings):
        return
    others = sorted(entry.name for entry in _dropped(settings.exports_dir) if entry.name != DEMO_EXPORT)
    if has_source(settings) or others:
        own = "the settings name a source of your own" if has_source(settings) else f"exports/ also holds {others[0]}"
        raise SettingsError(
            f"the data folder {settings.data_dir} holds the demo organisation, and {own}: their numbers would be "
            "mixed; set data_dir (PIPELINE_DATA_DIR) to a new folder, or delete this one"
        )


def load_demo(
    target: Path,
    registrations: int = DEFAULT_REGISTRATIONS,
    seed: int = DEFAULT_SEED,
    as_of: datetime | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> DemoSummary:
    """Write the demo organisation below ``target``, where exports and inbox records are picked up; as of today."""
    from event_pipeline.demo import generate_demo

    day = (as_of or datetime.now(UTC)).date()
    return generate_demo(target, registrations, seed, day, export_name=DEMO_EXPORT, progress=progress)


def _dropped(folder: Path) -> list[Path]:
    """What was put there, what was picked up and moved aside included; unfinished and hidden files do not count."""
    if not folder.is_dir():
        return []
    return [entry for entry in folder.iterdir() if entry.name[0] != "." and entry.suffix not in (".part", ".tmp")]

"""The folder of finished exports and those being written, ``api/exports`` in the data folder."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from event_pipeline.api.exports.store import Export
from event_pipeline.exports.formats import FORMATS
from event_pipeline.settings import Settings

_MEGABYTE = 1_000_000
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class ExportFolder:
    """Where files are. Only who runs the API may look into it: a query may have put anything there."""

    def __init__(self, settings: Settings) -> None:
        self.path = settings.data_dir / "api" / "exports"
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._most_bytes = settings.exports.folder_megabytes * _MEGABYTE
        self.limit = f"exports.folder_megabytes, {settings.exports.folder_megabytes:,}"

    def file(self, export: Export) -> Path:
        """The finished file."""
        return self.path / f"{export.export_id}.{FORMATS[export.format].suffix}"

    def unfinished(self, export_id: str) -> Path:
        """The file while it is written."""
        return self.path / f"{export_id}.part"

    def scratch(self, export_id: str) -> Path:
        """A folder for temporary files."""
        return self.path / f"{export_id}.scratch"

    def is_full(self) -> bool:
        """Whether its files take more than they may."""
        return sum(_size(path) for path in self.path.iterdir()) > self._most_bytes

    def remove(self, export_id: str) -> None:
        """Everything of that export."""
        for path in self.path.glob(f"{export_id}.*"):
            _remove(path)

    def remove_unfinished(self, export_id: str) -> None:
        """What is left of writing it."""
        _remove(self.unfinished(export_id))
        _remove(self.scratch(export_id))

    def keep_only(self, export_ids: Iterable[str]) -> None:
        """Remove whatever belongs to no export that is known."""
        known = set(export_ids)
        for path in self.path.iterdir():
            if path.name.partition(".")[0] not in known:
                _remove(path)


def file_name(label: str, at: datetime, suffix: str) -> str:
    """A name to save it by, of plain characters: what it is, and when in UTC."""
    return f"{_UNSAFE.sub('_', label)}-{at.astimezone(UTC):%Y%m%d-%H%M%S}.{suffix}"


def _size(path: Path) -> int:
    try:
        return sum(_size(inner) for inner in path.iterdir()) if path.is_dir() else path.stat().st_size
    except FileNotFoundError:
        # It was finished or removed just now.
        return 0


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)

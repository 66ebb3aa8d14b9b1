"""The data folder as `up` needs it: its parts present and writable, and Dagster's home inside it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from event_pipeline.errors import SettingsError
from event_pipeline.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[2]
"""Where dagster.yaml and workspace.yaml are: the clone that this package runs from."""

WORKSPACE = REPOSITORY / "workspace.yaml"
MIN_FREE_BYTES = 256 * 1024**2
"""With less room than this, a first run would end in the middle."""


@dataclass(frozen=True)
class DataFolder:
    """Absolute paths inside the data folder."""

    root: Path

    @property
    def dagster_home(self) -> Path:
        """DAGSTER_HOME: runs, events, schedules."""
        return self.root / "dagster"

    @property
    def logs(self) -> Path:
        """What the child processes print."""
        return self.root / "logs"


def prepare_folder(settings: Settings) -> DataFolder:
    """Create what is missing and bring Dagster's settings up to date with the repository's.

    Raises SettingsError when the folder cannot be made, written to, or has too little room.
    """
    folder = DataFolder(settings.data_dir.absolute())
    try:
        for part in (folder.dagster_home, folder.logs, settings.inbox_dir, settings.exports_dir):
            part.mkdir(parents=True, exist_ok=True)
        _copy_if_changed(_dagster_yaml(), folder.dagster_home / "dagster.yaml")
        free = shutil.disk_usage(folder.root).free
    except OSError as error:
        raise SettingsError(
            f"setting data_dir (PIPELINE_DATA_DIR) names {folder.root}, which cannot be used: {error.strerror} "
            f"({error.filename}); name a folder on a disk that is there and that this user may write to"
        ) from None
    if free < MIN_FREE_BYTES:
        raise SettingsError(
            f"setting data_dir (PIPELINE_DATA_DIR) names {folder.root}, where {free // 1024**2} MB are free; "
            f"at least {MIN_FREE_BYTES // 1024**2} MB are needed"
        )
    return folder


def _dagster_yaml() -> bytes:
    path = REPOSITORY / "dagster.yaml"
    if not path.is_file() or not WORKSPACE.is_file():
        raise SettingsError(
            f"`event-pipeline up` runs from a clone of the repository, and {REPOSITORY} holds no dagster.yaml and "
            "workspace.yaml; clone it and type `make up` there"
        )
    return path.read_bytes()


def _copy_if_changed(wanted: bytes, path: Path) -> None:
    if path.is_file() and path.read_bytes() == wanted:
        return
    part = path.with_name(path.name + ".part")
    part.write_bytes(wanted)
    part.replace(path)

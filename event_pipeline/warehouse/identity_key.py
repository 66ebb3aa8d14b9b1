"""The key of the pseudonyms: from settings, else a file in the data folder that the first run creates."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from filelock import FileLock

from event_pipeline.errors import SettingsError
from event_pipeline.settings import Settings

_MIN_LENGTH = 16


def identity_key(settings: Settings) -> str:
    """The key, the same for every run of this installation; losing it makes every person a stranger.

    Raises SettingsError for a key shorter than sixteen characters.
    """
    if settings.identity_key is not None:
        key = settings.identity_key.get_secret_value()
        if len(key) < _MIN_LENGTH:
            raise SettingsError(
                f"setting identity_key (PIPELINE_IDENTITY_KEY) must have at least {_MIN_LENGTH} characters"
            )
        return key
    path = settings.data_dir / "identity.key"
    if not path.exists():
        _create(path)
    return path.read_text().strip()


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):
        if path.exists():
            return
        # Written whole under another name first: a reader never sees half a key.
        part = path.with_suffix(".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        part.rename(path)

"""Reads the settings, and says in one message what is wrong with them."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from pydantic import ValidationError
from pydantic_settings import SettingsError as UnreadableVariable

from event_pipeline.errors import SettingsError
from event_pipeline.settings.messages import explain, explain_unreadable, reject_unknown_variables
from event_pipeline.settings.pipeline import Settings, toml_path


@cache
def load_settings() -> Settings:
    """The settings of this process, read once. Raises SettingsError naming each wrong setting and what is allowed."""
    return read_settings()


def read_settings(**overrides: Any) -> Settings:
    """Settings read afresh; ``overrides`` win over variables and file."""
    reject_unknown_variables(Settings)
    if "PIPELINE_CONFIG_FILE" in os.environ and not toml_path().is_file():
        raise SettingsError(f"PIPELINE_CONFIG_FILE names {str(toml_path())!r}, which is not a file")
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsError(explain(error, Settings)) from None
    except UnreadableVariable as error:
        raise SettingsError(explain_unreadable(error)) from None
    except (OSError, ValueError) as error:
        raise SettingsError(f"{toml_path()} cannot be read: {error}") from None

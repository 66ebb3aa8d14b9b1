"""What every section of the settings is: a table whose keys are known and that nobody changes."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of ``event_pipeline.toml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

"""What several answers hold."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


def example(also: dict[str, Any] | None = None, **values: Any) -> ConfigDict:
    """A model's configuration with its example, and what else its JSON schema says."""
    return ConfigDict(json_schema_extra={"examples": [values], **(also or {})})


class Money(BaseModel):
    """An amount in whole minor units (paise, cents)."""

    amount_minor: int
    currency: str = Field(description="ISO 4217 code.")


class Quality(BaseModel):
    """How far the figures are to be trusted, by the latest check of every table."""

    score: float | None = Field(description="Mean share of promises kept, 0 to 1; null when nothing was checked.")
    checked_at: datetime | None
    failed: int = Field(description="Promises broken, warnings included.")
    tables_failing: list[str]


def rate(part: int, whole: int) -> float | None:
    """Part over whole, to four places; None where there is nothing to divide by."""
    return round(part / whole, 4) if whole else None

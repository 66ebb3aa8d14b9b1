"""The dashboard's section of the settings."""

from __future__ import annotations

from pydantic import Field

from event_pipeline.settings.section import Section


class Dashboard(Section):
    """The dashboard, which `event-pipeline serve` answers at `/`."""

    session_hours: float = Field(
        default=12, description="Who signed in has to do so again after so long.", gt=0, le=8_760
    )
    is_https_only: bool = Field(
        default=False,
        description="Browsers send the session cookie over HTTPS only; switch on behind a proxy with TLS.",
    )
    live_seconds: float = Field(
        default=1, description="Open pages are brought up to date at most so often.", gt=0, le=3_600
    )
    viewers: int = Field(default=100, description="Pages that are brought up to date at a time.", ge=1, le=10_000)

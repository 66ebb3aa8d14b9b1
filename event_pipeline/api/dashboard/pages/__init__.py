"""The pages. A new module's router is added to PAGES, and to TOPICS what changes while its page is open."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter

from event_pipeline.api.dashboard import assets
from event_pipeline.api.dashboard.dashboard import Topic
from event_pipeline.api.dashboard.pages import (
    alerts,
    door,
    event,
    events,
    files,
    overview,
    pipeline,
    quality,
    sign_in,
    sql,
    updates,
)

PAGES: tuple[APIRouter, ...] = (
    overview.router,
    events.router,
    event.router,
    pipeline.router,
    quality.router,
    files.router,
    door.router,
    alerts.router,
    sql.router,
    sign_in.router,
    updates.router,
    assets.router,
)
"""Every router of the dashboard."""

TOPICS: Mapping[str, Topic] = {
    "frame": lambda _dashboard, _about: {},
    "overview": overview.fragments,
    "event": event.fragments,
    "pipeline": pipeline.fragments,
    "alerts": alerts.fragments,
}
"""What a page may follow: its fragments, by the name in its ``data-live``."""

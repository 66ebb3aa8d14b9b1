"""What all pages share: built once with the application."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from event_pipeline.api.catalog_session import Session
from event_pipeline.api.components import Look, look
from event_pipeline.api.dashboard.assets import asset_url
from event_pipeline.api.dashboard.formats import Formats
from event_pipeline.api.dashboard.kept import Kept
from event_pipeline.api.dashboard.live import LiveFeed
from event_pipeline.api.mirror import Mirrored
from event_pipeline.api.problems import Problem
from event_pipeline.api.services import Services
from event_pipeline.background_task import BackgroundTask
from event_pipeline.errors import PipelineError

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from event_pipeline.api.dashboard.attention import InQuarantine, OffPace

_TICKED = re.compile(r"`([^`]+)`")
_LOOK_SECONDS = 5.0
_QUARANTINE_SECONDS = 15.0
_OFF_PACE_SECONDS = 30.0

Fragments = Mapping[str, str]
"""What is new on a page, as HTML by the id of the element that holds it."""

Topic = Callable[["Dashboard", str], Fragments]
"""The fragments of a page that is open, about what its address names."""


class Dashboard:
    """Templates, formats, looks that are kept, and the feed of open pages."""

    def __init__(self, services: Services) -> None:
        from event_pipeline.api.dashboard import attention
        from event_pipeline.api.dashboard.pages import TOPICS

        self.services = services
        self.formats = Formats(services.settings.organisation)
        self.templates = _templates(self.formats)
        self.look: Kept[Look] = Kept(lambda: look(services), _LOOK_SECONDS)
        self.quarantine: Kept[InQuarantine] = Kept(lambda: attention.in_quarantine(services), _QUARANTINE_SECONDS)
        self.off_pace: Kept[list[OffPace]] = Kept(lambda: attention.events_off_pace(services), _OFF_PACE_SECONDS)
        self.feed = LiveFeed(self, TOPICS)

    @contextmanager
    def warehouse(self) -> Iterator[tuple[Session, Mirrored]]:
        """One look at the warehouse, and what it is of. Raises Problem."""
        _ = self.services.mirror.current  # made now where there is none
        with self.services.reader.session() as session:
            yield session, self.services.mirror.state_in(session)

    def html(self, template: str, **context: Any) -> str:
        """A template, or one with a macro's name after ``#``, filled in."""
        name, _, macro = template.partition("#")
        if macro:
            module: Any = self.templates.get_template(name).module
            return str(getattr(module, macro)(**context))
        return self.templates.get_template(name).render(**context)

    def follow(self, stop: threading.Event) -> threading.Thread:
        """The thread that brings open pages up to date until stopped."""
        expected = (Problem, PipelineError)
        task = BackgroundTask("api-live", self.feed.turn, self.services.tasks, stop, expected=expected)
        task.start()
        return task


def _templates(formats: Formats) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["ticks"] = _ticks
    environment.globals |= {"f": formats, "asset_url": asset_url}
    return environment


def _ticks(text: str) -> Markup:
    """A message with what stands in backticks as code."""
    from markupsafe import Markup, escape

    return Markup(_TICKED.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped just before

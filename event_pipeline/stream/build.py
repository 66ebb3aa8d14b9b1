"""Which sources the worker follows, as the settings say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from event_pipeline.settings import Settings, Spreadsheet
from event_pipeline.stream.sources.live_source import ALL, LiveSource

if TYPE_CHECKING:
    from event_pipeline.warehouse.lake import Lake


@dataclass(frozen=True, slots=True)
class PlannedSource:
    """A source to follow. ``make`` makes a fresh one, each time it is followed anew, in the thread that follows it;
    the lake it is given is that thread's own. ``collections`` are those that its reports name."""

    name: str
    collections: tuple[str, ...]
    make: Callable[[Lake], LiveSource]


def plan_sources(settings: Settings) -> list[PlannedSource]:
    """The configured Firebase database, the inbox always, and spreadsheets where there are any. Export files are not
    followed: they are loaded by runs."""
    planned = [PlannedSource("inbox", (ALL,), lambda _: _inbox(settings))]
    backend, collections = settings.firebase.backend, tuple(settings.firebase.collections)
    if backend == "firestore":
        planned.append(PlannedSource(backend, collections, lambda _: _firestore(settings)))
    elif backend == "realtime_database":
        planned.append(PlannedSource(backend, collections, lambda _: _realtime_database(settings)))
    if settings.sheets.spreadsheets or settings.sheets.follow_events:
        planned.append(PlannedSource("google_sheets", ("sheet_rows",), lambda lake: _sheets(settings, lake)))
    return planned


def _inbox(settings: Settings) -> LiveSource:
    from event_pipeline.stream.sources.files_and_sheets import InboxWatch

    settings.inbox_dir.mkdir(parents=True, exist_ok=True)
    return InboxWatch(
        settings.inbox_dir, settings.stream.batch_changes, settings.stream, settings.retention.inbox_done_days
    )


def _firestore(settings: Settings) -> LiveSource:
    from event_pipeline.stream.sources.firestore_listen import FirestoreListen

    return FirestoreListen(settings.firebase, settings.stream)


def _realtime_database(settings: Settings) -> LiveSource:
    from event_pipeline.stream.sources.realtime_database_events import RealtimeDatabaseEvents

    return RealtimeDatabaseEvents(settings.firebase, settings.stream)


def _sheets(settings: Settings, lake: Lake) -> LiveSource:
    from event_pipeline.stream.sources.files_and_sheets import SheetsWatch
    from event_pipeline.warehouse.ingest import followed_spreadsheets

    def spreadsheets() -> Sequence[Spreadsheet]:
        return followed_spreadsheets(lake, settings)

    return SheetsWatch(settings, spreadsheets)

"""What an export of the background reads, by what was asked for."""

from __future__ import annotations

from event_pipeline.api.answers.exports import ExportRequest, TableChoice
from event_pipeline.api.exports.analytics import analytics_source
from event_pipeline.api.exports.queries import check_query, query_source
from event_pipeline.api.exports.source import OnStop, OpenSource, table_source
from event_pipeline.api.exports.store import Export
from event_pipeline.api.exports.tables import Selection, current_snapshot, table_query
from event_pipeline.api.problems import Problem
from event_pipeline.api.services import Services


def open_export(services: Services, export: Export, on_stop: OnStop) -> OpenSource:
    """The source of an export that was asked for. Raises Problem where it cannot be read any more."""
    wanted = ExportRequest.model_validate(export.request)
    if wanted.table is not None:
        zone, seconds = services.settings.organisation.time_zone, services.settings.exports.job_seconds
        return table_source(services.exporting, selection_of(wanted.table), zone, seconds=seconds)
    if wanted.analytics is not None:
        return analytics_source(services, wanted.analytics)
    if wanted.query is not None:
        return query_source(services.settings, wanted.query, on_stop)
    raise Problem("invalid", "the export names nothing to read")


def check_export(services: Services, wanted: ExportRequest) -> None:
    """Raise the Problem that reading it would, where one look tells."""
    if wanted.table is not None:
        with services.exporting.session() as session:
            zone = services.settings.organisation.time_zone
            table_query(session, selection_of(wanted.table), current_snapshot(session), zone)
    if wanted.analytics is not None:
        with analytics_source(services, wanted.analytics):
            return
    if wanted.query is not None:
        check_query(services.sandbox, wanted.query)


def selection_of(choice: TableChoice) -> Selection:
    """The choice as tables take it."""
    return Selection(
        choice.name, tuple(choice.columns), choice.event_id, choice.from_day, choice.to_day, choice.day_column
    )

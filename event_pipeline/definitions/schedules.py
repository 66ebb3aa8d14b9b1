"""Schedules: sheets, reconciliation, nightly rebuild; in the organisation's time zone."""

from __future__ import annotations

import dagster as dg

from event_pipeline.definitions.jobs import REBUILD_JOB, RECONCILE_JOB, SYNC_SHEETS_JOB
from event_pipeline.definitions.maintenance_job import MAINTAIN_JOB
from event_pipeline.settings import Settings


def build_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """The nightly schedules, and those of the sources that are configured."""
    status = dg.DefaultScheduleStatus.RUNNING if settings.features.schedules else dg.DefaultScheduleStatus.STOPPED
    zone = settings.organisation.time_zone
    schedules = [
        dg.ScheduleDefinition(
            name="nightly_rebuild",
            job_name=REBUILD_JOB,
            cron_schedule=settings.schedules.rebuild,
            execution_timezone=zone,
            default_status=status,
            description="Recomputes every table from all raw changes and runs all checks.",
        ),
        dg.ScheduleDefinition(
            name="nightly_maintenance",
            job_name=MAINTAIN_JOB,
            cron_schedule=settings.schedules.maintenance,
            execution_timezone=zone,
            default_status=status,
            description="Merges small files and forgets snapshots beyond retention.",
        ),
    ]
    if settings.firebase.backend != "none":
        schedules.append(
            dg.ScheduleDefinition(
                name="reconciliation",
                job_name=RECONCILE_JOB,
                cron_schedule=settings.schedules.reconcile,
                execution_timezone=zone,
                default_status=status,
                description="Finds missed updates and deletes by comparing with the source.",
            )
        )
    if settings.sheets.spreadsheets or settings.sheets.follow_events:
        schedules.append(
            dg.ScheduleDefinition(
                name="spreadsheets",
                job_name=SYNC_SHEETS_JOB,
                cron_schedule=settings.schedules.sheets,
                execution_timezone=zone,
                default_status=status,
                description="Reads the events' sheets.",
            )
        )
    return schedules

"""The routes. A new module's router is added to ROUTERS, one line each."""

from __future__ import annotations

from fastapi import APIRouter

from event_pipeline.api.routes import (
    administration,
    alerts,
    analytics,
    documentation,
    event,
    events,
    export_jobs,
    exports,
    health,
    metrics,
    operate,
    participants,
    payments,
    queries,
    query,
    runs,
    scans,
    silences,
    status,
    webhooks,
    workbook,
)

ROUTERS: tuple[APIRouter, ...] = (
    status.router,
    operate.router,
    runs.router,
    analytics.router,
    query.router,
    queries.router,
    events.router,
    event.router,
    participants.router,
    payments.router,
    workbook.router,
    exports.router,
    export_jobs.router,
    metrics.router,
    health.router,
    silences.router,
    alerts.router,
    scans.router,
    webhooks.router,
    administration.router,
    documentation.router,
)
"""Every router of the API."""

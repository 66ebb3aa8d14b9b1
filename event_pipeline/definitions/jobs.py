"""Jobs: what a person or a sensor starts."""

from __future__ import annotations

import dagster as dg

from event_pipeline.definitions.raw_assets import RECONCILE_TAG
from event_pipeline.definitions.table_refresh import RefreshMode
from event_pipeline.definitions.table_run import MODE_TAG, RECHECK_TAG

SYNC_JOB, INGEST_JOB, REFRESH_JOB, REBUILD_JOB, RECONCILE_JOB = "sync", "ingest", "refresh", "rebuild", "reconcile"
SYNC_SHEETS_JOB = "sync_sheets"

_RAW = dg.AssetSelection.groups("raw")
_EVERYTHING = dg.AssetSelection.all()

_RECHECK = {RECHECK_TAG: "yes"}
_APPLY, _REBUILD = {MODE_TAG: RefreshMode.APPLY.value}, {MODE_TAG: RefreshMode.REBUILD.value}


def build_jobs() -> list[dg.UnresolvedAssetJobDefinition]:
    """The jobs over all assets.

    Jobs that sensors start select no checks: Dagster plans each check that is selected, and shows a planned check of a
    table that did not change as skipped. The contract of a table that changed is checked in every job.
    """
    checks = dg.AssetSelection.all_asset_checks()
    assets = _EVERYTHING - checks
    return [
        dg.define_asset_job(
            SYNC_JOB,
            assets,
            description="Reads every source and brings every table up to date. Sensors start it.",
            tags=_APPLY | _RECHECK,
        ),
        dg.define_asset_job(
            SYNC_SHEETS_JOB,
            dg.AssetSelection.assets("raw/sheets_rows").downstream() - checks,
            description="Reads the events' sheets and brings every table up to date.",
            tags=_APPLY | _RECHECK,
        ),
        dg.define_asset_job(INGEST_JOB, _RAW, description="Reads every source into the raw tables, nothing else."),
        dg.define_asset_job(
            REFRESH_JOB,
            _EVERYTHING - _RAW,
            description="Applies what changed in the raw tables to every table, then runs all checks.",
            tags=_APPLY,
        ),
        dg.define_asset_job(
            REBUILD_JOB,
            _EVERYTHING - _RAW,
            description="Recomputes every table from all raw changes, then runs all checks.",
            tags=_REBUILD,
        ),
        dg.define_asset_job(
            RECONCILE_JOB,
            assets,
            description="Compares every document with the source to find missed updates and deletes.",
            tags={RECONCILE_TAG: "yes", **_APPLY, **_RECHECK},
        ),
    ]

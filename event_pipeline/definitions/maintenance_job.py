"""The job that keeps the lake small."""

import dagster as dg

from event_pipeline.definitions.session import Session
from event_pipeline.definitions.table_assets import WRITER_POOL

MAINTAIN_JOB = "maintain"


@dg.op(pool=WRITER_POOL)
def maintain_lake(context: dg.OpExecutionContext, session: dg.ResourceParam[Session]) -> None:
    """Merges small files, forgets snapshots beyond retention, deletes files nothing needs."""
    from event_pipeline.warehouse.maintenance import maintain

    for done in maintain(session.backend.con, session.settings):
        context.log.info(
            f"{done.catalog}: {done.snapshots_expired} snapshots expired, {done.files_deleted} files deleted"
        )


@dg.job(name=MAINTAIN_JOB, description="Merges small files and forgets old snapshots; nightly after the rebuild.")
def maintain_job() -> None:
    """One op: see maintain_lake."""
    maintain_lake()

"""A small code location that the control tests drive: one of everything that can be launched, fail or be switched."""

import time

import dagster as dg

DAYS = dg.DailyPartitionsDefinition(start_date="2025-06-01", end_date="2025-06-11")


@dg.asset(key=["core", "dim_events"], group_name="core", kinds={"duckdb"})
def dim_events() -> None:
    """Succeeds at once."""


@dg.asset(key=["marts", "agg_event_metrics"], group_name="marts", deps=[dim_events])
def agg_event_metrics() -> None:
    """Follows dim_events."""


@dg.asset(
    key=["marts", "agg_daily_metrics"],
    group_name="marts",
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def agg_daily_metrics(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Says which days it was asked for."""
    days = context.partition_key_range
    return dg.MaterializeResult(metadata={"days": f"{days.start}..{days.end}"})


@dg.asset(key=["raw", "broken"], group_name="broken")
def broken() -> None:
    """Always fails."""
    raise ValueError("the export is garbled at line 7")


@dg.asset(key=["staging", "unloved"], group_name="broken")
def unloved() -> None:
    """Materializes, but its checks do not hold."""


@dg.asset_check(asset=unloved, name="row_count")
def unloved_row_count() -> dg.AssetCheckResult:
    """Always fails, which leaves the run successful."""
    return dg.AssetCheckResult(passed=False, description="12 rows are missing")


@dg.asset_check(asset=unloved, name="freshness")
def unloved_freshness() -> dg.AssetCheckResult:
    """Always holds."""
    return dg.AssetCheckResult(passed=True)


@dg.asset(key=["raw", "endless"], group_name="endless")
def endless() -> None:
    """Runs until it is cancelled."""
    while True:
        time.sleep(0.1)


class Greeting(dg.Config):
    """Run configuration of the one op job."""

    name: str = "world"


@dg.op
def greet(context: dg.OpExecutionContext, config: Greeting) -> None:
    """Logs its configuration."""
    context.log.info(f"hello {config.name}")


@dg.job(executor_def=dg.in_process_executor)
def greeting() -> None:
    """A job without assets."""
    greet()


refresh = dg.define_asset_job("refresh", selection=[dim_events, agg_event_metrics])
daily = dg.define_asset_job("daily", selection=[agg_daily_metrics])


@dg.sensor(job=refresh, minimum_interval_seconds=3600)
def new_documents() -> dg.SkipReason:
    """Finds nothing."""
    return dg.SkipReason("nothing new")


nightly = dg.ScheduleDefinition(name="nightly", job=refresh, cron_schedule="0 3 * * *")

defs = dg.Definitions(
    assets=[dim_events, agg_event_metrics, agg_daily_metrics, broken, unloved, endless],
    asset_checks=[unloved_row_count, unloved_freshness],
    jobs=[refresh, daily, greeting],
    sensors=[new_documents],
    schedules=[nightly],
    executor=dg.in_process_executor,
)

"""Runs of the code location's jobs in this process, over a small real lake and Dagster's own instance."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned

from event_pipeline.definitions.asset_metadata import asset_key
from event_pipeline.definitions.build import build_definitions
from event_pipeline.settings import Features
from event_pipeline_tests.warehouse.documents import changed, registration
from event_pipeline_tests.warehouse.pipelines import AS_OF, Pipeline, real_pipeline

MARTS = ("marts.agg_event_metrics", "marts.agg_daily_metrics", "marts.agg_club_metrics")


@dataclass(frozen=True)
class Ran:
    """A run that ended. ``recorded`` holds the metadata of materializations by ``layer.table``, ``checked`` whether
    checks passed, by table and name, ``said`` its failures in words."""

    succeeded: bool
    steps: list[str]
    recorded: dict[str, dict[str, Any]]
    failed: list[str]
    warnings: list[str]
    checked: dict[tuple[str, str], bool]
    planned_checks: set[tuple[str, str]]
    said: str

    def told(self, *names: str) -> set[tuple[Any, ...]]:
        """The different values that the run recorded of its tables under these names."""
        return {tuple(metadata.get(name) for name in names) for metadata in self.recorded.values()}


class Operated:
    """An organisation whose tables only runs write; ``lake`` looks at them and delivers documents."""

    def __init__(self, lake: Pipeline, instance: dg.DagsterInstance) -> None:
        self.lake, self._instance = lake, instance
        self.as_of = AS_OF
        self.definitions = build_definitions(lake.settings, as_of=AS_OF)

    def run(self, job: str, *assets: str, **options: Any) -> Ran:
        """Runs the job, or only these assets of it."""
        # A result not read to its end keeps the catalog locked against the run's commits.
        self.lake.connection.execute("SELECT 1").fetchall()
        selection = [asset_key(name) for name in assets] or None
        result = self._job(job).execute_in_process(
            instance=self._instance, asset_selection=selection, raise_on_error=False, **options
        )
        recorded = {
            ".".join(event.asset_key.path): {k: v.value for k, v in event.materialization.metadata.items()}
            for event in result.get_asset_materialization_events()
            if event.asset_key is not None
        }
        logs = self._instance.all_logs(result.run_id)
        return Ran(
            result.success,
            [str(event.step_key) for event in result.all_events if event.is_step_start],
            recorded,
            [str(event.step_key) for event in result.all_events if event.is_step_failure],
            [entry.user_message for entry in logs if entry.level == 30],
            {(".".join(e.asset_key.path), e.check_name): e.passed for e in result.get_asset_check_evaluations()},
            {
                (".".join(planned.asset_key.path), planned.check_name)
                for entry in logs
                if entry.dagster_event is not None
                and isinstance(planned := entry.dagster_event.event_specific_data, AssetCheckEvaluationPlanned)
            },
            "\n".join(str(event.step_failure_data.error) for event in result.all_events if event.is_step_failure),
        )

    def pick(self, *assets: str) -> Ran:
        """Materializes these assets as somebody does who marked them in the UI."""
        return self.run("__ASSET_JOB", *assets)

    def register(self, person: str) -> None:
        """The person registers for event e1: the document arrives, and nothing else happens."""
        self.lake.commit(changed("registrations", person, registration(person), after=400))

    def counted(self) -> set[int]:
        """How many registrations count: as the facts say, and each of the MARTS. One number where they agree."""
        facts = sum(row["is_counted"] for row in self.lake.rows("core.fact_registrations"))
        return {facts, *(sum(row["registrations"] for row in self.lake.rows(mart)) for mart in MARTS)}

    def _job(self, name: str) -> dg.JobDefinition:
        if name.startswith("__"):
            return self.definitions.resolve_implicit_global_asset_job_def()
        return self.definitions.resolve_job_def(name)


@contextmanager
def operated(folder: Path) -> Iterator[Operated]:
    """Over a fresh lake in that folder, without the dear expectations."""
    with (
        real_pipeline(folder, features=Features(quality_checks=False)) as lake,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        yield Operated(lake, instance)

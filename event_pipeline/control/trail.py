"""Reading a run's event log forward: steps, materializations, failed checks and what went wrong."""

from __future__ import annotations

from typing import Any

from event_pipeline.control import queries
from event_pipeline.control.client import GraphQLClient, explain, refuse
from event_pipeline.control.errors import WrongRequestError

FINAL = frozenset({"SUCCESS", "FAILURE", "CANCELED"})
WAITING = frozenset({"QUEUED", "NOT_STARTED", "STARTING"})
_STEP_ENDS = frozenset({"STEP_SUCCESS", "STEP_FAILURE", "STEP_SKIPPED"})
_EVENTS_A_REQUEST = 1_000


class RunTrail:
    """What one run has done so far; ``read`` brings it up to date.

    Steps, assets and checks are counted once however often they are retried. ``seconds`` runs from the run's start.
    """

    def __init__(self, client: GraphQLClient, run_id: str) -> None:
        self.run_id = run_id
        self.status = "QUEUED"
        self.steps: set[str] = set()
        self.steps_total: int | None = None
        self.materialized: dict[str, int] = {}
        self.started_at: float | None = None
        self.ended_at: float | None = None
        self._client = client
        self._cursor: str | None = None
        self._checks: dict[tuple[str, str], str | None] = {}
        self._step_failures: dict[str, str] = {}
        self._run_failure: str | None = None
        self._engine_error: str | None = None

    def read(self) -> None:
        """Take in what happened since the last read."""
        run = self._client.execute(queries.RUN, id=self.run_id)["runOrError"]
        if run["__typename"] == "RunNotFoundError":
            raise WrongRequestError(f"there is no run {self.run_id!r}")
        if run["__typename"] != "Run":
            raise refuse(run, f"describe run {self.run_id}")
        if self.steps_total is None:
            self.steps_total = self._count_steps(run["stepKeysToExecute"])
        self.started_at, self.ended_at = run["startTime"], run["endTime"]
        # The status is taken before the log: events are stored before the status that they lead to, so none is missed.
        self._read_log()
        self.status = run["status"]

    @property
    def is_final(self) -> bool:
        """Whether the run has ended and its whole log is read."""
        return self.status in FINAL

    @property
    def checks_failed(self) -> list[str]:
        """'asset: check (description)' for each check whose latest evaluation failed."""
        return [text for text in self._checks.values() if text]

    @property
    def failure(self) -> str | None:
        """Why the run failed: the steps with their errors, or what kept it from running."""
        if self.status == "CANCELED":
            return "the run was cancelled"
        if self.status != "FAILURE":
            return None
        if self._step_failures:
            return "; ".join(f"step {step}: {error}" for step, error in self._step_failures.items())
        return self._run_failure or self._engine_error or "Dagster gave no reason; see the run's page"

    def _count_steps(self, chosen: list[str] | None) -> int | None:
        """The steps of the run; a run that a backfill made names none of them and is the whole plan."""
        if chosen is not None:
            return len(chosen)
        plan = self._client.execute(queries.RUN_PLAN, id=self.run_id)["runOrError"].get("executionPlan")
        return len(plan["steps"]) if plan else None

    def _read_log(self) -> None:
        more = True
        while more:
            log = self._client.execute(queries.RUN_LOG, id=self.run_id, cursor=self._cursor, limit=_EVENTS_A_REQUEST)
            log = log["logsForRun"]
            if log["__typename"] != "EventConnection":
                raise refuse(log, f"read the log of run {self.run_id}")
            for event in log["events"]:
                self._take(event)
            self._cursor, more = log["cursor"], log["hasMore"]

    def _take(self, event: dict[str, Any]) -> None:
        kind, step, error = event["eventType"], event["stepKey"], event.get("error")
        if kind in _STEP_ENDS:
            self.steps.add(step)
        if kind == "STEP_FAILURE":
            self._step_failures[step] = explain(error) if error else event["message"]
        elif kind == "STEP_SUCCESS":
            self._step_failures.pop(step, None)
        elif kind == "RUN_FAILURE" and error:
            self._run_failure = explain(error)
        elif kind == "ENGINE_EVENT" and error:
            self._engine_error = explain(error)
        elif kind == "ASSET_MATERIALIZATION":
            key = "/".join(event["assetKey"]["path"])
            self.materialized[key] = self.materialized.get(key, 0) + 1
        elif kind == "ASSET_CHECK_EVALUATION":
            self._take_check(event["evaluation"])

    def _take_check(self, evaluation: dict[str, Any]) -> None:
        asset = "/".join(evaluation["assetKey"]["path"])
        description = f" ({evaluation['description']})" if evaluation["description"] else ""
        text = None if evaluation["success"] else f"{asset}: {evaluation['checkName']}{description}"
        self._checks[asset, evaluation["checkName"]] = text


class BackfillTrail:
    """What a backfill's runs have done so far, together."""

    _MOST_RUNS = 10_000

    def __init__(self, client: GraphQLClient, backfill_id: str) -> None:
        self.backfill_id = backfill_id
        self.status = "REQUESTED"
        self.runs: dict[str, RunTrail] = {}
        self.started_at: float | None = None
        self.ended_at: float | None = None
        self._client = client
        self._error: str | None = None

    def read(self) -> None:
        """Take in what happened since the last read."""
        data = self._client.execute(queries.BACKFILL, id=self.backfill_id, runs=self._MOST_RUNS)
        backfill = data["partitionBackfillOrError"]
        if backfill["__typename"] == "BackfillNotFoundError":
            raise WrongRequestError(f"there is no backfill {self.backfill_id!r}")
        if backfill["__typename"] != "PartitionBackfill":
            raise refuse(backfill, f"describe backfill {self.backfill_id}")
        self.started_at, self.ended_at = backfill["timestamp"], backfill["endTimestamp"]
        self._error = explain(backfill["error"]) if backfill["error"] else None
        for run in backfill["runs"]:
            trail = self.runs.setdefault(run["runId"], RunTrail(self._client, run["runId"]))
            # A queued run has nothing to tell, an ended one nothing new.
            if run["status"] not in WAITING and not trail.is_final:
                trail.read()
        self.status = backfill["status"]

    @property
    def is_final(self) -> bool:
        """Whether the backfill has ended."""
        return self.status in {"COMPLETED", "COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED", "CANCELED"}

    @property
    def failure(self) -> str | None:
        """Why the backfill failed: its own error, or its runs'."""
        if self.status in {"COMPLETED", "COMPLETED_SUCCESS"}:
            return None
        if self.status == "CANCELED":
            return "the backfill was cancelled"
        reasons = [f"run {trail.run_id}: {trail.failure}" for trail in self.runs.values() if trail.failure]
        return "; ".join(([self._error] if self._error else []) + reasons) or "Dagster gave no reason; see its page"

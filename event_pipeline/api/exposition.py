"""The pipeline's own figures for Prometheus, read when they are asked for."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from event_pipeline.alerts.delivery.outbox import Outbox
from event_pipeline.alerts.evaluator import last_evaluation
from event_pipeline.alerts.store import AlertStore
from event_pipeline.api.components import WORST_FIRST, Look, look
from event_pipeline.api.figures import resources

if TYPE_CHECKING:
    import psutil

    from event_pipeline.api.services import Services


_MOST_ALERTS = 10_000


class PipelineCollector(Collector):
    """Gauges of the components, the warehouse's age, the stream and the process."""

    def __init__(self, services: Services, process: psutil.Process) -> None:
        self._services, self._process = services, process

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The gauges now; what is unknown is left out."""
        seen = look(self._services)
        states = GaugeMetricFamily(
            "event_pipeline_component_state", "1 for the state a component is in.", labels=("component", "state")
        )
        for component in seen.components:
            for state in WORST_FIRST:
                states.add_metric((component.name, state), component.state == state)
        yield states
        if seen.warehouse is not None:
            yield _gauge("warehouse_snapshot", "State of the warehouse that answers are of.", seen.warehouse.snapshot)
            lag = (seen.now - seen.warehouse.committed_at).total_seconds()
            yield _gauge("warehouse_lag_seconds", "Since the tables were last brought up to date.", lag)
        if seen.heartbeat is not None:
            age = (seen.now - seen.heartbeat.at).total_seconds()
            yield _gauge("stream_heartbeat_age_seconds", "Since the stream worker was last heard.", age)
            yield _gauge("stream_waiting_changes", "Changes not committed yet.", seen.heartbeat.waiting_changes)
            yield _gauge("stream_changes", "Changes committed since the worker started.", seen.heartbeat.rows)
            if seen.heartbeat.lag_seconds is not None:
                yield _gauge("stream_lag_seconds", "Last batch, seen to committed.", seen.heartbeat.lag_seconds)
        yield from self._tasks(seen)
        yield from self._alerts()
        used = resources(self._services, self._process)
        yield _gauge("api_memory_bytes", "Memory of the API's process.", used.memory_bytes)
        yield _gauge("api_cpu_percent", "Processor of the API's process since the last look.", used.cpu_percent)
        yield _gauge("disk_free_bytes", "Room on the data folder's disk.", used.disk_free_bytes)

    def _tasks(self, seen: Look) -> Iterable[GaugeMetricFamily]:
        """How background tasks fare, and for how long answers have not been brought up to date."""
        unverified = self._services.mirror.unverified_seconds
        if math.isfinite(unverified):
            yield _gauge("answers_unverified_seconds", "Since answers were made sure to be the newest.", unverified)
        labels = ("process", "task")
        failing = GaugeMetricFamily("event_pipeline_task_failing", "1 while its latest turn failed.", labels=labels)
        failures = GaugeMetricFamily("event_pipeline_task_failures", "Turns failed since its start.", labels=labels)
        succeeded = GaugeMetricFamily(
            "event_pipeline_task_succeeded_at_seconds", "Its latest success, since 1970.", labels=labels
        )
        worker = seen.heartbeat.tasks if seen.heartbeat else {}
        for process, tasks in (("api", self._services.tasks.all()), ("stream", worker)):
            for name, task in tasks.items():
                failing.add_metric((process, name), task.failing_since is not None)
                failures.add_metric((process, name), task.failures)
                if task.succeeded_at is not None:
                    succeeded.add_metric((process, name), task.succeeded_at.timestamp())
        yield from (failing, failures, succeeded)

    def _alerts(self) -> Iterable[GaugeMetricFamily]:
        database = self._services.alerts
        firing = GaugeMetricFamily("event_pipeline_alerts_firing", "Alerts that fire.", labels=("rule", "severity"))
        found = AlertStore(database).alerts(("firing",), limit=_MOST_ALERTS)
        for (rule, severity), number in Counter((alert.rule, alert.severity) for alert in found).items():
            firing.add_metric((rule, severity), number)
        yield firing
        sent = GaugeMetricFamily("event_pipeline_alert_notifications", "Notifications kept.", labels=("state",))
        for state, number in Outbox(database).counts().items():
            sent.add_metric((state,), number)
        yield sent
        evaluated_at = last_evaluation(database).at
        if evaluated_at is not None:
            age = (self._services.now() - evaluated_at).total_seconds()
            yield _gauge("alerts_evaluation_age_seconds", "Since the rules were last evaluated.", age)


def exposition(services: Services, process: psutil.Process) -> bytes:
    """Everything in Prometheus's text format."""
    pipeline = CollectorRegistry(auto_describe=False)
    pipeline.register(PipelineCollector(services, process))
    return generate_latest(services.counters.registry) + generate_latest(pipeline)


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"event_pipeline_{name}", meaning, value=value)

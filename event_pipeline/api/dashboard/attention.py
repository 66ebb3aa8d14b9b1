"""What needs somebody's attention first: in the organiser's words, with the way to what can be done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from event_pipeline.alerts.evaluator import last_evaluation
from event_pipeline.alerts.pace import is_watched
from event_pipeline.alerts.store import AlertStore
from event_pipeline.api.answers.common import Quality
from event_pipeline.api.answers.event import PaceComparison
from event_pipeline.api.answers.pipeline import ComponentName
from event_pipeline.api.components import Look
from event_pipeline.api.dashboard.live import Standing
from event_pipeline.api.problems import Problem
from event_pipeline.api.queries import event as event_queries
from event_pipeline.api.queries.events import Filters, next_events
from event_pipeline.api.services import Services
from event_pipeline.contracts.quarantine import QUARANTINE
from event_pipeline.settings import Severity

if TYPE_CHECKING:
    from event_pipeline.api.dashboard.dashboard import Dashboard

Level = Literal["bad", "warn", "good"]

_MOST = 500
_LEVELS: dict[Severity, Level] = {"critical": "bad", "warning": "warn", "info": "good"}
_SEEN_ABOVE = frozenset(("dagster_down", "stream_down", "warehouse_down", "source_failing", "check_failed", "off_pace"))
"""Rules over what is looked at here anyway, at this moment and not twice a minute."""

_SAID: dict[ComponentName, dict[str, tuple[str, str]]] = {
    "warehouse": {
        "down": ("The figures cannot be read", "the tables were never made, or are being made anew"),
        "degraded": ("The figures are old", "they could not be brought up to date; each page says as of when they are"),
    },
    "stream": {
        "down": ("Live updates have stopped", "the stream worker is silent; sensors bring changes in meanwhile, later"),
        "degraded": ("Live updates are in trouble", "the stream worker runs, but not all of it goes well"),
    },
    "ingestion": {
        "down": ("No source can be read", "nothing new comes in until a source can be read again"),
        "degraded": ("A source cannot be read", "what it holds is missing from the figures"),
    },
    "processing": {"degraded": ("The figures are behind", "the tables were not brought up to date as they should be")},
    "dagster": {
        "down": ("Dagster does not answer", "figures stay as they are; runs cannot be seen or started"),
        "degraded": ("Dagster is not well", "runs may be late or not start at all"),
    },
    "background": {"degraded": ("Background work fails", "it is tried again by itself; the pipeline page says what")},
}
"""What a part's state means for organisers, the gravest part first; states that need nobody are not there."""


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing to look at; ``link`` leads to what can be done about it."""

    level: Level
    title: str
    detail: str
    link: str
    link_text: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Documents of a table that break one rule; rejected ones are in quarantine only, noted ones went on without it."""

    table_name: str
    field: str
    rule: str
    consequence: str
    what_to_do: str
    documents: int


@dataclass(frozen=True, slots=True)
class InQuarantine:
    """``rules`` are those that are broken, the most documents first.

    ``rejected`` counts by table the documents that are in quarantine only, each once however many rules it breaks.
    """

    rules: Sequence[Refused] = ()
    rejected: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OffPace:
    """An upcoming event behind what is usual, by the comparison that its own page and the API show."""

    event_id: str
    title: str | None
    starts_at: datetime
    compared: PaceComparison


def standing_of(seen: Look, services: Services) -> Standing:
    """How things stand, in a few words."""
    as_of = seen.warehouse.committed_at if seen.warehouse else None
    for part in sorted(seen.components, key=lambda part: list(_SAID).index(part.name)):
        if part.state in _SAID[part.name]:
            return Standing(part.state, _SAID[part.name][part.state][0], as_of)
    if not seen.is_running:
        return Standing("off", "Paused: nothing new comes in", as_of)
    return Standing("ok", "Up to date", as_of)


def concerns(dashboard: Dashboard, quality: Quality) -> list[Concern]:
    """Everything that needs attention, the gravest first."""
    found = [
        *_parts(dashboard.look.get()),
        *_checks(dashboard, quality),
        *_quarantine(dashboard),
        *_pace(dashboard),
        *_alerts(dashboard.services),
    ]
    return sorted(found, key=lambda concern: ("bad", "warn", "good").index(concern.level))


def _parts(seen: Look) -> Iterator[Concern]:
    for part in seen.components:
        if part.state in _SAID[part.name]:
            title, meaning = _SAID[part.name][part.state]
            level: Level = "bad" if part.state == "down" and part.name != "dagster" else "warn"
            yield Concern(level, title, meaning, "/pipeline", "See the pipeline")
    if not seen.is_running and seen.overview is not None:
        detail = "nothing new comes in: sensors, schedules and the stream worker are off"
        yield Concern("warn", "The pipeline is paused", detail, "/pipeline", "Start it")


def _checks(dashboard: Dashboard, quality: Quality) -> Iterator[Concern]:
    if not quality.tables_failing:
        return
    names = ", ".join(quality.tables_failing[:3]) + (" and more" if len(quality.tables_failing) > 3 else "")
    title = f"{dashboard.formats.counted(quality.failed, 'check')} failing"
    yield Concern("warn", title, f"in {names}", "/quality", "See what fails")


def _quarantine(dashboard: Dashboard) -> Iterator[Concern]:
    found = dashboard.quarantine.get()
    rejected = [item for item in found.rules if item.consequence == "rejected"]
    if not rejected:
        return
    documents = sum(found.rejected.values())
    worst = max(rejected, key=lambda item: item.documents)
    title = f"{dashboard.formats.counted(documents, 'record')} in quarantine"
    detail = f"not counted anywhere; most are {worst.table_name} with a bad {worst.field}"
    yield Concern("warn", title, detail, "/quality#quarantine", "How to fix")


def _pace(dashboard: Dashboard) -> Iterator[Concern]:
    formats = dashboard.formats
    for event in dashboard.off_pace.get():
        compared = event.compared
        what = formats.counted(
            compared.number, *(("person", "people") if compared.unit == "people" else ("registration",))
        )
        who = "earlier editions had" if compared.compared_with == "earlier_editions" else "events here usually have"
        yield Concern(
            "warn",
            f"{event.title or event.event_id} is off pace",
            f"{what} so far; at this point {who} {formats.number(round(compared.usual))}",
            f"/events/{quote(event.event_id, safe='')}",
            "See its pace",
        )


def _alerts(services: Services) -> Iterator[Concern]:
    """What fires and is not among the others already."""
    store, now = AlertStore(services.alerts), services.now()
    if (at := last_evaluation(services.alerts)).at is not None and at.is_silent(services.settings, now):
        yield Concern("warn", "Nobody is watching", "alerts are not evaluated any more", "/alerts", "See alerts")
    silences = store.silences(active_at=datetime.now(UTC))
    for alert in store.alerts(("firing",)):
        if alert.rule in _SEEN_ABOVE or any(silence.matches(alert) for silence in silences):
            continue
        title = alert.summary[:1].upper() + alert.summary[1:]
        detail = f"{alert.rule.replace('_', ' ')}, for {alert.owner}"
        event_id = alert.labels.get("event_id")
        way = (f"/events/{quote(event_id, safe='')}", "See the event") if event_id else ("/alerts", "See alerts")
        yield Concern(_LEVELS[alert.severity], title, detail, *way)


def in_quarantine(services: Services) -> InQuarantine:
    """What is in quarantine; nobody is named. Empty while it cannot be read."""
    try:
        with services.private.session() as session:
            there = session.row(
                "SELECT 1 FROM duckdb_tables() WHERE database_name = 'lake' AND schema_name = $layer "
                "AND table_name = $table",
                {"layer": QUARANTINE.layer, "table": QUARANTINE.table},
            )
            rows = session.rows(_REFUSED) if there else []
            counted = session.rows(_REJECTED) if there else []
    except Problem:
        return InQuarantine()
    return InQuarantine([Refused(**row) for row in rows], {row["table_name"]: row["documents"] for row in counted})


_REFUSED = f"""
SELECT table_name, field, rule, consequence, mode(what_to_do) AS what_to_do, count(DISTINCT document_id) AS documents
FROM {QUARANTINE.qualified} GROUP BY table_name, field, rule, consequence
ORDER BY documents DESC, table_name, rule
"""
_REJECTED = f"""
SELECT table_name, count(DISTINCT document_id) AS documents
FROM {QUARANTINE.qualified} WHERE consequence = 'rejected' GROUP BY table_name
"""


def events_off_pace(services: Services) -> list[OffPace]:
    """Upcoming events that are off pace as the alert of that name means it, the soonest first; empty without tables."""
    now, today, rule = services.now(), services.today, services.settings.alerts.rules.off_pace
    currency = services.settings.organisation.currency
    near = Filters(starts_from=now, starts_before=now + timedelta(days=rule.days + 1), archived=False, cancelled=False)
    try:
        with services.reader.session() as session:
            copies = services.mirror.state_in(session).events
            found = []
            for event in next_events(session, near, _MOST, currency):
                row = copies.event(event.event_id)
                if row is None or event.starts_at is None or not is_watched(row, now, today, rule):
                    continue
                compared = event_queries.pace(copies, row, now, today, rule).comparison
                if compared is not None and compared.is_off_pace:
                    found.append(OffPace(event.event_id, event.title, event.starts_at, compared))
            return found
    except Problem:
        return []

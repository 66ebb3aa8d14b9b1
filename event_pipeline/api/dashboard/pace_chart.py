"""How an event fills up beside its earlier editions, by days before the start."""

from __future__ import annotations

from event_pipeline.api.answers.event import EventAnalytics, Pace, PacePoint
from event_pipeline.api.dashboard.charts import Chart, Mark, Series
from event_pipeline.api.dashboard.formats import Formats

_LONGEST_DAYS = 120
_LONGEST_AFTER = 7
"""Registrations that are cancelled long after an event say nothing of how it filled up."""

_TICKS = (20, 10, 5, 2)


def pace_chart(answer: EventAnalytics, formats: Formats, refused: int = 0) -> Chart:
    """Registrations up to each day; the event's own end where it is now. ``refused`` are in quarantine, beside none."""
    pace = answer.pace
    everyone = [
        point for points in (pace.points, *(edition.pace for edition in pace.earlier_editions)) for point in points
    ]
    days = [point.days_before_start for point in everyone] + ([0] if pace.days_before_start is not None else [])
    axis = list(range(min(max(days), _LONGEST_DAYS), max(min(*days, 0), -_LONGEST_AFTER) - 1, -1)) if everyone else []
    now = pace.days_before_start
    today = [axis.index(now)] if now is not None and now in axis else []
    line = _line(pace.points, axis, now if now is not None else min(days, default=0))
    series = [Series("This event", line, "area", partial=today)]
    for edition in pace.earlier_editions:
        title, year = edition.title or edition.event_id, str(formats.local(edition.starts_at).year)
        name = title if year in title else f"{title} ({year})"
        series.append(Series(name, _line(edition.pace, axis, min(axis, default=0)), is_reference=True))
    return Chart(
        "pace", "Registrations not cancelled by then, by days before the event", "Days before the event",
        [_label(day) for day in axis], series, summary=_summary(answer, formats, refused), marks=_marks(answer, axis),
        height="tall", label_every=next((step for step in _TICKS if len(axis) > 3 * step), 1),
    )  # fmt: skip


def _line(points: list[PacePoint], axis: list[int], until: int) -> list[float | None]:
    """What was active at the end of each day of the axis, up to the day it is now."""
    reached: dict[int, int] = {point.days_before_start: point.cumulative_registrations for point in points}
    earlier = [point for point in points if axis and point.days_before_start > axis[0]]
    value, line = (earlier[-1].cumulative_registrations if earlier else 0), []
    for day in axis:
        value = reached.get(day, value)
        line.append(value if day >= until else None)
    return line


def _label(day: int) -> str:
    return str(day) if day >= 0 else f"{-day} after"


def _marks(answer: EventAnalytics, axis: list[int]) -> list[Mark]:
    marks = []
    now, event = answer.pace.days_before_start, answer.event
    if now is not None and now in axis and now != 0:
        marks.append(Mark("Today", at=_label(now)))
    # A team takes as many places as it has people, so that only single registrations can be held against the capacity.
    if event.capacity and event.participants == event.registrations:
        marks.append(Mark(f"Capacity {event.capacity}", level=event.capacity))
    return marks


def _summary(answer: EventAnalytics, formats: Formats, refused: int) -> str:
    if not answer.pace.points:
        if refused:
            return f"{formats.counted(refused, 'registration')} could not be read; see Data quality."
        if answer.event.registrations:
            return f"{formats.counted(answer.event.registrations, 'registration')}, on days that are not known."
        return "Nobody has registered yet."
    said = f"{formats.counted(answer.event.registrations, 'registration')} so far"
    compared = answer.pace.comparison
    if compared is None:
        return f"{said}; there is no earlier edition to compare with."
    usual = formats.number(round(compared.usual))
    unit = "" if compared.unit == "registrations" else " people"
    return (
        f"{said}. By the beginning of today {formats.number(compared.number)}{unit}; "
        f"{compared_with(answer.pace)} {usual} at the same point."
    )


def compared_with(pace: Pace) -> str:
    """What the comparison is with, as the beginning of a sentence that goes on with a number."""
    editions = pace.earlier_editions
    if pace.comparison is not None and pace.comparison.compared_with == "other_events":
        return "other events usually have"
    if len(editions) == 1:
        return f"{editions[0].title or editions[0].event_id} had"
    return f"its {len(editions)} earlier editions had (median)"


def pace_words(pace: Pace) -> str:
    """What stands behind the change on the event's page; empty where nothing is compared."""
    compared, editions = pace.comparison, pace.earlier_editions
    if compared is None or compared.change is None:
        return ""
    if compared.compared_with == "other_events":
        return "vs other events at the same point"
    if len(editions) == 1:
        return f"vs {editions[0].title or editions[0].event_id} at the same point"
    return f"vs {len(editions)} earlier editions at the same point"

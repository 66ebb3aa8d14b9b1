"""How an event fills up beside its earlier editions, by days before the start."""

from __future__ import annotations

from event_pipeline.api.answers.event import EventAnalytics, PacePoint
from event_pipeline.api.dashboard.charts import Chart, Mark, Series
from event_pipeline.api.dashboard.formats import Formats

_LONGEST_DAYS = 120


def pace_chart(answer: EventAnalytics, formats: Formats) -> Chart:
    """Registrations up to each day; the event's own end where it is now."""
    pace = answer.pace
    everyone = [
        point for points in (pace.points, *(edition.pace for edition in pace.earlier_editions)) for point in points
    ]
    days = [point.days_before_start for point in everyone] + ([0] if pace.days_before_start is not None else [])
    axis = list(range(min(max(days), _LONGEST_DAYS), min(*days, 0) - 1, -1)) if everyone else []
    now = pace.days_before_start
    series = [Series("This event", _line(pace.points, axis, now if now is not None else min(days, default=0)), "area")]
    for edition in pace.earlier_editions:
        title, year = edition.title or edition.event_id, str(formats.local(edition.starts_at).year)
        name = title if year in title else f"{title} ({year})"
        series.append(Series(name, _line(edition.pace, axis, min(axis, default=0)), is_reference=True))
    return Chart(
        "pace", "Registrations so far, by days before the start", "Day", [_label(day) for day in axis], series,
        summary=_summary(answer, formats), marks=_marks(answer, axis), height="tall",
    )  # fmt: skip


def _line(points: list[PacePoint], axis: list[int], until: int) -> list[float | None]:
    """The number reached by each day of the axis, up to the day it is now."""
    reached: dict[int, int] = {point.days_before_start: point.cumulative_registrations for point in points}
    earlier = [point.cumulative_registrations for point in points if axis and point.days_before_start > axis[0]]
    value, line = (max(earlier) if earlier else 0), []
    for day in axis:
        value = reached.get(day, value)
        line.append(value if day >= until else None)
    return line


def _label(day: int) -> str:
    if day == 0:
        return "Start"
    return f"{abs(day)} {'day' if abs(day) == 1 else 'days'} {'before' if day > 0 else 'after'}"


def _marks(answer: EventAnalytics, axis: list[int]) -> list[Mark]:
    marks = []
    now, event = answer.pace.days_before_start, answer.event
    if now is not None and now in axis and now != 0:
        marks.append(Mark("Today", at=_label(now)))
    # A team takes as many places as it has people, so that only single registrations can be held against the capacity.
    if event.capacity and event.participants == event.registrations:
        marks.append(Mark(f"Capacity {event.capacity}", level=event.capacity))
    return marks


def _summary(answer: EventAnalytics, formats: Formats) -> str:
    pace = answer.pace
    if not pace.points:
        return "Nobody has registered yet."
    said = f"{formats.counted(answer.event.registrations, 'registration')} so far"
    if pace.compared_with_editions is None:
        return f"{said}; there is no earlier edition to compare with."
    share = formats.share(abs(pace.compared_with_editions))
    how = (
        "as many as"
        if not pace.compared_with_editions
        else f"{share} {'more' if pace.compared_with_editions > 0 else 'fewer'} than"
    )
    return f"{said}: {how} its earlier editions had on average by this day."

"""Event documents: editions by year, forms, capacities, fees, and the untidy ways of writing them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from event_pipeline.demo.columns import iso, local_text, push_ids, random_stream
from event_pipeline.demo.distributions import DAY_MS, ZONE_OFFSET_MS
from event_pipeline.demo.organisation import CATEGORIES, Identifiers, created_ms, title_of
from event_pipeline.demo.plan import Plan
from event_pipeline.demo.untidiness import GARBLED_DOCUMENTS, STALE_STATUS_RATE

_PLACES = ("Main Auditorium", "Lecture Hall 3", "Open Air Theatre", "Sports Ground", "Seminar Room B", "सभागार")

CUSTOM_FIELDS: tuple[tuple[dict[str, object], ...], ...] = (
    (),
    ({"id": "tshirt", "label": "T-shirt size", "type": "select", "required": True, "options": ["S", "M", "L", "XL"]},),
    (
        {"id": "food", "label": "Food", "type": "radio", "required": False, "options": ["Veg", "Non-veg", "Jain"]},
        {"id": "skills", "label": "Skills", "type": "checkbox", "required": False, "options": ["C", "Python", "CAD"]},
    ),
    ({"id": "why", "label": "Why do you want to come?", "type": "textarea", "required": False},),
)
"""The forms that events use; an event's form goes with its series."""


def custom_preset(series: np.ndarray) -> np.ndarray:
    """Which of CUSTOM_FIELDS a series uses."""
    return series % len(CUSTOM_FIELDS)


def event_documents(plan: Plan, ids: Identifiers, active: np.ndarray) -> Iterator[tuple[str, object]]:
    """Every event that was not deleted, and one garbled document. ``active`` is its registrations not cancelled."""
    rng = random_stream(plan.seed, 4)
    draws = rng.random((plan.events, 4))
    times = _EventTimes.of(plan)
    for number, key in enumerate(ids.event_ids.to_pylist()):
        if not plan.deleted[number]:
            yield key, _event(plan, ids, number, int(active[number]), draws[number], times)
    yield push_ids(np.array([plan.as_of_ms - 400 * DAY_MS]), rng)[0].as_py(), GARBLED_DOCUMENTS[0].strip('"')


@dataclass(frozen=True)
class _EventTimes:
    start: list[str]
    end: list[str]
    local_start: list[str]
    created: list[str]
    updated: list[str]

    @classmethod
    def of(cls, plan: Plan) -> _EventTimes:
        created = created_ms(plan)
        return cls(
            iso(plan.start_ms).to_pylist(), iso(plan.end_ms).to_pylist(),
            local_text(plan.start_ms, ZONE_OFFSET_MS).to_pylist(), iso(created).to_pylist(),
            iso(np.minimum(np.maximum(plan.end_ms, created), plan.as_of_ms)).to_pylist(),
        )  # fmt: skip


def _event(plan: Plan, ids: Identifiers, number: int, active: int, draw: np.ndarray, times: _EventTimes) -> object:
    series, year, kind = int(plan.series[number]), int(plan.year[number]), int(plan.kind[number])
    title = f"{title_of(series)} {year}"
    document: dict[str, object] = {
        "title": title, "description": f"{title}: a demo event that never happens.",
        "image_url": f"https://example.org/demo/{series}.png", "start_date": times.start[number],
        "end_date": times.end[number], "location": _PLACES[series % len(_PLACES)],
        "registration_deadline": times.start[number], "registration_open": bool(plan.is_upcoming[number]),
        "status": _status(plan, number, draw[0]), "is_featured": bool(draw[1] < 0.1),
        "is_archived": bool(plan.start_ms[number] < plan.as_of_ms - 500 * DAY_MS),
        "club_id": ids.club_ids[plan.club[number]], "category_id": ids.category_ids[series % len(CATEGORIES)],
        "registration_method": "both" if series % 11 == 4 else "internal",
        "participation_type": ("individual", "team", "both")[kind],
        "requires_payment": bool(plan.fee[number]), "created_at": times.created[number],
        "updated_at": times.updated[number], "additional_info": {"edition": year},
    }  # fmt: skip
    if kind == 1:
        document["min_participants"] = 2
    if fields := CUSTOM_FIELDS[int(custom_preset(plan.series[number]))]:
        document["custom_fields"] = list(fields)
    _set_capacity(document, plan, number, active, draw[2])
    _set_payment(document, int(plan.fee[number]), draw[3])
    _make_untidy(document, plan, number, draw, times)
    return document


def _status(plan: Plan, number: int, draw: float) -> str:
    if plan.cancelled[number]:
        return "cancelled"
    if plan.is_upcoming[number] or draw < STALE_STATUS_RATE:
        return "upcoming"
    return "completed" if plan.end_ms[number] < plan.as_of_ms else "ongoing"


def _set_capacity(document: dict[str, object], plan: Plan, number: int, active: int, draw: float) -> None:
    """Sold-out events hold exactly what registered; others have room, and a tenth state no limit at all."""
    if plan.sold_out[number]:
        document["max_participants"] = max(active, 1)
        document["registration_open"] = False
    elif draw < 0.9:
        document["max_participants"] = -(-int(active * (1.15 + draw) + 10) // 10) * 10


def _set_payment(document: dict[str, object], fee: int, draw: float) -> None:
    """Fees as numbers mostly, as text at times."""
    if fee:
        document["payment_amount"] = fee if draw < 0.8 else str(fee) if draw < 0.9 else f"₹{fee}"
        document["payment_upi_id"] = "demo@example"
        document["payment_instructions"] = "Pay to the demo account and upload the screenshot."


def _make_untidy(document: dict[str, object], plan: Plan, number: int, draw: np.ndarray, times: _EventTimes) -> None:
    """Starts typed as local times or stored as numbers, ends and update times left out."""
    if draw[1] > 0.95:
        document["start_date"] = times.local_start[number][:16]
    elif draw[1] > 0.93:
        document["start_date"] = int(plan.start_ms[number])
    if draw[2] < 0.02:
        del document["end_date"]
    if draw[3] < 0.04:
        del document["updated_at"]
    if draw[0] > 0.99 and "max_participants" in document:
        document["max_participants"] = str(document["max_participants"])

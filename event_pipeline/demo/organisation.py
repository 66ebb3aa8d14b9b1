"""Documents of the organisation around its events: clubs, categories, tags, requests, live updates and chat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from event_pipeline.demo.columns import Text, iso, push_ids, random_hex, random_stream
from event_pipeline.demo.distributions import DAY_MS, HOUR_MS, MINUTE_MS
from event_pipeline.demo.plan import Plan

CATEGORIES = (
    ("Technical", "#1f77b4"), ("Cultural", "#d62728"), ("Sports", "#2ca02c"), ("Academic", "#9467bd"),
    ("Workshop", "#ff7f0e"), ("Social", "#17becf"),
)  # fmt: skip
TAGS = ("beginners", "robotics", "music", "coding", "outdoor", "finals", "free food", "online", "certificate", "कला")

_CLUB_WORDS = ("Robotics", "Drama", "Quiz", "Photography", "Astronomy", "Chess", "Coding", "Music", "Hiking", "Debate")
_SMALL_WORDS = ("Riverside", "Bamboo", "Lantern", "Monsoon", "Orchid", "Teapot", "Willow", "Kite", "Copper", "Harbour")
_TITLE_FIRST = (
    "Robo", "Code", "Monsoon", "Pixel", "Rhythm", "Orbit", "Quiz", "Circuit", "Verse", "Summit", "Spark", "Kite",
    "Neon", "River", "Atlas", "Ember", "Lotus", "Vector", "Folk", "Prism", "Tempo", "Saffron", "Drift", "उत्सव",
)  # fmt: skip
_TITLE_LAST = (
    "Sprint", "Fest", "League", "Workshop", "Night", "Marathon", "Camp", "Cup", "Mela", "Conclave", "Jam", "Trek",
    "Showcase", "Bootcamp", "Derby", "Salon", "Relay", "Open", "Summit", "Quest", "Forum", "Carnival",
)  # fmt: skip


@dataclass(frozen=True)
class Identifiers:
    """Identifiers of the organisation's documents as text, drawn once."""

    event_ids: Text
    club_ids: list[str]
    category_ids: list[str]
    tag_ids: list[str]

    @classmethod
    def of(cls, plan: Plan) -> Identifiers:
        """Identifiers that look as if each document was created when it would have been."""
        rng = random_stream(plan.seed, 2)
        old = np.full(plan.clubs, plan.as_of_ms - 1500 * DAY_MS)
        clubs = random_hex(plan.clubs, 28, rng).to_pylist()
        return cls(
            push_ids(created_ms(plan), rng),
            clubs,
            push_ids(np.resize(old, len(CATEGORIES)), rng).to_pylist(),
            push_ids(np.resize(old, len(TAGS)), rng).to_pylist(),
        )


def created_ms(plan: Plan) -> np.ndarray:
    """When each event was published: ahead of its first registration."""
    return np.minimum(plan.start_ms - 100 * DAY_MS, plan.as_of_ms - DAY_MS)


def title_of(series: int) -> str:
    """A series' title without its year; distinct for the first 528 series."""
    return f"{_TITLE_FIRST[series % 24]} {_TITLE_LAST[(series // 24 + series) % 22]}"


def club_documents(plan: Plan, ids: Identifiers) -> Iterator[tuple[str, dict[str, object]]]:
    """Student clubs (named ``... Club``) and small organisations (named ``... Circle``)."""
    created = iso(np.full(1, plan.as_of_ms - 1500 * DAY_MS))[0].as_py()
    for number, key in enumerate(ids.club_ids):
        words, kind = (_SMALL_WORDS, "Circle") if plan.is_small[number] else (_CLUB_WORDS, "Club")
        lap = number // 10
        name = f"{words[number % 10]} {kind}" + (f" {lap + 1}" if lap else "")
        contact = f"hello.{number}@example.org"
        document: dict[str, object] = {
            "name": name, "description": f"Demo {kind.lower()} no. {number}", "contact_email": contact,
            "contact_phone": f"+91 90000-{number % 100_000:05d}", "created_at": created, "updated_at": created,
            "website": f"https://club-{number}.example.org",
            "social_links": {"instagram": f"https://example.org/instagram/demo{number}"},
        }  # fmt: skip
        if number % 7 == 3:
            del document["updated_at"], document["social_links"]
        yield key, document


def category_documents(plan: Plan, ids: Identifiers) -> Iterator[tuple[str, dict[str, object]]]:
    """The app's categories."""
    created = iso(np.full(1, plan.as_of_ms - 1500 * DAY_MS))[0].as_py()
    for key, (name, color) in zip(ids.category_ids, CATEGORIES, strict=True):
        yield key, {"name": name, "color": color, "created_at": created, "updated_at": created}


def tag_documents(ids: Identifiers) -> Iterator[tuple[str, dict[str, object]]]:
    """Tags that events carry."""
    for number, (key, name) in enumerate(zip(ids.tag_ids, TAGS, strict=True)):
        yield key, {"name": name, "color": CATEGORIES[number % len(CATEGORIES)][1]}


def event_tag_documents(plan: Plan, ids: Identifiers) -> Iterator[tuple[str, dict[str, object]]]:
    """One or two tags an event; the links of deleted events were left behind."""
    for number, event_id in enumerate(ids.event_ids.to_pylist()):
        series = int(plan.series[number])
        for tag in {series % len(TAGS), (series * 3 + 1) % len(TAGS)}:
            tag_id = ids.tag_ids[tag]
            yield f"{event_id}_{tag_id}", {"event_id": event_id, "tag_id": tag_id}


def club_request_documents(plan: Plan) -> Iterator[tuple[str, dict[str, object]]]:
    """Requests to open a club: one for every third club, approved, rejected or waiting."""
    rng = random_stream(plan.seed, 3)
    created = plan.as_of_ms - rng.integers(5, 900, max(3, plan.clubs // 3)) * DAY_MS
    times = iso(created).to_pylist()
    for number, key in enumerate(push_ids(created, rng).to_pylist()):
        status = ("approved", "pending", "rejected")[number % 3]
        yield key, {
            "club_name": f"Wished-for Club {number}", "contact_person": f"Asha Demo-{number:04d}",
            "contact_email": f"request.{number}@example.com", "contact_phone": f"0900000{number % 10_000:04d}",
            "description": "We would like to publish events.", "status": status, "created_at": times[number],
            "updated_at": times[number], **({"admin_notes": "welcome"} if status == "approved" else {}),
        }  # fmt: skip


def live_update_documents(plan: Plan, ids: Identifiers) -> Iterator[tuple[str, dict[str, object]]]:
    """Messages of organisers to the newest hundred events, one level deeper than other documents."""
    for number, key, rng in _newest(plan, ids, 5):
        times = np.sort(plan.as_of_ms - rng.integers(1, 20, 3) * DAY_MS)
        yield key, {
            push: {
                "message": f"Update {position + 1} for {title_of(int(plan.series[number]))}", "type": "info",
                "posted_by": ids.club_ids[plan.club[number]], "timestamp": when, "is_pinned": position == 0,
            }
            for position, (push, when) in enumerate(_pushed(times, rng))
        }  # fmt: skip


def chat_documents(plan: Plan, ids: Identifiers) -> Iterator[tuple[str, dict[str, object]]]:
    """A little talk around the newest hundred events."""
    for _, key, rng in _newest(plan, ids, 6):
        times = np.sort(plan.as_of_ms - rng.integers(1, 20 * 24, 4) * HOUR_MS - rng.integers(0, 60, 4) * MINUTE_MS)
        yield key, {
            push: {
                "message": ("See you there!", "Is there parking?", "क्या खाना मिलेगा?", "🎉")[position],
                "nickname": f"demo-{position}", "user_hash": f"u{rng.integers(0, 10**6):06d}", "timestamp": when,
                "message_type": "text", "reactions": {"like": position}, "is_moderated": False, "reported_count": 0,
            }
            for position, (push, when) in enumerate(_pushed(times, rng))
        }  # fmt: skip


def _newest(plan: Plan, ids: Identifiers, stream: int) -> Iterator[tuple[int, str, np.random.Generator]]:
    for number in range(max(0, plan.events - 100), plan.events):
        if not plan.deleted[number]:
            yield number, ids.event_ids[number].as_py(), random_stream(plan.seed, stream, number)


def _pushed(times: np.ndarray, rng: np.random.Generator) -> list[tuple[str, str]]:
    return list(zip(push_ids(times, rng).to_pylist(), iso(times).to_pylist(), strict=True))

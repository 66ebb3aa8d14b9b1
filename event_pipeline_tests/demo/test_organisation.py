from __future__ import annotations

import re
from collections import Counter, defaultdict

from event_pipeline.settings import COLLECTIONS
from event_pipeline_tests.demo.reading import Demo, instant


def test_export_holds_every_collection_of_the_app(smallest: Demo) -> None:
    assert set(smallest.tree) == set(COLLECTIONS)
    assert all(smallest.tree.values())


def test_summary_counts_what_the_export_holds(large: Demo, smallest: Demo) -> None:
    for demo in (large, smallest):
        said = demo.summary
        for collection, count in (
            ("clubs", said.clubs), ("categories", said.categories), ("events", said.events), ("tags", said.tags),
            ("registrations", said.registrations), ("event_tags", said.event_tags),
            ("club_requests", said.club_requests), ("event_chat", said.chats),
            ("event_live_updates", said.live_updates),
        ):  # fmt: skip
            assert len(demo.tree[collection]) == count, collection
        cancelled = sum(doc["status"] == "cancelled" for doc in demo.documents.values())
        assert 0 <= said.cancelled_registrations - cancelled <= said.wrong_type_registrations


def test_smallest_demo_has_a_hundred_registrations_of_past_and_coming_events(smallest: Demo) -> None:
    assert len(smallest.tree["registrations"]) == 100
    coming = {key for key, event in smallest.events.items() if instant(event["start_date"]) > smallest.summary.as_of}  # type: ignore[operator]
    registered_for = {doc["event_id"] for doc in smallest.documents.values()}
    assert coming & registered_for
    assert (set(smallest.events) - coming) & registered_for


def test_nobody_has_attended_an_event_still_to_come(large: Demo) -> None:
    coming = {key for key, event in large.events.items() if instant(event["start_date"]) > large.summary.as_of}  # type: ignore[operator]
    ahead = [doc for doc in large.documents.values() if doc["event_id"] in coming]
    assert len(ahead) > 1_000
    assert all(doc["attendance_status"] == "not_attended" for doc in ahead)


def test_events_return_every_year_under_the_same_name(smallest: Demo, large: Demo) -> None:
    for demo in (smallest, large):
        editions = defaultdict(set)
        for event in demo.events.values():
            match = re.fullmatch(r"(.+) (20\d\d)", event["title"])
            assert match
            editions[match[1]].add(int(match[2]))
            start = instant(event["start_date"])
            assert start is not None
            assert start.year == int(match[2])
        assert max(len(years) for years in editions.values()) >= 3


def test_sold_out_events_hold_just_what_registered(large: Demo) -> None:
    active = Counter(doc["event_id"] for doc in large.documents.values() if doc["status"] != "cancelled")
    full = [
        key
        for key, event in large.events.items()
        if "max_participants" in event and active[key] >= int(event["max_participants"])
    ]
    assert 0.08 < len(full) / len(large.events) < 0.2
    assert all(not large.events[key]["registration_open"] for key in full)


def test_references_between_events_clubs_categories_and_tags_hold(large: Demo) -> None:
    for event in large.events.values():
        assert event["club_id"] in large.tree["clubs"]
        assert event["category_id"] in large.tree["categories"]
    for key, link in large.tree["event_tags"].items():
        assert key == f"{link['event_id']}_{link['tag_id']}"
        assert link["tag_id"] in large.tree["tags"]

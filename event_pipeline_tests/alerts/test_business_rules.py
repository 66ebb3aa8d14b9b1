"""Rules over the figures: each sees what it is for, and is quiet otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from event_pipeline.contracts.core import DIM_EVENTS, FACT_PAYMENT_ENTRIES, FACT_PAYMENTS, FACT_REGISTRATIONS
from event_pipeline.contracts.marts import AGG_EVENT_METRICS, AGG_PAYMENT_DISCREPANCIES, AGG_REGISTRATION_PACE
from event_pipeline_tests.alerts.situation import NOW, TODAY, Situation


def event(event_id: str, days: int = 10, **more: Any) -> dict[str, Any]:
    return {
        "event_id": event_id, "title": f"Event {event_id}", "club_id": "c", "starts_at": NOW + timedelta(days=days),
        "start_date": TODAY + timedelta(days=days), "event_status": "upcoming" if days > 0 else "completed",
        "created_at": NOW - timedelta(days=1_000), "capacity": 100, "edition_series": None,
        "registration_method": "internal",
    } | more  # fmt: skip


class TestFilling:
    @pytest.fixture
    def filled(self, situation: Situation) -> Situation:
        taken = {"room": 50, "nearly": 90, "full": 100, "over": 101, "past": 100, "off": 100, "free": 500}
        others = [event("past", -1), event("off", event_status="cancelled"), event("free", capacity=None)]
        situation.put(DIM_EVENTS, *(event(name) for name in ("room", "nearly", "full", "over")), *others)
        halves = [{"event_id": name, "date": TODAY, "participants": n // 2} for name, n in taken.items()]
        rest = [{"event_id": name, "date": None, "participants": n - n // 2} for name, n in taken.items()]
        situation.put(AGG_EVENT_METRICS, *halves, *rest)
        return situation

    def test_upcoming_events_without_places_are_sold_out(self, filled: Situation) -> None:
        assert filled.subjects("event_sold_out") == ["full", "over"]

    def test_people_stand_against_places(self, filled: Situation) -> None:
        assert [found.summary for found in filled.find("event_sold_out")] == [
            "Event full is full: 100 people for 100 places",
            "Event over is overbooked: 101 people for 100 places",
        ]

    def test_upcoming_events_with_few_places_are_nearly_full(self, filled: Situation) -> None:
        (found,) = filled.find("event_nearly_full")
        assert (found.subject, found.value) == ("nearly", 0.9)
        assert "10 of 100 places are left" in found.summary
        assert filled.find("event_nearly_full", share=0.91) == []


def pace(event_id: str, *by_day: tuple[int, int], capacity: int = 100) -> list[dict[str, Any]]:
    return [
        {"event_id": event_id, "days_before_start": day, "cumulative_registrations": number,
         "cumulative_participants": number, "capacity": capacity}
        for day, number in by_day
    ]  # fmt: skip


class TestOffPace:
    def test_an_event_behind_its_earlier_editions_is_found(self, situation: Situation) -> None:
        editions = [event(f"old{n}", -300 * (n + 1), edition_series="run") for n in range(2)]
        situation.put(DIM_EVENTS, event("new", edition_series="run"), *editions)
        for n in range(2):
            situation.put(AGG_REGISTRATION_PACE, *pace(f"old{n}", (30, 10), (12, 50), (3, 90)))
        situation.put(AGG_REGISTRATION_PACE, *pace("new", (25, 29)))
        (found,) = situation.find("off_pace")
        assert (found.subject, found.value) == ("new", 0.58)
        assert "29 registered 10 days before its start; earlier editions had 50" in found.summary
        assert situation.find("off_pace", share=0.58) == []
        assert situation.find("off_pace", least=51) == []
        assert situation.find("off_pace", days=9) == []

    def test_what_was_cancelled_later_still_stood_then(self, situation: Situation) -> None:
        situation.put(DIM_EVENTS, event("new", edition_series="run"), event("old", -300, edition_series="run"))
        situation.put(AGG_REGISTRATION_PACE, *pace("old", (30, 60), (12, 50), (3, 20), (0, 20)))
        situation.put(AGG_REGISTRATION_PACE, *pace("new", (25, 40), (12, 29)))
        (found,) = situation.find("off_pace")
        assert "29 registered 10 days before its start; earlier editions had 50" in found.summary

    def test_today_is_not_held_against_whole_days(self, situation: Situation) -> None:
        situation.put(DIM_EVENTS, event("new", edition_series="run"), event("old", -300, edition_series="run"))
        situation.put(AGG_REGISTRATION_PACE, *pace("old", (30, 20), (10, 100)))
        situation.put(AGG_REGISTRATION_PACE, *pace("new", (25, 15), (10, 16)))
        assert situation.find("off_pace") == []

    def test_without_editions_the_organisations_pace_is_taken(self, situation: Situation) -> None:
        situation.put(DIM_EVENTS, event("new", capacity=200), *(event(f"o{n}", -50, capacity=100) for n in range(5)))
        for n in range(5):
            situation.put(AGG_REGISTRATION_PACE, *pace(f"o{n}", (20, 40), (1, 99)))
        situation.put(AGG_REGISTRATION_PACE, *pace("new", (15, 47)))
        (found,) = situation.find("off_pace")
        assert "events here usually have 80" in found.summary
        assert situation.find("off_pace", past_events=6) == []

    @pytest.mark.parametrize(
        ("more", "found"),
        [
            ({}, ["new"]),
            ({"event_status": "cancelled"}, []),
            ({"created_at": NOW - timedelta(days=1)}, []),
            ({"registration_method": "external"}, []),
            ({"is_archived": True}, []),
        ],
    )
    def test_events_without_a_pace_of_their_own_are_left_alone(
        self, situation: Situation, more: dict[str, Any], found: list[str]
    ) -> None:
        old = event("old", -300, edition_series="run", is_archived=False)
        situation.put(DIM_EVENTS, old, event("new", edition_series="run", **{"is_archived": False, **more}))
        situation.put(AGG_REGISTRATION_PACE, *pace("old", (30, 50)))
        assert situation.subjects("off_pace") == found


def registrations(event_id: str, count: int, **ago: float) -> list[dict[str, Any]]:
    at = NOW - timedelta(**ago)
    return [{"registration_id": f"{event_id}{ago}{n}", "event_id": event_id, "registered_at": at} for n in range(count)]


def test_a_burst_of_registrations_is_found_against_the_events_own_usual(situation: Situation) -> None:
    situation.put(DIM_EVENTS, event("quiet"), event("busy"), event("small"))
    situation.put(FACT_REGISTRATIONS, *registrations("quiet", 40, minutes=14), *registrations("small", 39, minutes=1))
    # Seven days hold 672 quarters of an hour: the busy event has two in each.
    usual = [row for day in range(1, 7) for row in registrations("busy", 224, days=day)]
    situation.put(FACT_REGISTRATIONS, *registrations("busy", 40, minutes=2), *usual)
    assert situation.subjects("registration_burst") == ["busy", "quiet"]
    assert situation.subjects("registration_burst", times=21) == ["quiet"]
    situation.wait(minutes=16)
    assert situation.find("registration_burst") == []


def payment(number: int, status: str, **more: Any) -> dict[str, Any]:
    return {
        "payment_id": f"p{number}", "event_id": "e", "method": "app", "payment_status": status, "currency": "INR",
        "occurred_at": NOW - timedelta(hours=2),
    } | more  # fmt: skip


def test_a_large_payment_is_found_for_a_day(situation: Situation) -> None:
    situation.put(
        FACT_PAYMENTS,
        payment(1, "verified", amount_minor=2_500_000),
        payment(2, "pending", amount_minor=9_900_000),
        payment(3, "verified", amount_minor=2_499_999),
        payment(4, "failed", amount_minor=9_900_000),
    )
    situation.put(DIM_EVENTS, event("e"))
    found = situation.find("high_value_payment")
    assert [condition.subject for condition in found] == ["p1", "p2"]
    assert found[0].summary == "a payment of 25,000.00 INR for Event e is verified"
    situation.wait(hours=23)
    assert situation.find("high_value_payment") == []


def refund(number: int, **more: Any) -> dict[str, Any]:
    return {
        "entry_id": f"r{number}", "payment_id": f"p{number}", "event_id": "e", "entry_kind": "refund",
        "amount_minor": -100, "currency": "INR", "occurred_at": NOW - timedelta(hours=2),
    } | more  # fmt: skip


def test_more_refunds_than_usual_are_found(situation: Situation) -> None:
    situation.put(FACT_PAYMENT_ENTRIES, *(refund(n) for n in range(4)), refund(99, entry_kind="payment"))
    assert situation.find("refund_spike") == []
    situation.put(FACT_PAYMENT_ENTRIES, refund(5))
    assert situation.find("refund_spike")[0].value == 5
    usual = [refund(100 + n, occurred_at=NOW - timedelta(days=2 + n % 25)) for n in range(47)]
    situation.put(FACT_PAYMENT_ENTRIES, *usual)
    assert situation.find("refund_spike") == []


def discrepancy(payment_id: str, kind: str, event_id: str = "e", **ago: float) -> dict[str, Any]:
    return {
        "payment_id": payment_id, "discrepancy": kind, "event_id": event_id, "method": "stripe",
        "payment_status": "verified", "currency": "INR", "occurred_at": NOW - timedelta(**(ago or {"days": 1})),
    }  # fmt: skip


def test_payments_to_check_are_told_of_each_event_until_they_are_mended(situation: Situation) -> None:
    situation.put(DIM_EVENTS, event("e"), event("old"))
    situation.put(
        AGG_PAYMENT_DISCREPANCIES,
        discrepancy("p1", "paid_twice"),
        discrepancy("p2", "paid_twice"),
        discrepancy("p2", "amount_differs_from_fee"),
        discrepancy("p3", "disputed", "old", days=61),
    )
    (found,) = situation.find("payment_discrepancy")
    assert (found.subject, found.value) == ("e", 2)
    assert found.summary == (
        "Event e has payments to check: 1 with an amount other than the fee; 2 made more than once for one registration"
    )
    assert situation.find("payment_discrepancy", least=3) == []
    assert situation.subjects("payment_discrepancy", days=62) == ["e", "old"]

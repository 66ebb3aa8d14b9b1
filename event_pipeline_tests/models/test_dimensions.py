"""People and dimensions: who is who, what is unknown, which days there are; and that every table keeps its contract."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from event_pipeline.contracts.contract import UNKNOWN
from event_pipeline.models.registry import MODELS
from event_pipeline_tests.models.star import broken_promises
from event_pipeline_tests.models.story import JUNE_1, JUNE_3, registered, user_of
from event_pipeline_tests.warehouse.documents import ABSENT
from event_pipeline_tests.warehouse.pipelines import MemoryPipeline, Row, broken_references


def test_people_merge_by_address_and_keep_the_latest_name(told: dict[str, list[Row]]) -> None:
    people = {row["email"]: row for row in told["people.people"]}
    twice = people["twice@example.org"]
    assert twice["user_id"] == user_of("twice")
    assert twice["first_seen_at"] == datetime(2025, 6, 1, tzinfo=UTC)
    assert twice["last_seen_at"] == datetime(2025, 6, 3, tzinfo=UTC)
    assert "only-mailed@example.org" in people
    assert people["walk-in@example.org"]["phone"] == "+919876543210"
    assert "quarantined@example.org" in people


def test_a_name_without_a_time_is_not_the_latest(pipeline: MemoryPipeline) -> None:
    pipeline.commit(
        registered(
            "r1",
            "asha",
            ABSENT,
            created_at=ABSENT,
            participant_name="Undated",
            participant_phone=None,
            additional_info={"department": "ECE"},
        ),
        registered("r2", "asha", JUNE_1, participant_name="Dated", additional_info={"department": "CE"}),
        registered(
            "r3",
            "asha",
            JUNE_3,
            participant_name=None,
            participant_phone="9123456780",
            additional_info={"department": "CSE"},
        ),
    )
    pipeline.refresh()
    (person,) = pipeline.rows("people.people")
    assert (person["person_name"], person["phone"]) == ("Dated", "+919123456780")
    assert pipeline.by_key("core.dim_users")[person["user_id"]]["department"] == "CSE"


def test_users_hold_counts_and_no_personal_data(told: dict[str, list[Row]]) -> None:
    users = {row["user_id"]: row for row in told["core.dim_users"]}
    twice = users[user_of("twice")]
    assert (twice["registrations"], twice["events_attended"]) == (2, 1)
    assert users[user_of("only-mailed")]["registrations"] == 0
    assert len(users) == len(told["people.people"]) + 1
    assert not [row for row in told["core.dim_users"] if "@" in repr(row)]


def test_nothing_in_the_warehouse_names_anybody(told: dict[str, list[Row]]) -> None:
    core = {name: rows for name, rows in told.items() if name.startswith(("core.", "marts."))}
    assert not [name for name, rows in core.items() if "@example" in repr(rows) or "Walk In" in repr(rows)]
    assert "987654" not in repr(core)


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("dim_events", "event_id"),
        ("dim_clubs", "club_id"),
        ("dim_categories", "category_id"),
        ("dim_users", "user_id"),
    ],
)
def test_every_dimension_has_one_unknown_row(told: dict[str, list[Row]], table: str, key: str) -> None:
    (unknown,) = [row for row in told[f"core.{table}"] if row[key] == UNKNOWN]
    assert unknown.get("title", unknown.get("club_name")) is None


def test_events_refer_to_known_clubs_and_share_editions(told: dict[str, list[Row]]) -> None:
    events = {row["event_id"]: row for row in told["core.dim_events"]}
    assert (events["e1"]["club_id"], events["e2"]["club_id"], events["e2"]["category_id"]) == ("c1", UNKNOWN, UNKNOWN)
    assert events["e1"]["edition_series"] == events["e2"]["edition_series"] == "robo wars"
    assert (events["e1"]["is_paid"], events["e2"]["is_paid"], events["e3"]["is_paid"]) == (False, False, False)
    assert (events["e3"]["title"], events["e3"]["start_date"]) == (None, None)


def test_tags_of_existing_events_are_bridged_once_by_name(told: dict[str, list[Row]]) -> None:
    assert told["core.bridge_event_tags"] == [{"event_id": "e1", "tag_name": "robots", "color": "#222222"}]


def test_days_run_from_the_first_to_the_last_that_is_mentioned(told: dict[str, list[Row]]) -> None:
    days = [row["date"] for row in told["core.dim_dates"]]
    assert (days[0], days[-1]) == (date(2025, 6, 1), date(2025, 6, 20))
    assert len(days) == len(set(days)) == 20
    sunday = next(row for row in told["core.dim_dates"] if row["date"] == date(2025, 6, 8))
    assert (sunday["day_of_week"], sunday["is_weekend"], sunday["iso_week"], sunday["quarter"]) == (7, True, 23, 2)


def test_an_empty_warehouse_has_no_days_and_only_unknown_rows(pipeline: MemoryPipeline) -> None:
    pipeline.refresh()
    counts = {name: len(rows) for name, rows in pipeline.contents().items() if rows}
    assert counts == dict.fromkeys(
        ["core.dim_categories", "core.dim_clubs", "core.dim_events", "core.dim_users"], 1
    ) | {name: count for name, count in counts.items() if name.startswith("marts.")}


def test_every_reference_leads_somewhere(told: dict[str, list[Row]]) -> None:
    assert broken_references(told) == []


def test_every_table_keeps_its_contract(told: dict[str, list[Row]]) -> None:
    broken = {name: broken_promises(MODELS[name].contract, rows) for name, rows in told.items()}
    assert {name: promises for name, promises in broken.items() if promises} == {}

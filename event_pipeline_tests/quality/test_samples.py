"""Samples show keys and culprits, never personal values, and survive hostile ones."""

from __future__ import annotations

import duckdb
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from event_pipeline.quality.gx_runner import check_table
from event_pipeline.settings import Settings
from event_pipeline_tests.effort import scaled
from event_pipeline_tests.quality.conftest import CheckVisits, only_failure
from event_pipeline_tests.quality.visits import FORMS, NOW, PLACES, VISITS, form, store, visit


def test_personal_values_show_their_first_letter_only(check_visits: CheckVisits) -> None:
    failure = only_failure(check_visits(visit("v1", visitor="Meenakshi Sundaram")))
    assert failure.sample == ('visit_id="v1", day=2025-06-09, visitor="M***"',)
    assert "Meenakshi" not in failure.message


def test_personal_keys_are_masked_too(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    store(connection, FORMS, [form("asha@example.org", "maybe"), form("asha@example.org")])
    quality = check_table(connection, settings, FORMS, now=NOW)
    assert {outcome.expectation for outcome in quality.failed} == {"allowed", "unique_key"}
    assert {text for outcome in quality.failed for text in outcome.sample} == {
        'form_id="a***", answer="maybe"',
        'form_id="a***", rows="2"',
    }


def test_sample_is_a_few_rows_in_the_order_of_the_key(check_visits: CheckVisits) -> None:
    failure = only_failure(check_visits(*(visit(f"v{n}", state="half") for n in reversed(range(8)))))
    assert failure.unexpected_count == 8
    assert [text.split(",")[0] for text in failure.sample] == [f'visit_id="v{n}"' for n in range(5)]


def test_long_values_are_shortened(check_visits: CheckVisits) -> None:
    failure = only_failure(check_visits(visit("v1", note="n" * 1_000_000)))
    assert failure.sample == (f'visit_id="v1", day=2025-06-09, note="{"n" * 80}…"',)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=30))
@hypothesis_settings(
    deadline=None, max_examples=scaled(12), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_hostile_values_stay_one_line_and_one_value(
    connection: duckdb.DuckDBPyConnection, settings: Settings, value: str
) -> None:
    state = f"{value}'\"; DROP TABLE x; -- %(a)s {{batch}}\n"
    for table in (VISITS, PLACES):
        store(connection, table)
        connection.execute(f"DELETE FROM {table.qualified}")
    store(connection, PLACES, [{"place_id": "p1"}])
    store(connection, VISITS, [visit(value, state=state)])
    failure = only_failure(check_table(connection, settings, VISITS, now=NOW, previous=()))
    assert failure.unexpected_count == 1
    assert "\n" not in failure.sample[0]
    assert failure.sample[0].count(", state=") >= 1

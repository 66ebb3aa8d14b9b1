"""Staging tables are judged by what went to quarantine, as settings say."""

from __future__ import annotations

import duckdb
import pytest

from event_pipeline.contracts.quarantine import QUARANTINE
from event_pipeline.quality.contract_check import check_contract
from event_pipeline.quality.gx_runner import check_table
from event_pipeline.settings import Rule, Settings, Validation
from event_pipeline_tests.quality.conftest import only_failure
from event_pipeline_tests.quality.visits import FORMS, NOW, form, quarantine, store


def _with(settings: Settings, **validation: object) -> Settings:
    return settings.model_copy(update={"validation": Validation.model_validate(validation)})


@pytest.fixture
def _forms(connection: duckdb.DuckDBPyConnection) -> None:
    """Three accepted forms; one rejected for two reasons, and two that lost a value."""
    store(connection, QUARANTINE)
    store(connection, FORMS, [form("f1"), form("f2"), form("f3")])
    quarantine(connection, "f4", "answer.allowed")
    quarantine(connection, "f4", "answer.too_long")
    quarantine(connection, "f1", "phone.garbled", "noted")
    quarantine(connection, "f2", "phone.garbled", "noted")


@pytest.mark.usefixtures("_forms")
def test_share_in_quarantine_up_to_the_limit_is_tolerated(
    connection: duckdb.DuckDBPyConnection, settings: Settings
) -> None:
    quality = check_table(connection, _with(settings, max_quarantined_fraction=0.25), FORMS, now=NOW)
    assert quality.is_successful
    outcome = next(outcome for outcome in quality.outcomes if outcome.expectation == "quarantined")
    assert (outcome.unexpected_count, outcome.evaluated_count) == (1, 4)
    assert quality.scores["validity"] == pytest.approx((1 + 0.75) / 2)


@pytest.mark.usefixtures("_forms")
def test_larger_share_in_quarantine_fails_and_names_the_rules(
    connection: duckdb.DuckDBPyConnection, settings: Settings
) -> None:
    failure = only_failure(check_table(connection, _with(settings, max_quarantined_fraction=0.24), FORMS, now=NOW))
    assert (failure.expectation, failure.severity) == ("quarantined", "error")
    assert failure.sample == (
        "phone.garbled: 2 documents",
        "answer.allowed: 1 documents",
        "answer.too_long: 1 documents",
    )
    assert "event-pipeline quarantine list --table forms" in failure.message


@pytest.mark.usefixtures("_forms")
def test_rule_with_a_threshold_of_its_own_counts_noted_rows(
    connection: duckdb.DuckDBPyConnection, settings: Settings
) -> None:
    rules = {"forms": {"phone.garbled": Rule(max_failing_fraction=0.4), "answer.allowed": Rule()}}
    strict = _with(settings, max_quarantined_fraction=1, rules=rules)
    failure = only_failure(check_table(connection, strict, FORMS, now=NOW))
    assert (failure.expectation, failure.column) == ("rule_broken", "phone")
    assert (failure.unexpected_count, failure.evaluated_count) == (2, 4)


def test_rule_that_is_switched_off_promises_nothing(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    store(connection, FORMS, [form("f1", "maybe"), {**form("f2"), "answer": None}])
    off = {"answer.allowed": Rule(enabled=False), "answer.required": Rule(enabled=False)}
    lax = _with(settings, rules={"forms": off})
    assert len(check_table(connection, settings, FORMS, now=NOW).failed) == 2
    assert check_table(connection, lax, FORMS, now=NOW).is_successful
    assert not check_contract(connection, FORMS).is_successful
    assert check_contract(connection, FORMS, lax.validation).is_successful

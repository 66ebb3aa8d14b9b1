"""What runs do to the tables: apply what changed, rewrite what somebody picked, or recompute everything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg
import pytest

from event_pipeline.contracts.progress import PROGRESS
from event_pipeline.definitions.order import PRIORITY_TAG, Turn
from event_pipeline.definitions.upkeep import Upkeep, Way
from event_pipeline.errors import TransientError
from event_pipeline.increments.driver import Driver
from event_pipeline.increments.rebuild import is_cut_short
from event_pipeline.models.registry import MODELS
from event_pipeline.quality import contract_check
from event_pipeline.quality.results import ContractResult
from event_pipeline_tests.definitions.asset_graph import everything_configured
from event_pipeline_tests.definitions.runs import Operated, Ran, operated
from event_pipeline_tests.models.story import STORY

FACTS = "core.fact_registrations"
BY_EVENT = "marts.agg_event_metrics"
REGISTERED = ("2025-06-01", "2025-06-01")
"""First and last day on which people of these tests register."""


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    with operated(tmp_path_factory.mktemp("lake")) as organisation:
        organisation.lake.commit(*STORY)
        yield organisation


@pytest.fixture(scope="module")
def first_run(opened: Operated) -> Ran:
    return opened.run("sync")


@pytest.fixture
def organisation(opened: Operated, first_run: Ran) -> Operated:
    """With its tables up to date."""
    assert first_run.succeeded
    Driver(opened.lake.backend, opened.lake.settings).bring_up_to_date(opened.as_of)
    return opened


class TestOrder:
    def test_sources_are_read_before_the_lake_is_written_and_the_warehouse_after_it(
        self, opened: Operated, first_run: Ran
    ) -> None:
        turns = turns_of(opened.definitions.resolve_job_def("sync"))
        taken = [turns[step] for step in first_run.steps]
        assert taken == sorted(taken, reverse=True)
        assert set(taken) == {Turn.SOURCES, Turn.LAKE, Turn.WAREHOUSE}

    def test_every_step_has_its_turn_and_expectations_are_last(self) -> None:
        turns = turns_of(everything_configured().resolve_job_def("refresh"))
        last = {name for name, turn in turns.items() if turn == Turn.EXPECTATIONS}
        assert last == {name for name in turns if name.endswith("__expectations")}
        assert len(last) == len(MODELS)
        assert min(Turn) == Turn.EXPECTATIONS


class TestRefresh:
    def test_the_first_run_makes_the_tables_and_says_why(self, first_run: Ran) -> None:
        made = {name: first_run.recorded[name] for name in MODELS}
        assert {metadata["how"] for metadata in made.values()} == {"rebuilt because the tables were never made"}
        assert made["staging.registrations"]["rows_rejected"] > 0
        assert "rows_rejected" not in made[FACTS]

    def test_a_change_is_applied_to_the_tables_it_touches_and_once(self, organisation: Operated) -> None:
        before = organisation.lake.content_hashes()
        organisation.register("one")
        applied = organisation.run("refresh")
        again = organisation.run("refresh", FACTS, BY_EVENT)

        after = organisation.lake.content_hashes()
        changed = {name for name in MODELS if after[name] != before[name]}
        told = applied.recorded
        assert applied.succeeded
        assert applied.told("how") == {("increment",)}
        assert {name for name in told if told[name]["rows_added"] or told[name]["rows_removed"]} == changed
        assert {FACTS, BY_EVENT, "people.people", "core.dim_users"} <= changed
        assert not {"staging.events", "core.fact_payments"} & changed
        assert (told[FACTS]["rows_added"], told[FACTS]["rows_removed"]) == (1, 0)
        assert told["staging.registrations"]["keys_recomputed"] == 1
        assert told[FACTS]["dagster/row_count"] == len(organisation.lake.rows(FACTS))
        assert again.told("how", "rows_added", "rows_removed", "keys_recomputed") == {("increment", 0, 0, 0)}

    def test_what_is_recorded_of_an_increment_is_what_is_recorded_of_a_write(self, organisation: Operated) -> None:
        applied, rewritten = (
            organisation.run("refresh", FACTS).recorded[FACTS],
            organisation.pick(FACTS).recorded[FACTS],
        )
        assert applied.keys() - rewritten.keys() == {"keys_recomputed"}
        assert rewritten.keys() <= applied.keys()
        for name in ("dagster/row_count", "dagster/column_schema", "dagster/column_lineage", "dagster/table_name"):
            assert applied[name] == rewritten[name], name

    def test_other_models_or_settings_recompute_everything_and_say_so(self, organisation: Operated) -> None:
        organisation.lake.connection.execute(f"UPDATE {PROGRESS['warehouse'].qualified} SET fingerprint = 'before'")
        rebuilt = organisation.run("refresh", "staging.registrations", FACTS)
        assert rebuilt.told("how") == {("rebuilt because models or settings changed",)}
        assert rebuilt.recorded["staging.registrations"]["rows_rejected"] > 0

    def test_a_failure_to_bring_up_to_date_is_not_repeated_by_every_table(
        self, organisation: Operated, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tried: list[object] = []

        def fail(*arguments: object) -> None:
            tried.append(arguments)
            raise TransientError("another process has been writing")

        monkeypatch.setattr(Driver, "bring_up_to_date", fail)
        failed = organisation.run("refresh", "staging.clubs", "staging.tags", "core.dim_clubs")
        assert set(failed.failed) == {"staging__clubs", "staging__tags"}
        assert len(tried) == 1


class TestPicked:
    def test_picked_table_is_rewritten_and_its_readers_know_of_new_documents(self, organisation: Operated) -> None:
        organisation.register("picked")
        run = organisation.pick(FACTS)
        assert run.told("how", "rows_added", "rows_removed") == {("rewritten", 0, 0)}
        assert "picked" in organisation.lake.by_key(FACTS)
        assert len(organisation.counted()) == 1
        assert not is_cut_short(organisation.lake.settings)

    def test_days_are_rewritten_once_every_table_is_up_to_date(self, organisation: Operated) -> None:
        organisation.register("by-day")
        run = organisation.pick(BY_EVENT, between=REGISTERED)
        (recorded,) = run.recorded.values()
        of_the_day = [row for row in organisation.lake.rows(BY_EVENT) if str(row["date"]) == REGISTERED[0]]
        assert (recorded["how"], recorded["rows_added"]) == ("rewritten", 0)
        assert recorded["dagster/partition_row_count"] == len(of_the_day) > 0
        assert "dagster/row_count" not in recorded
        assert "by-day" in organisation.lake.by_key(FACTS)
        assert len(organisation.counted()) == 1

    def test_a_table_that_was_wrong_is_mended_and_its_readers_by_the_next_refresh(self, organisation: Operated) -> None:
        lake = organisation.lake
        right = lake.contents()
        lake.connection.execute(f"UPDATE warehouse.{BY_EVENT} SET registrations = registrations + 1")
        lake.connection.execute("UPDATE warehouse.marts.agg_club_metrics SET registrations = registrations + 1")
        wrong = len(lake.rows(BY_EVENT))

        mended = organisation.pick(BY_EVENT)
        assert mended.told("rows_added", "rows_removed") == {(wrong, wrong)}
        assert [text for text in mended.warnings if f"{BY_EVENT} was not what its inputs make" in text]
        organisation.run("refresh", "marts.agg_club_metrics")
        assert lake.contents() == right
        assert not is_cut_short(lake.settings)

    def test_a_run_that_began_before_the_hour_struck_does_not_take_tables_back(self, organisation: Operated) -> None:
        lake = organisation.lake
        late = Upkeep(lake.backend, lake.settings, organisation.as_of - timedelta(hours=1))
        late.begin(MODELS[BY_EVENT].contract, Way.REWRITE, dg.get_dagster_logger())
        assert late.as_of == organisation.as_of


class TestRebuild:
    def test_makes_what_was_brought_up_to_date_through_any_part_of_any_job(self, organisation: Operated) -> None:
        organisation.register("before-rebuild")
        organisation.run("sync_sheets", "staging.sheet_rows")
        assert "before-rebuild" in organisation.lake.by_key(FACTS)
        refreshed = organisation.lake.content_hashes()
        rebuilt = organisation.run("rebuild")
        assert rebuilt.succeeded
        assert rebuilt.told("how") == {("rebuilt, and nothing differed",)}
        assert rebuilt.recorded.keys() == MODELS.keys()
        assert organisation.lake.content_hashes() == refreshed
        assert not is_cut_short(organisation.lake.settings)
        assert organisation.run("refresh", FACTS).told("how", "rows_added") == {("increment", 0)}

    def test_one_that_a_check_stopped_is_done_again_by_the_next_refresh(
        self, organisation: Operated, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        right = organisation.lake.contents()
        organisation.lake.connection.execute("DELETE FROM warehouse.marts.agg_club_metrics")
        check = contract_check.check_contract

        def refuse_events(connection, contract, validation):
            if contract.name == "staging.events":
                return ContractResult(contract.name, 0, ("a key is there twice",))
            return check(connection, contract, validation)

        with monkeypatch.context() as patch:
            patch.setattr(contract_check, "check_contract", refuse_events)
            stopped = organisation.run("rebuild")
        assert stopped.failed == ["staging__events_contract"]
        assert "staging.registrations" in stopped.recorded
        assert "core.dim_events" not in stopped.recorded
        assert is_cut_short(organisation.lake.settings)

        again = organisation.run("refresh", FACTS)
        assert again.told("how") == {("rebuilt because a rebuild was cut short",)}
        assert organisation.lake.contents() == right

    def test_a_part_of_the_job_rewrites_that_part(self, organisation: Operated) -> None:
        assert organisation.run("rebuild", BY_EVENT).told("how", "rows_added") == {("rewritten", 0)}
        assert not is_cut_short(organisation.lake.settings)


def turns_of(job: dg.JobDefinition) -> dict[str, Turn]:
    """When each step of the job comes; a step without a turn is an error."""
    return {node.name: Turn(int(node.tags[PRIORITY_TAG])) for node in job.nodes}

"""What runs do to the tables: apply what changed, rewrite what somebody picked, or recompute everything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import dagster as dg
import pytest

from event_pipeline.contracts.progress import PROGRESS
from event_pipeline.definitions.table_refresh import RefreshMode, TableRefresh
from event_pipeline.increments.driver import Driver
from event_pipeline.increments.rebuild import is_cut_short, marker
from event_pipeline.models.registry import MODELS
from event_pipeline_tests.definitions.asset_graph import everything_configured
from event_pipeline_tests.definitions.runs import Operated, Ran, operated
from event_pipeline_tests.models.story import STORY
from event_pipeline_tests.warehouse.documents import changed, registration

FACTS = "core.fact_registrations"
BY_EVENT = "marts.agg_event_metrics"


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


class TestSteps:
    def test_sources_are_read_before_the_one_step_that_writes_tables(self, first_run: Ran) -> None:
        assert len(first_run.steps) <= 10
        assert first_run.steps[-1] == "tables"
        assert {"firebase_documents", "sheet_rows", "inbox_records"} <= set(first_run.steps)

    def test_tables_and_their_checks_are_one_step(self) -> None:
        definitions = everything_configured()
        for job in ("refresh", "rebuild"):
            assert [node.name for node in definitions.resolve_job_def(job).nodes] == ["tables"], job


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
        again = organisation.run("refresh")

        after = organisation.lake.content_hashes()
        told = applied.recorded
        assert applied.succeeded
        assert applied.told("how") == {("increment",)}
        assert told.keys() == {name for name in MODELS if after[name] != before[name]}
        assert {FACTS, BY_EVENT, "people.people", "core.dim_users"} <= told.keys()
        assert (told[FACTS]["rows_added"], told[FACTS]["rows_removed"]) == (1, 0)
        assert told["staging.registrations"]["keys_recomputed"] == 1
        assert told[FACTS]["dagster/row_count"] == len(organisation.lake.rows(FACTS))
        assert again.succeeded
        assert again.recorded == {}

    def test_every_selected_check_is_evaluated_also_of_tables_that_did_not_change(self, organisation: Operated) -> None:
        run = organisation.run("refresh")
        assert run.checked == {(name, "contract"): True for name in MODELS}

    def test_sync_checks_the_contract_of_what_changed_and_plans_no_check(self, organisation: Operated) -> None:
        organisation.register("checked")
        line = {"type": "scan", "qr_code_data": "x", "scanned_at": "2025-06-08T04:40:00Z", "scanner_id": "gate"}
        inbox = organisation.lake.settings.inbox_dir
        inbox.mkdir(exist_ok=True)
        (inbox / "scans.ndjson").write_text(json.dumps(line) + "\n")
        run = organisation.run("sync")
        assert run.succeeded
        assert run.checked.keys() >= {(name, "contract") for name in run.recorded if name in MODELS}
        assert ("staging.clubs", "contract") not in run.checked
        assert run.checked[("raw.inbox_scans", "contract")] is True
        assert run.planned_checks == set()

    def test_what_is_recorded_of_an_increment_is_what_is_recorded_of_a_write(self, organisation: Operated) -> None:
        organisation.register("recorded")
        applied, rewritten = (
            organisation.run("refresh", FACTS).recorded[FACTS],
            organisation.pick(FACTS).recorded[FACTS],
        )
        assert applied.keys() - rewritten.keys() == {"keys_recomputed"}
        assert rewritten.keys() <= applied.keys()
        for name in ("dagster/row_count", "dagster/column_schema", "dagster/table_name"):
            assert applied[name] == rewritten[name], name

    def test_tables_that_a_part_of_a_job_brings_along_are_recorded_too(self, organisation: Operated) -> None:
        organisation.register("along")
        assert {FACTS, BY_EVENT, "staging.registrations"} <= organisation.run("refresh", FACTS).recorded.keys()

    def test_other_models_or_settings_recompute_everything_and_say_so(self, organisation: Operated) -> None:
        organisation.lake.connection.execute(f"UPDATE {PROGRESS['warehouse'].qualified} SET fingerprint = 'before'")
        rebuilt = organisation.run("refresh", "staging.registrations", FACTS)
        assert rebuilt.told("how") == {("rebuilt because models or settings changed",)}
        assert rebuilt.recorded["staging.registrations"]["rows_rejected"] > 0


class TestPicked:
    def test_picked_table_is_rewritten_and_its_readers_know_of_new_documents(self, organisation: Operated) -> None:
        organisation.register("picked")
        run = organisation.pick(BY_EVENT)
        assert run.recorded[BY_EVENT]["how"] == "rewritten"
        assert (run.recorded[BY_EVENT]["rows_added"], run.recorded[FACTS]["how"]) == (0, "increment")
        assert "picked" in organisation.lake.by_key(FACTS)
        assert len(organisation.counted()) == 1
        assert not is_cut_short(organisation.lake.settings)

    def test_a_table_that_was_wrong_is_mended_and_its_readers_by_the_next_refresh(self, organisation: Operated) -> None:
        lake = organisation.lake
        right = lake.contents()
        lake.connection.execute(f"UPDATE warehouse.{BY_EVENT} SET registrations = registrations + 1")
        lake.connection.execute("UPDATE warehouse.marts.agg_club_metrics SET registrations = registrations + 1")
        wrong = len(lake.rows(BY_EVENT))

        mended = organisation.pick(BY_EVENT)
        assert (mended.recorded[BY_EVENT]["rows_added"], mended.recorded[BY_EVENT]["rows_removed"]) == (wrong, wrong)
        assert [text for text in mended.warnings if f"{BY_EVENT} was not what its inputs make" in text]
        organisation.run("refresh", "marts.agg_club_metrics")
        assert lake.contents() == right
        assert not is_cut_short(lake.settings)

    def test_a_run_that_began_before_the_hour_struck_does_not_take_tables_back(self, organisation: Operated) -> None:
        lake, before = organisation.lake, organisation.lake.content_hashes()
        an_hour_ago = organisation.as_of - timedelta(hours=1)
        late = TableRefresh(lake.backend, lake.settings, an_hour_ago, dg.get_dagster_logger())
        assert [done.figures["rows_added"] for done in late.run(RefreshMode.REWRITE, [BY_EVENT])] == [0]
        assert lake.content_hashes() == before


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
        assert organisation.run("refresh", FACTS).recorded == {}

    def test_one_that_was_cut_short_is_done_again_by_the_next_refresh(self, organisation: Operated) -> None:
        right = organisation.lake.contents()
        organisation.lake.connection.execute("DELETE FROM warehouse.marts.agg_club_metrics")
        marker(organisation.lake.settings).touch()
        again = organisation.run("refresh", FACTS)
        assert again.told("how") == {("rebuilt because a rebuild was cut short",)}
        assert organisation.lake.contents() == right

    def test_a_part_of_the_job_rewrites_that_part(self, organisation: Operated) -> None:
        assert organisation.run("rebuild", BY_EVENT).told("how", "rows_added") == {("rewritten", 0)}
        assert not is_cut_short(organisation.lake.settings)


class TestBrokenRows:
    def test_the_run_fails_and_says_which_rows_and_everything_else_goes_on(
        self, organisation: Operated, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lake = organisation.lake
        model = MODELS["people.people"]
        columns = tuple(replace(c, nullable=False) if c.name == "phone" else c for c in model.contract.columns)
        monkeypatch.setitem(MODELS, model.name, replace(model, contract=replace(model.contract, columns=columns)))
        people = lake.rows(model.name)
        lake.commit(changed("registrations", "without", registration("without", participant_phone=None), after=500))
        for job in ("sync", "rebuild"):
            broken = organisation.run(job)
            assert broken.failed == ["tables"], job
            assert broken.checked[(model.name, "contract")] is False, job
            assert "phone would be empty" in broken.said or "phone is filled in" in broken.said, job
            assert model.name not in broken.recorded, job
            assert "core.dim_users" not in broken.recorded, job
            assert lake.rows(model.name) == people, job
            assert "without" in lake.by_key(FACTS), job

        lake.commit(changed("registrations", "without", registration("without"), after=600))
        mended = organisation.run("sync")
        assert mended.succeeded
        assert mended.checked[(model.name, "contract")] is True
        assert len(lake.rows(model.name)) == len(people) + 1

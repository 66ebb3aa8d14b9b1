"""Whatever a field holds, its document is in its table or in quarantine, and every other field is what it was."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from event_pipeline.contracts.staging_columns import PROVENANCE
from event_pipeline.models.registry import MODELS
from event_pipeline_tests.hostile.every_field import FIELDS, FieldCase, add_files, field_cases, sheet_changes
from event_pipeline_tests.hostile.loading import Drop, Fate, Markers, fates, load
from event_pipeline_tests.hostile.values import HOSTILE_VALUES
from event_pipeline_tests.models.star import broken_promises
from event_pipeline_tests.warehouse.pipelines import PARSED, MemoryPipeline, Row, broken_references

DERIVED = {
    ("registrations", "team_members"): {"team_size"},
    ("scans", "qr_text"): {"claimed_registration_id", "claimed_event_id", "is_readable", "is_checksum_valid"},
    ("sheet_rows", "attended_at"): {"came_at"},
    ("sheet_rows", "registered_at"): {"entered_at"},
    ("sheet_rows", "row_doubt"): {"is_person"},
}
"""Columns made of another field than their own."""
ALWAYS_DIFFERENT = {*(column.name for column in PROVENANCE), "scanner_id"}


@dataclass(frozen=True)
class Loaded:
    """What became of every case."""

    fates: dict[str, list[Fate]]
    cases: dict[tuple[str, str], list[FieldCase]]
    failures: list[str]
    tables: dict[str, list[Row]]

    def fate(self, case: FieldCase) -> Fate:
        """The one fate of a case."""
        (fate,) = self.fates.get(case.marker, [])
        return fate


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """Every case loaded at once, and the whole warehouse made of them."""
    cases = field_cases(Markers())
    by_field: dict[tuple[str, str], list[FieldCase]] = {}
    for case in cases:
        by_field.setdefault((case.collection, case.column), []).append(case)
    drop = Drop()
    add_files(drop, cases)
    pipeline = MemoryPipeline(tmp_path_factory.mktemp("every-field"))
    failures = load(pipeline, drop)
    pipeline.commit(*sheet_changes(cases))
    pipeline.refresh()
    return Loaded(fates(pipeline), by_field, failures, {name: pipeline.rows(name) for name in MODELS})


@pytest.mark.parametrize(("collection", "column"), FIELDS)
def test_no_value_of_a_field_loses_its_document(loaded: Loaded, collection: str, column: str) -> None:
    cases = loaded.cases[collection, column]
    assert len(cases) == len(HOSTILE_VALUES)
    unread = {"unreadable"} if collection in ("scans", "email_events", "payment_events") else set()
    for case in cases:
        fate = loaded.fate(case)
        assert fate.is_kept_once, case
        assert fate.table in {collection} | unread, case
        assert fate.rules or not fate.is_rejected, case


@pytest.mark.parametrize(("collection", "column"), FIELDS)
def test_a_field_spoils_no_other(loaded: Loaded, collection: str, column: str) -> None:
    contract = PARSED[collection].contract
    (ordinary,) = loaded.cases[collection, ""]
    expected = loaded.fate(ordinary).row
    assert expected is not None
    touched = {contract.key[0], column, *DERIVED.get((collection, column), ()), *ALWAYS_DIFFERENT}
    same = [name for name in contract.column_names if name not in touched]
    for case in loaded.cases[collection, column]:
        row = loaded.fate(case).row
        if row is not None:
            assert {name: row[name] for name in same} == {name: expected[name] for name in same}, case.value


def test_nothing_keeps_files_from_loading(loaded: Loaded) -> None:
    assert loaded.failures == []


def test_most_values_cost_no_more_than_the_value(loaded: Loaded) -> None:
    accepted = [case for cases in loaded.cases.values() for case in cases if not loaded.fate(case).is_rejected]
    assert len(accepted) > sum(len(cases) for cases in loaded.cases.values()) / 2


@pytest.mark.parametrize("name", MODELS)
def test_every_table_keeps_its_contract(loaded: Loaded, name: str) -> None:
    assert broken_promises(MODELS[name].contract, loaded.tables[name]) == []


def test_every_reference_leads_somewhere(loaded: Loaded) -> None:
    assert broken_references(loaded.tables) == []


def test_texts_are_as_short_as_promised(loaded: Loaded) -> None:
    for table, model in PARSED.items():
        for column in model.contract.columns:
            texts = [row[column.name] for row in loaded.tables[f"staging.{table}"] if column.max_length is not None]
            assert all(text is None or len(text) <= (column.max_length or 0) for text in texts), column.name

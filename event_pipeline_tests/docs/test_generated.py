from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from event_pipeline.contracts.raw import RAW_COLUMNS
from event_pipeline.documentation.data_dictionary import data_dictionary, declared_contracts
from event_pipeline.documentation.markdown import table
from event_pipeline.documentation.pages import PAGES, outdated_pages, write_pages
from event_pipeline.documentation.settings_page import EXAMPLE, settings_page
from event_pipeline.effective import effective_settings
from event_pipeline.models.locale import Locale
from event_pipeline.models.registry import STAGING_MODELS
from event_pipeline.models.rules import row_rules
from event_pipeline.settings import Settings
from event_pipeline.warehouse.table_contracts import CONTRACTS
from event_pipeline_tests.docs.pages import DOCS


def test_the_committed_pages_say_what_the_code_does() -> None:
    assert outdated_pages(DOCS) == [], "run `make docs`"


def test_writing_mends_what_is_out_of_date_and_nothing_else(tmp_path: Path) -> None:
    assert {path.name for path in write_pages(tmp_path / "new")} == set(PAGES)
    assert write_pages(tmp_path / "new") == []
    (tmp_path / "new" / "settings.md").write_text("edited by hand")
    assert write_pages(tmp_path / "new") == [tmp_path / "new" / "settings.md"]
    assert outdated_pages(tmp_path / "new") == []


def test_every_table_that_is_written_is_in_the_dictionary() -> None:
    assert {contract.name for contract in declared_contracts()} >= set(CONTRACTS)


@pytest.mark.parametrize("contract", declared_contracts(), ids=lambda contract: contract.name)
def test_every_column_is_in_the_dictionary_with_its_meaning(contract: object) -> None:
    page = data_dictionary([contract])  # pyright: ignore[reportArgumentType]
    for column in contract.columns:  # pyright: ignore[reportAttributeAccessIssue]
        assert f"| `{column.name}` | {column.type} | {column.description.replace('``', '`')}" in page


def test_personal_columns_are_marked() -> None:
    personal = [column.name for column in RAW_COLUMNS if column.personal]
    assert personal == ["payload"]
    assert "**Personal.**" in data_dictionary(CONTRACTS[name] for name in ["raw.firebase_events"])


def test_every_setting_is_on_the_page() -> None:
    page = settings_page()
    for setting in effective_settings(Settings()):
        assert f"| `{setting.name}` | `PIPELINE_{setting.name.upper().replace('.', '__')}` |" in page
        assert setting.description
        assert setting.description in page


def test_the_example_file_is_valid_and_its_rule_exists() -> None:
    settings = Settings(**tomllib.loads(EXAMPLE))
    (model,) = [model for model in STAGING_MODELS if model.contract.table == "registrations"]
    names = {rule.name for rule in row_rules(model.contract, settings.validation, Locale.of(settings.organisation))}
    assert settings.validation.rules["registrations"].keys() <= names
    assert f"```toml\n{EXAMPLE}```" in settings_page()


def test_a_bar_cannot_end_a_cell() -> None:
    assert table(("a",), [("x|y",)]).splitlines()[-1] == r"| x\|y |"

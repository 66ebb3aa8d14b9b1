from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from event_pipeline.errors import SettingsError
from event_pipeline.launch.demo_data import DEMO_EXPORT, has_source, holds_demo, is_empty, load_demo, refuse_mixing
from event_pipeline.settings import Firebase, Settings, Sheets, Spreadsheet

_SHEET = Spreadsheet(spreadsheet_id="1AbCdEfGhIjKl")


def _drop(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")


def test_a_new_data_folder_is_empty(tmp_path: Path) -> None:
    assert is_empty(Settings(data_dir=tmp_path / "data"))


@pytest.mark.parametrize(
    "name", ["exports/mine.json", "inbox/scans.ndjson", "inbox/done/2025-06-08", "catalog/lake.sqlite"]
)
def test_whatever_was_put_or_loaded_there_keeps_the_demo_out(tmp_path: Path, name: str) -> None:
    _drop(tmp_path / name)
    assert not is_empty(Settings(data_dir=tmp_path))


@pytest.mark.parametrize("name", ["exports/.DS_Store", "exports/mine.json.part", "inbox/scans.tmp"])
def test_hidden_and_unfinished_files_do_not(tmp_path: Path, name: str) -> None:
    _drop(tmp_path / name)
    assert is_empty(Settings(data_dir=tmp_path))


def test_a_shared_catalog_never_gets_the_demo(tmp_path: Path) -> None:
    assert not is_empty(Settings(data_dir=tmp_path, catalog_url=SecretStr("postgresql://db/pipeline")))


def test_the_loaded_demo_is_recognised_and_as_of_the_day_it_is_loaded(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    summary = load_demo(tmp_path, registrations=100)
    assert summary.as_of.date() == datetime.now(UTC).date()
    assert (settings.exports_dir / DEMO_EXPORT) in summary.files
    assert holds_demo(settings)
    assert not is_empty(settings)
    refuse_mixing(settings)


@pytest.mark.parametrize(
    "settings",
    [
        Settings(firebase=Firebase(backend="firestore", project_id="p")),
        Settings(sheets=Sheets(spreadsheets=(_SHEET,))),
        Settings(sheets=Sheets(follow_events=True)),
    ],
)
def test_an_own_source_is_never_mixed_with_the_demo(tmp_path: Path, settings: Settings) -> None:
    assert has_source(settings)
    settings = settings.model_copy(update={"data_dir": tmp_path})
    refuse_mixing(settings)
    _drop(settings.exports_dir / DEMO_EXPORT)
    with pytest.raises(SettingsError, match=r"holds the demo organisation.*source of your own.*PIPELINE_DATA_DIR"):
        refuse_mixing(settings)


def test_an_own_export_is_never_mixed_with_the_demo(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    _drop(settings.exports_dir / DEMO_EXPORT)
    _drop(settings.exports_dir / "mine.json")
    with pytest.raises(SettingsError, match=r"exports/ also holds mine\.json"):
        refuse_mixing(settings)

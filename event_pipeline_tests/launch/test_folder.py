from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from event_pipeline.errors import SettingsError
from event_pipeline.launch.folder import prepare_folder
from event_pipeline.settings import Settings
from event_pipeline_tests.paths import REPOSITORY


def test_everything_that_up_needs_is_made(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new" / "data")
    folder = prepare_folder(settings)
    assert folder.root == tmp_path / "new" / "data"
    assert folder.logs.is_dir()
    assert settings.inbox_dir.is_dir()
    assert settings.exports_dir.is_dir()
    assert (folder.dagster_home / "dagster.yaml").read_bytes() == (REPOSITORY / "dagster.yaml").read_bytes()


def test_a_relative_folder_is_resolved_because_dagster_wants_it_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert prepare_folder(Settings(data_dir=Path("data"))).dagster_home == tmp_path / "data" / "dagster"


def test_dagster_settings_of_an_older_version_are_brought_up_to_date(tmp_path: Path) -> None:
    copy = prepare_folder(Settings(data_dir=tmp_path)).dagster_home / "dagster.yaml"
    copy.write_text("telemetry:\n  enabled: true\n")
    prepare_folder(Settings(data_dir=tmp_path))
    assert copy.read_bytes() == (REPOSITORY / "dagster.yaml").read_bytes()


def test_dagster_settings_that_are_current_are_left_alone(tmp_path: Path) -> None:
    copy = prepare_folder(Settings(data_dir=tmp_path)).dagster_home / "dagster.yaml"
    before = copy.stat().st_ino
    prepare_folder(Settings(data_dir=tmp_path))
    assert copy.stat().st_ino == before


def test_a_folder_that_cannot_be_made_names_the_setting_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match=r"PIPELINE_DATA_DIR.*cannot be used: Not a directory.*name a folder"):
        prepare_folder(Settings(data_dir=tmp_path / "file" / "data"))


def test_a_full_disk_stops_before_anything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=10 * 1024**2)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(SettingsError, match=r"where 10 MB are free; at least 256 MB are needed"):
        prepare_folder(Settings(data_dir=tmp_path))


def test_outside_a_clone_the_message_says_where_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("event_pipeline.launch.folder.REPOSITORY", tmp_path)
    with pytest.raises(SettingsError, match="runs from a clone"):
        prepare_folder(Settings(data_dir=tmp_path / "data"))

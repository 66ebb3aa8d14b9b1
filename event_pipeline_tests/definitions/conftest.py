"""Fixtures of the Dagster tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from event_pipeline.settings import Settings, read_settings
from event_pipeline_tests.definitions.daemon import Daemon, running_daemon


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a fresh, empty folder, in force for what is loaded during the test."""
    monkeypatch.setenv("PIPELINE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PIPELINE_CONFIG_FILE", str(_empty(tmp_path / "event_pipeline.toml")))
    return read_settings()


@pytest.fixture
def daemon(settings: Settings, tmp_path: Path) -> Iterator[Daemon]:
    """A sensor daemon whose runs are accepted, never executed."""
    with running_daemon(tmp_path / "dagster_home", executes=False) as daemon:
        yield daemon


def _empty(path: Path) -> Path:
    path.touch()
    return path

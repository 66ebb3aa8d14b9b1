"""One organisation for all tests of this folder; those that change it take a copy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from event_pipeline.settings import Settings
from event_pipeline_tests.api.organisation import Api, make_organisation, running_api, settings_for
from event_pipeline_tests.control.live import dagster

__all__ = ["api", "copied", "dagster", "everything", "folder", "settings"]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder; nobody writes to its tables."""
    made = tmp_path_factory.mktemp("organisation")
    make_organisation(made)
    return made


@pytest.fixture(scope="session")
def settings(folder: Path) -> Settings:
    return settings_for(folder)


@pytest.fixture(scope="session")
def api(settings: Settings) -> Iterator[Api]:
    with running_api(settings) as running:
        yield running


@pytest.fixture(scope="session")
def everything(api: Api) -> dict[str, str]:
    """Headers of a key with every scope."""
    return api.headers()


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Settings:
    """The same organisation in a folder of this test's own."""
    shutil.copytree(folder, tmp_path / "data", ignore=shutil.ignore_patterns("api"))
    return settings_for(tmp_path / "data", refresh_seconds=0.05)

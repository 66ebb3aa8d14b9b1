"""Fixtures of the alerts' tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from event_pipeline.alerts.database import AlertDatabase
from event_pipeline.settings import Settings
from event_pipeline_tests.alerts.receivers import HttpReceiver, http_receiver
from event_pipeline_tests.alerts.situation import Situation, situation_in


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Situation]:
    """Opening a lake costs more than all that is done in it, so tests take turns."""
    with situation_in(tmp_path_factory.mktemp("situation")) as made:
        yield made


@pytest.fixture
def situation(place: Situation) -> Situation:
    place.begin()
    return place


@pytest.fixture
def database(tmp_path: Path) -> Iterator[AlertDatabase]:
    with closing(AlertDatabase(Settings(data_dir=tmp_path / "data"))) as opened:
        yield opened


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as listening:
        yield listening

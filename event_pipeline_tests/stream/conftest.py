"""A lake whose tables are made, which the worker's tests share: making them takes longer than what happens to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from event_pipeline.settings import Settings, Stream
from event_pipeline.stream import committing
from event_pipeline.stream.committing import Commits, open_committer
from event_pipeline_tests.warehouse.pipelines import KEY


class SharedCommits:
    """One committer for many workers, one after the other: what it compiled takes seconds."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = ExitStack()
        self._commits: Commits | None = None

    @contextmanager
    def open(self, settings: Settings) -> Iterator[Commits]:
        """As ``open_committer``, but left open."""
        if self._commits is None:
            self._commits = self._stack.enter_context(open_committer(self._settings))
        yield self._commits

    def close(self) -> None:
        """Others may open the working copy now."""
        self._stack.close()
        self._commits = None


@pytest.fixture(scope="session")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a data folder whose tables are there; a test uses documents of its own."""
    folder: Path = tmp_path_factory.mktemp("worked")
    stream = Stream(batch_milliseconds=10, inbox_milliseconds=20, heartbeat_seconds=2)
    settings = Settings(data_dir=folder, identity_key=SecretStr(KEY), stream=stream)
    with open_committer(settings) as commits:
        commits.commit([], [])
    return settings


@pytest.fixture(scope="module")
def shared(worked: Settings) -> Iterator[SharedCommits]:
    """Commits to the shared lake."""
    shared = SharedCommits(worked)
    yield shared
    shared.close()


@pytest.fixture
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backoff as it is, much shorter."""
    monkeypatch.setattr(committing, "backoff_seconds", lambda attempts: 0.01)
    monkeypatch.setattr("event_pipeline.background_task.FIRST_WAIT_SECONDS", 0.01)

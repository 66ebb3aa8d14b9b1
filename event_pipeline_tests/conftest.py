"""Fixtures that tests of several folders share."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import structlog

from event_pipeline.settings import load_settings
from event_pipeline_tests.effort import register_profiles
from event_pipeline_tests.firestore_emulator import EmulatorMissing, running_emulator

if TYPE_CHECKING:
    from google.cloud.firestore import Client

register_profiles()


@pytest.fixture(autouse=True)
def _settings_read_afresh() -> Iterator[None]:
    """A process reads its settings once; tests of one process have settings of their own."""
    yield
    load_settings.cache_clear()


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """Where a test has logs go, the next test of the process does not look for them."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture(scope="session")
def firestore_emulator() -> Iterator[str]:
    """``host:port`` of Google's emulator. Skips where it is missing, but fails there when CI is set."""
    try:
        with running_emulator() as address:
            yield address
    except EmulatorMissing as missing:
        if os.environ.get("CI", "").lower() in ("true", "1"):
            pytest.fail(f"CI must not skip: {missing}")
        pytest.skip(str(missing))


@pytest.fixture
def firestore_project(firestore_emulator: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A fresh, empty project in the emulator, which clients opened during the test use."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
    return f"test-{uuid4()}"


@pytest.fixture
def firestore_client(firestore_project: str) -> Client:
    """Google's own client of the fresh project."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.firestore import Client

    return Client(project=firestore_project, credentials=AnonymousCredentials())

from __future__ import annotations

from pathlib import Path

import pytest

from event_pipeline.demo import generate_demo
from event_pipeline_tests.demo.reading import Demo


def _made(target: Path, registrations: int, seed: int) -> Demo:
    return Demo(target, generate_demo(target, registrations, seed))


@pytest.fixture(scope="package")
def large(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Fifty thousand registrations: enough to measure every marginal."""
    return _made(tmp_path_factory.mktemp("large"), 50_000, 7)


@pytest.fixture(scope="package")
def smallest(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """A hundred registrations: everything important is still there once."""
    return _made(tmp_path_factory.mktemp("smallest"), 100, 7)

"""The code location loads quickly in a fresh interpreter: every run and every server start pays for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from event_pipeline_tests.paths import REPOSITORY

CPU_SECONDS = 5.0
DEAR_MODULES = ("pandas", "great_expectations", "firebase_admin", "gspread", "google.cloud")

_LOAD = f"""
import json, resource, sys
from event_pipeline.definitions import defs
repository = defs().get_repository_def()
jobs = [job.name for job in repository.get_all_jobs()]
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({{
    "cpu_seconds": used.ru_utime + used.ru_stime,
    "assets": len(repository.asset_graph.get_all_asset_keys()),
    "jobs": jobs,
    "dear": [name for name in {DEAR_MODULES!r} if name in sys.modules],
}}))
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a fresh interpreter says of loading the location, Firestore and sheets configured."""
    folder = tmp_path_factory.mktemp("fresh")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIPELINE_")} | {
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONWARNINGS": "ignore",
        "PIPELINE_DATA_DIR": str(folder / "data"),
        "PIPELINE_FIREBASE__BACKEND": "firestore",
        "PIPELINE_FIREBASE__PROJECT_ID": "an-organisation",
        "PIPELINE_SHEETS__FOLLOW_EVENTS": "true",
    }
    command = [sys.executable, "-c", _LOAD]
    answer = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout.splitlines()[-1]) | {"folder": folder}


def test_location_loads_in_less_than_five_cpu_seconds(loaded: dict[str, Any]) -> None:
    assert loaded["assets"] > 0
    assert loaded["jobs"]
    assert loaded["cpu_seconds"] < CPU_SECONDS


def test_loading_imports_nothing_dear(loaded: dict[str, Any]) -> None:
    assert loaded["dear"] == []


def test_loading_writes_nothing(loaded: dict[str, Any]) -> None:
    folder: Path = loaded["folder"]
    assert list(folder.iterdir()) == []

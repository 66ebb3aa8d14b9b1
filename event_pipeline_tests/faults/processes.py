"""The stream worker and Dagster runs as the processes they are, started over a data folder and killed at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from event_pipeline.settings import Settings
from event_pipeline_tests.paths import REPOSITORY

WORKER = ("-m", "event_pipeline.cli", "stream")
_DAGSTER_YAML = """\
telemetry:
  enabled: false
"""


def run_of(job: str) -> tuple[str, ...]:
    """A run of the job in a process of its own."""
    return ("-m", "dagster", "job", "execute", "-m", "event_pipeline.definitions", "-j", job)


@dataclass
class Folder:
    """A data folder, the settings its processes get, and a folder beside it for what they print."""

    settings: Settings
    beside: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    _started: int = 0

    def start(self, *arguments: str) -> Process:
        """Python with these arguments."""
        self._started += 1
        self.beside.mkdir(parents=True, exist_ok=True)
        path = self.beside / f"{self._started:04d}-{arguments[-1]}.log"
        with path.open("wb") as log:
            started = subprocess.Popen(
                [sys.executable, *arguments], cwd=REPOSITORY, env=self._variables(), stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        return Process(started, path)

    def _variables(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PIPELINE_")}
        home = self.beside / "dagster"
        home.mkdir(exist_ok=True)
        (home / "dagster.yaml").write_text(_DAGSTER_YAML)
        key = self.settings.identity_key
        return {
            **clean,
            "DAGSTER_HOME": str(home),
            "PIPELINE_DATA_DIR": str(self.settings.data_dir),
            "PIPELINE_IDENTITY_KEY": key.get_secret_value() if key else "",
            "PIPELINE_DAGSTER_URL": "http://127.0.0.1:9",
            "PIPELINE_LOG_FORMAT": "json",
            "PIPELINE_FEATURES__QUALITY_CHECKS": "false",
            "PIPELINE_STREAM__BATCH_MILLISECONDS": "50",
            "PIPELINE_STREAM__INBOX_MILLISECONDS": "50",
            **self.environment,
        }


@dataclass
class Process:
    """One that was started, and the file it prints to."""

    started: subprocess.Popen[bytes]
    log: Path

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self.started.poll() is None

    @property
    def was_killed(self) -> bool:
        """Whether SIGKILL ended it."""
        return self.started.poll() == -signal.SIGKILL

    def kill(self) -> bool:
        """SIGKILL; False when it had ended before."""
        was_running = self.runs
        if was_running:
            os.killpg(self.started.pid, signal.SIGKILL)
        return self.started.wait() == -signal.SIGKILL and was_running

    def end(self, seconds: float = 60) -> int:
        """SIGTERM, and the exit code."""
        if self.runs:
            self.started.send_signal(signal.SIGTERM)
        return self.started.wait(seconds)

    def said(self) -> str:
        """What it printed."""
        return self.log.read_text(errors="replace")

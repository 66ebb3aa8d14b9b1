"""Checks leave the process and the disk as they found them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
from pathlib import Path
from event_pipeline.quality import contract_check, gx_runner, history
from event_pipeline.definitions import quality_results
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect
from event_pipeline_tests.quality.visits import NOW, PLACES, store

assert "great_expectations" not in sys.modules, "imported before the first check"
with connect(Settings(data_dir=Path(sys.argv[1]))) as connection:
    store(connection, PLACES, [{"place_id": "p1"}, {"place_id": "p1"}])
    contract_check.check_contract(connection, PLACES)
    assert "great_expectations" not in sys.modules, "imported by the blocking check"
    quality = gx_runner.check_table(connection, Settings(data_dir=Path(sys.argv[1])), PLACES, now=NOW)
    assert not quality.is_successful
    assert "great_expectations" in sys.modules
"""


def test_nothing_is_printed_and_nothing_written_outside_the_data_folder(tmp_path: Path) -> None:
    home, working, data = tmp_path / "home", tmp_path / "working", tmp_path / "data"
    home.mkdir()
    working.mkdir()
    root = Path(__file__).resolve().parents[2]
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(root)}
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(data)],
        env=environment,
        cwd=working,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert list(home.rglob("*")) == []
    assert list(working.rglob("*")) == []

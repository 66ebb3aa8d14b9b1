"""The command itself: quick to answer, and open to more modules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from event_pipeline import cli
from event_pipeline.errors import ContractError, ControlError, SettingsError


def test_help_imports_nothing_heavy() -> None:
    heavy = {"dagster", "pandas", "duckdb", "ibis", "pyarrow", "httpx", "pydantic", "structlog", "great_expectations"}
    code = (
        "import sys; from event_pipeline import cli\n"
        "try: cli.main(['--help'])\n"
        f"except SystemExit: print('loaded:', *({heavy!r} & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert loaded.stdout.splitlines()[-1] == "loaded:"


def test_control_commands_work_without_importing_dagster() -> None:
    code = (
        "import sys; from event_pipeline import cli\n"
        "try: cli.main(['status', '--url', 'http://127.0.0.1:9'])\n"
        "except SystemExit: print(*({'dagster', 'pandas', 'duckdb'} & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert loaded.stdout.split() == []


def test_help_lists_the_commands(run) -> None:
    shown = run("--help").out
    assert all(name in shown for name in ("trigger", "status", "start", "stop", "config"))


def test_a_module_that_registers_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, run) -> None:
    (tmp_path / "greet.py").write_text(
        "import typer\n"
        "from event_pipeline.errors import PermanentError\n"
        "def register(app):\n"
        "    @app.command()\n"
        "    def greet(): raise PermanentError('the bucket is gone')\n"
    )
    monkeypatch.setattr(cli, "__path__", [*cli.__path__, str(tmp_path)])
    ended = run("greet")
    assert (ended.code, ended.err) == (1, "error: the bucket is gone\n")


@pytest.mark.parametrize(("error", "code"), [(SettingsError("x"), 2), (ControlError("x"), 1), (ContractError("x"), 1)])
def test_exit_code_tells_the_kind_of_error(error, code: int) -> None:
    assert cli.exit_code(error) == code

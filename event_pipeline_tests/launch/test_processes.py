from __future__ import annotations

import os
import sys
import textwrap
from pathlib import Path

import pytest

from event_pipeline.launch.processes import Child, start_child, stop_children, wait_for_first_end

_MODULES = {
    "polite": """
        import signal, sys
        print("ready", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            print("stopping in order", flush=True)
    """,
    "stubborn": """
        import signal
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print("ready", flush=True)
        while True:
            signal.pause()
    """,
    "parent": """
        import os, signal, subprocess, sys
        subprocess.Popen([sys.executable, "-m", "stubborn"], pass_fds=(int(os.environ["WHAT"]),))
        signal.pause()
    """,
    "short": """
        import os
        print("said", os.environ["WHAT"], flush=True)
        raise SystemExit(3)
    """,
}


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, source in _MODULES.items():
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "logs").mkdir()
    return tmp_path / "logs"


def _start(module: str, logs: Path, until: str | None = "ready") -> tuple[Child, int]:
    """Started, and having said ``until``; with a descriptor that ends when the child and all that got it have ended."""
    read, write = os.pipe()
    try:
        child = start_child(module, module, (), {"WHAT": str(write), "PYTHONUNBUFFERED": "1"}, logs, write)
    finally:
        os.close(write)
    while until and until not in child.last_lines():
        assert not child.has_ended_within(0.05), child.last_lines()
    return child, read


def test_a_child_gets_its_variables_and_its_output_is_kept(modules: Path) -> None:
    child, descriptor = _start("short", modules, until=None)
    assert child.has_ended_within(30)
    assert child.process.returncode == 3
    assert child.last_lines().startswith("said ")
    assert os.read(descriptor, 1) == b""


def test_the_log_of_the_run_before_is_kept(modules: Path) -> None:
    (modules / "short.log").write_text("before")
    assert _start("short", modules, until=None)[0].has_ended_within(30)
    assert (modules / "short.previous.log").read_text() == "before"
    assert (modules / "short.log").read_text().startswith("said ")


def test_children_are_asked_before_they_are_ended(modules: Path) -> None:
    child, _ = _start("polite", modules)
    stop_children([child])
    assert child.last_lines().endswith("stopping in order")
    assert child.process.returncode == 0


def test_a_child_that_does_not_stop_is_ended(modules: Path) -> None:
    child, _ = _start("stubborn", modules)
    stop_children([child], patience_seconds=0.2)
    assert child.process.returncode == -9


def test_what_a_child_started_ends_with_it(modules: Path) -> None:
    child, descriptor = _start("parent", modules)
    stop_children([child])
    assert os.read(descriptor, 1) == b""


def test_the_first_child_to_end_is_named(modules: Path) -> None:
    (stays, _), (ends, _) = _start("polite", modules), _start("short", modules, until=None)
    try:
        assert wait_for_first_end([stays, ends]) is ends
    finally:
        stop_children([stays, ends])


def test_children_run_on_the_interpreter_of_this_environment(modules: Path) -> None:
    child, _ = _start("polite", modules)
    stop_children([child])
    assert child.process.args[:2] == [sys.executable, "-m"]  # pyright: ignore[reportIndexIssue]

from __future__ import annotations

import os
import signal
import subprocess
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


_STARTED_DEAF = """
import os, signal, sys
from pathlib import Path
from event_pipeline.launch.processes import start_child, stop_children
logs, number, how = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
if how == "ignored":
    signal.signal(number, signal.SIG_IGN)
else:
    signal.pthread_sigmask(signal.SIG_BLOCK, [number])
read, write = os.pipe()
child = start_child("polite", "polite", (), {"PYTHONUNBUFFERED": "1"}, logs, write)
while "ready" not in child.last_lines():
    assert not child.has_ended_within(0.05), child.last_lines()
stop_children([child], patience_seconds=60)
print(child.process.returncode, child.last_lines().splitlines()[-1])
"""


@pytest.mark.parametrize("how", ["ignored", "blocked"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_children_are_asked_also_where_the_signal_is_ignored_or_blocked_here(
    modules: Path, number: signal.Signals, how: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _STARTED_DEAF, str(modules), str(number.value), how],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ended.stdout == "0 stopping in order\n"


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

"""The first signal asks, the second ends at once, and patience ends too."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

_PROGRAM = """
import signal, sys, threading
from event_pipeline.stream.signals import stopped_by_signals

asked = threading.Event()

def stop():
    print("asked", flush=True)
    asked.set()

if sys.argv[1] == "nohup":
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
else:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
with stopped_by_signals(stop, float(sys.argv[2])):
    print("ready", flush=True)
    asked.wait()
    if sys.argv[1] == "hangs":
        threading.Event().wait()
print("ended in order", flush=True)
"""


def started(how: str, patience: float) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", _PROGRAM, how, str(patience)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_lets_it_end_in_order(number: int) -> None:
    with started("stops", 60) as process:
        process.send_signal(number)
        said, _ = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "asked\nended in order\n")


def test_under_nohup_a_closed_terminal_stops_nothing() -> None:
    with started("nohup", 60) as process:
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    # Two signals that are heard would end it with 130.
    assert (process.returncode, said) == (0, "asked\nended in order\n")


def test_a_second_one_ends_it_at_once() -> None:
    with started("hangs", 60) as process:
        assert process.stdout
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "asked\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 130


def test_what_cannot_stop_is_ended_when_patience_runs_out() -> None:
    with started("hangs", 0.1) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 1

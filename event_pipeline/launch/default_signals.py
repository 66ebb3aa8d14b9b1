"""Starts a module with every signal as at a login, as ``python -m event_pipeline.launch.default_signals MODULE ...``.

A shell's background, ``nohup`` and some supervisors start programs with SIGINT or SIGHUP ignored or blocked, and
children inherit that: Python, and Dagster with it, then never hears that it is asked to stop.
"""

from __future__ import annotations

import os
import signal
import sys

ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals by which a process is asked to stop."""


def are_default() -> bool:
    """Whether children of this process hear each of the signals that ask them to stop."""
    is_ignored = any(signal.getsignal(number) is signal.SIG_IGN for number in ASKING)
    return not is_ignored and not signal.pthread_sigmask(signal.SIG_BLOCK, ()).intersection(ASKING)


def main() -> None:
    """Become the module."""
    for number in ASKING:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ASKING)
    # A new interpreter: Python sets up Ctrl-C by what it finds at its start.
    os.execv(sys.executable, [sys.executable, "-m", *sys.argv[1:]])  # noqa: S606 - no shell


if __name__ == "__main__":
    main()

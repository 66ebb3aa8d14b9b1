"""The limits that a worker puts itself under before its first query, and cannot lift again."""

from __future__ import annotations

import os
import resource
import sys

import psutil

_MEGABYTE = 2**20
_FILES = 256
_WRITTEN_BYTES = _MEGABYTE
"""SQLite's index of its log, which a reader may have to make, is the one thing that is written: 32 kB a time."""

_NICENESS = 10


def confine(memory_megabytes: int) -> None:
    """For good: no more memory than now plus twice that (DuckDB counts only part of what it takes), files of no
    length, few at a time, no core dumps, no processes before those of the API."""
    taken = psutil.Process().memory_info().vms
    _limit(resource.RLIMIT_AS, taken + 2 * memory_megabytes * _MEGABYTE)
    _limit(resource.RLIMIT_FSIZE, _WRITTEN_BYTES)
    _limit(resource.RLIMIT_NOFILE, _FILES)
    _limit(resource.RLIMIT_CORE, 0)
    os.nice(_NICENESS)


def allow_processor_seconds(seconds: float) -> None:
    """Let the process work so long from now; then the system ends it, even when its parent is gone."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime + seconds) + 1, most))


def silence() -> None:
    """Say nothing more: what a query brings a library to write is nobody's business."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _limit(which: int, most: int) -> None:
    _, hard = resource.getrlimit(which)
    wanted = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(which, (wanted, wanted))

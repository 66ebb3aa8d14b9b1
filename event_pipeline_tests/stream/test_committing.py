"""Why a commit failed, in words for people: what has to be done, and nothing that a foreign error gives away."""

from __future__ import annotations

import errno
import os

import duckdb
import pytest

from event_pipeline.errors import TransientError
from event_pipeline.stream.committing import in_words

_DUCKLAKE = "Failed to commit: Failed to commit DuckLake transaction.\nFailed to execute query in metadata: "


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TransientError("another process has been writing for 600 s"), "another process has been writing for 600 s"),
        (duckdb.TransactionException(_DUCKLAKE + "database or disk is full"), "the disk is full"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "the disk is full"),
        (OSError(errno.EFBIG, os.strerror(errno.EFBIG)), "files grow no more"),
        (duckdb.TransactionException(_DUCKLAKE + "database is locked"), "the catalog is locked"),
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/srv/lake.sqlite"), "may not be written to"),
        (RuntimeError("postgresql://user:a-secret@db is away"), "RuntimeError; see the worker's log"),
    ],
)
def test_a_failure_says_what_to_do(error: Exception, words: str) -> None:
    said = in_words(error)
    assert words in said
    assert "a-secret" not in said

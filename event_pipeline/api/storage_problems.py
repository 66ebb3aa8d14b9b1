"""What DuckDB, SQLite and the system say of storage that cannot be read, as problems: the file, and the way out."""

from __future__ import annotations

import errno
import re
import sqlite3
from pathlib import Path, PurePosixPath

from event_pipeline.api.problems import Problem
from event_pipeline.settings import Settings

WAY_OUT = 'restore it from the backup; docs/operations.md, "Storage that cannot be read", says how'
_RETRY = {"Retry-After": "5"}
_QUOTED = re.compile(r"""["']([^"'\n]+)["']""")
_NO_FILES = ("too many open files", "emfile")
_NO_MEMORY = ("out of memory", "could not allocate", "bad allocation", "std::bad_alloc")
_TORN = ("file is not a database", "malformed", "magic bytes", "is empty", "not a ducklake", "corrupt")
_GONE = ("no such file", "does not exist", "not found", "404")
_FILES = (".parquet", ".sqlite", ".puffin")
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}


def storage_problem(error: BaseException, settings: Settings) -> Problem | None:
    """The problem that such an error is; None for a fault of ours, such as a query that is wrong."""
    text = str(error)
    said = text.lower()
    if is_exhausted(error):
        what = "files" if any(sign in said for sign in _NO_FILES) else "memory"
        limit = "may have no more files open" if what == "files" else "has no memory left for it"
        section = "Too many open files or too little memory"
        detail = f'the process {limit}; try again in a moment, and see docs/operations.md, "{section}"'
        return Problem("out-of-resources", detail, _RETRY)
    name = file_in(text, settings)
    if name is None and not any(sign in said for sign in _TORN):
        return None
    how = "is not there" if any(sign in said for sign in _GONE) else "is damaged or cannot be read"
    return Problem("warehouse-not-ready", f"{name or 'a catalog'} {how}: {WAY_OUT}", _RETRY)


def is_exhausted(error: BaseException) -> bool:
    """Whether memory or open files have run out, which may pass by itself."""
    import duckdb

    if isinstance(error, MemoryError | duckdb.OutOfMemoryException):
        return True
    if isinstance(error, OSError) and error.errno in _EXHAUSTED:
        return True
    return isinstance(error, duckdb.Error | OSError | sqlite3.Error) and any(
        sign in str(error).lower() for sign in (*_NO_FILES, *_NO_MEMORY)
    )


def file_in(text: str, settings: Settings) -> str | None:
    """The file that a message names, below the data folder or the store; its own name where it is elsewhere."""
    for found in _QUOTED.findall(text):
        path = found.removeprefix("sqlite:").removeprefix("ducklake:")
        if path.endswith(_FILES):
            return _relative(path, settings)
    return None


def _relative(path: str, settings: Settings) -> str:
    name = PurePosixPath(path).name
    if path.endswith(".sqlite"):
        # What is read is a copy; what was damaged is the catalog.
        return _below(str(settings.catalog_dir / name), str(settings.data_dir)) or name
    for root in (str(settings.data_dir), settings.storage):
        for form in (root, root if "://" in root else str(Path(root).absolute())):
            if (below := _below(path, form)) is not None:
                return below
    return name


def _below(path: str, root: str) -> str | None:
    start = root.rstrip("/") + "/"
    return path.removeprefix(start) if path.startswith(start) else None

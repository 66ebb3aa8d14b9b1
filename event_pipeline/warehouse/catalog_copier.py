"""The process that copies catalogs, as ``python -m event_pipeline.warehouse.catalog_copier SOURCE TARGET``.

Each line of its input names catalogs, and is answered by ``ok`` once the folder TARGET holds them as the folder SOURCE
does, or by what went wrong. It ends with its input, and takes the copies with it.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import psutil

_BUSY_SECONDS = 30.0


class _Catalog:
    """One catalog, which is looked at over a connection that stays open."""

    def __init__(self, source: Path, target: Path) -> None:
        self._source, self._target = source, target
        self._file: tuple[int, int] | None = None
        self._written: tuple[int, int] | None = None
        self._connection: sqlite3.Connection | None = None
        self._version: int | None = None

    def refresh(self) -> None:
        """Copy it if it has changed. Raises OSError and sqlite3.Error; the copy before stays then."""
        connection = self._opened()
        if connection is None:
            self._target.unlink(missing_ok=True)
            return
        ((version,),) = connection.execute("PRAGMA data_version").fetchall()
        status = self._source.stat()
        written = status.st_size, status.st_mtime_ns
        # A file that was cut off or overwritten behind SQLite's back has the version that it had.
        if version != self._version or written != self._written or not self._target.exists():
            self._copy(connection)
            self._version, self._written = version, written

    def _opened(self) -> sqlite3.Connection | None:
        """The connection to the file that is there now; none where there is none, so that nothing is made."""
        try:
            status = self._source.stat()
        except FileNotFoundError:
            return None
        if status.st_size == 0:
            self._forget()
            raise OSError("the file is empty")
        # A catalog that was restored is another file at the same place.
        if self._connection is None or self._file != (status.st_dev, status.st_ino):
            self._forget()
            address = f"{self._source.absolute().as_uri()}?mode=ro"
            self._connection = sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS)
            self._file, self._version = (status.st_dev, status.st_ino), None
        return self._connection

    def _forget(self) -> None:
        """What is known of the file that was there."""
        if self._connection is not None:
            self._connection.close()
        self._connection = self._file = self._version = self._written = None

    def _copy(self, connection: sqlite3.Connection) -> None:
        self._target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        written = self._target.with_suffix(".new")
        written.unlink(missing_ok=True)
        with closing(sqlite3.connect(written, isolation_level=None)) as copy:
            # It is made again after a crash, so it need not be on the disk.
            copy.execute("PRAGMA synchronous = OFF")
            connection.backup(copy)
            # It would take the place of one that can be read; a look at every page takes milliseconds.
            ((found,),) = copy.execute("PRAGMA quick_check(1)").fetchall()
            if found != "ok":
                raise sqlite3.DatabaseError(f"the database is malformed: {found}")
            # Readers of a write-ahead log would have to keep files beside it.
            copy.execute("PRAGMA journal_mode = DELETE").fetchall()
        written.replace(self._target)


def main() -> None:
    """Answer lines until the input ends."""
    source, target = (Path(given) for given in sys.argv[1:])
    _forget_the_dead(target.parent)
    catalogs: dict[str, _Catalog] = {}
    try:
        for line in sys.stdin:
            answer = "ok"
            try:
                for name in line.split():
                    file = f"{name}.sqlite"
                    answer = _refreshed(catalogs.setdefault(name, _Catalog(source / file, target / file)), file)
                    if answer != "ok":
                        break
            except Exception as error:  # noqa: BLE001 - whoever asks must be answered
                answer = f"{type(error).__name__}: {error}"
            answer = " ".join(answer.split())
            sys.stdout.write(f"{answer}\n")
            sys.stdout.flush()
    finally:
        shutil.rmtree(target, ignore_errors=True)


def _refreshed(catalog: _Catalog, file: str) -> str:
    """``ok``, or the file and what is wrong with it."""
    try:
        catalog.refresh()
    except (OSError, sqlite3.Error) as error:
        return f'"{file}": {type(error).__name__}: {error}'
    return "ok"


def _forget_the_dead(folder: Path) -> None:
    """Remove the copies of processes that ended without a chance to."""
    for left in folder.glob("*-*"):
        number = left.name.partition("-")[0]
        if number.isdigit() and not psutil.pid_exists(int(number)):
            shutil.rmtree(left, ignore_errors=True)


if __name__ == "__main__":
    main()

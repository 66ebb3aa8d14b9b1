"""Who reads a copy of the catalogs sees what was committed, and is held up by nobody who commits."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from event_pipeline.settings import Settings
from event_pipeline.warehouse.catalog_copies import CatalogCopies
from event_pipeline.warehouse.connection import connect

_PENDING_BYTE = 0x40000000
_HOLD = """
import fcntl, sys
file = open(sys.argv[1], "r+b")
fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, int(sys.argv[2]))
print("held", flush=True)
sys.stdin.read()
"""
"""What a writer does for a moment whenever it closes a catalog, held for as long as its input is open."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def copies(settings: Settings) -> Iterator[CatalogCopies]:
    copies = CatalogCopies(settings)
    yield copies
    copies.close()


def _commit(settings: Settings, number: int) -> None:
    with connect(settings, ("warehouse",)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS warehouse.core.numbers (number INTEGER)")
        connection.execute("INSERT INTO warehouse.core.numbers VALUES (?)", [number])


def _seen(copies: CatalogCopies) -> list[int]:
    with connect(copies.settings, ("warehouse",), read_only=True) as connection:
        return [n for (n,) in connection.execute("SELECT number FROM warehouse.core.numbers ORDER BY 1").fetchall()]


def _file(copies: CatalogCopies) -> Path:
    return copies.settings.catalog_dir / "warehouse.sqlite"


def test_what_was_committed_before_is_there_and_nothing_is_copied_twice(
    settings: Settings, copies: CatalogCopies
) -> None:
    for number in range(3):
        _commit(settings, number)
        copies.refresh()
        assert _seen(copies) == list(range(number + 1))
    before = _file(copies).stat().st_ino
    copies.refresh()
    assert _file(copies).stat().st_ino == before
    assert not (settings.catalog_dir / "lake.sqlite").exists()


def test_who_reads_goes_on_reading_the_state_in_which_it_began(settings: Settings, copies: CatalogCopies) -> None:
    _commit(settings, 1)
    copies.refresh()
    with connect(copies.settings, ("warehouse",), read_only=True) as connection:
        connection.execute("BEGIN")
        count = "SELECT count(*) FROM warehouse.core.numbers"
        assert connection.execute(count).fetchall() == [(1,)]
        _commit(settings, 2)
        copies.refresh()
        assert connection.execute(count).fetchall() == [(1,)]
        connection.execute("COMMIT")
        assert connection.execute(count).fetchall() == [(2,)]


def test_a_writer_who_is_closing_the_catalog_holds_nobody_up(settings: Settings, copies: CatalogCopies) -> None:
    _commit(settings, 1)
    copies.refresh()
    catalog = settings.catalog_dir / "warehouse.sqlite"
    holder = [sys.executable, "-c", _HOLD, str(catalog), str(_PENDING_BYTE)]
    with subprocess.Popen(holder, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"held\n"
        with catalog.open("rb") as file, pytest.raises(BlockingIOError):
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, _PENDING_BYTE)
        copies.refresh()
        assert _seen(copies) == [1]
        writer.communicate()


def test_a_catalog_that_was_restored_is_found(settings: Settings, copies: CatalogCopies, tmp_path: Path) -> None:
    _commit(settings, 1)
    shutil.copytree(settings.data_dir, tmp_path / "backup")
    _commit(settings, 2)
    copies.refresh()
    assert _seen(copies) == [1, 2]
    shutil.rmtree(settings.catalog_dir)
    shutil.copytree(tmp_path / "backup" / "catalog", settings.catalog_dir)
    copies.refresh()
    assert _seen(copies) == [1]


def test_a_copy_that_was_lost_is_made_again_and_one_of_nothing_is_not_kept(
    settings: Settings, copies: CatalogCopies
) -> None:
    _commit(settings, 1)
    copies.refresh()
    _file(copies).unlink()
    copies.refresh()
    assert _seen(copies) == [1]
    shutil.rmtree(settings.catalog_dir)
    copies.refresh()
    assert not _file(copies).exists()


def test_a_copier_that_was_killed_is_started_again(settings: Settings, copies: CatalogCopies) -> None:
    _commit(settings, 1)
    copies.refresh()
    running = copies._copier
    assert running is not None
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    _commit(settings, 2)
    copies.refresh()
    assert _seen(copies) == [1, 2]


def test_what_cannot_be_copied_is_said(settings: Settings, copies: CatalogCopies) -> None:
    settings.catalog_dir.mkdir(parents=True)
    (settings.catalog_dir / "warehouse.sqlite").write_bytes(b"this is no catalog, however long it may be" * 100)
    with pytest.raises(OSError, match=r'"warehouse\.sqlite": DatabaseError: file is not a database'):
        copies.refresh()


def test_nothing_stays_behind(settings: Settings, copies: CatalogCopies) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    left = copies.settings.catalog_dir.parent / f"{ended.pid}-cafe"
    left.mkdir(parents=True)
    (left / "lake.sqlite").touch()
    _commit(settings, 1)
    copies.refresh()
    assert not left.exists()
    assert _file(copies).exists()
    copies.close()
    assert not copies.settings.catalog_dir.exists()

"""Records are on disk before their sender is told so, however many come at once and whenever the process ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from event_pipeline.background_task import TaskStates
from event_pipeline.errors import TransientError
from event_pipeline.inbound.journal import WRITING, InboxJournal
from event_pipeline.sources.inbox import InboxSource


@pytest.fixture
def _unfinished(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files stay unfinished until the journal is closed."""
    monkeypatch.setattr("event_pipeline.inbound.journal._PUBLISHED_AFTER_SECONDS", 3_600)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[InboxJournal]:
    made = InboxJournal(tmp_path / "inbox")
    yield made
    made.close()


def records_of(folder: Path, pattern: str = "*.ndjson") -> list[dict[str, Any]]:
    return [json.loads(line) for path in sorted(folder.glob(pattern)) for line in path.read_bytes().splitlines()]


def test_a_record_is_in_a_file_when_the_sender_is_let_go(journal: InboxJournal, tmp_path: Path) -> None:
    journal.append([{"a": 1}, {"a": 2}])
    assert records_of(tmp_path / "inbox", "inbound-*") == [{"a": 1}, {"a": 2}]


def test_the_inbox_reads_files_that_are_finished_and_no_others(journal: InboxJournal, tmp_path: Path) -> None:
    journal.append([{"a": 1}])
    journal.close()
    (file,) = InboxSource(tmp_path / "inbox", 100).files()
    assert file.name.startswith("inbound-")
    assert [path.name for path in (tmp_path / "inbox").iterdir()] == [file.name]


def test_a_burst_loses_nothing_and_makes_few_files(journal: InboxJournal, tmp_path: Path) -> None:
    def send(sender: int) -> None:
        for number in range(50):
            journal.append([{"sender": sender, "number": number}])

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(send, range(20)))
    journal.close()
    found = records_of(tmp_path / "inbox")
    assert sorted((r["sender"], r["number"]) for r in found) == [(s, n) for s in range(20) for n in range(50)]
    assert len(list((tmp_path / "inbox").iterdir())) < 500


def test_nothing_to_keep_makes_no_file(journal: InboxJournal, tmp_path: Path) -> None:
    journal.append([])
    journal.close()
    assert not (tmp_path / "inbox").exists()


def test_an_inbox_that_cannot_be_written_is_told_and_works_again_once_it_can(tmp_path: Path) -> None:
    (tmp_path / "inbox").write_text("in the way")
    journal = InboxJournal(tmp_path / "inbox")
    with pytest.raises(TransientError, match="cannot be written"):
        journal.append([{"a": 1}])
    (tmp_path / "inbox").unlink()
    journal.append([{"a": 2}])
    journal.close()
    assert records_of(tmp_path / "inbox") == [{"a": 2}]


@pytest.mark.usefixtures("_unfinished")
def test_a_full_disk_leaves_no_half_line(
    journal: InboxJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.append([{"a": 1}])

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(TransientError, match="No space left"):
            journal.append([{"a": 2}])
    journal.append([{"a": 3}])
    journal.close()
    assert records_of(tmp_path / "inbox") == [{"a": 1}, {"a": 3}]


@pytest.mark.parametrize("fault", [RuntimeError("odd"), MemoryError(), OSError(24, "Too many open files")])
def test_whatever_goes_wrong_everyone_is_answered_and_the_next_is_kept(
    journal: InboxJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    journal.append([{"a": 1}])

    def fail(*_: object) -> None:
        raise fault

    with monkeypatch.context() as patched:
        patched.setattr("event_pipeline.inbound.journal._Unfinished.__init__", fail)
        patched.setattr("event_pipeline.inbound.journal._Unfinished.append", fail)

        def send(number: int) -> str:
            with pytest.raises(TransientError) as refused:
                journal.append([{"refused": number}])
            return str(refused.value)

        with ThreadPoolExecutor(8) as pool:
            told = list(pool.map(send, range(8)))
    assert all("cannot be written" in text and "send it again later" in text for text in told)
    journal.append([{"a": 2}])
    journal.close()
    assert records_of(tmp_path / "inbox") == [{"a": 1}, {"a": 2}]


def test_one_whose_disk_hangs_is_told_so_in_time(
    journal: InboxJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    fsync = os.fsync

    def hang(descriptor: int) -> None:
        go_on.wait()
        fsync(descriptor)

    monkeypatch.setattr("event_pipeline.inbound.journal._LONGEST_SECONDS", 0.05)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", hang)
        for _ in range(2):
            with pytest.raises(TransientError, match="did not take it within"):
                journal.append([{"a": 1}])
        go_on.set()
    journal.close()
    # The second was not begun when its sender was told, and is not kept behind the sender's back.
    assert records_of(tmp_path / "inbox") == [{"a": 1}]


@pytest.mark.usefixtures("_unfinished")
def test_a_file_that_cannot_be_set_right_is_left_and_read_without_its_half_line(
    journal: InboxJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.append([{"a": 1}])
    write = os.write

    def half(descriptor: int, lines: memoryview) -> int:
        write(descriptor, bytes(lines)[:3])
        raise OSError(5, "Input/output error")

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", half)
        patched.setattr(os, "ftruncate", fail)
        with pytest.raises(TransientError, match="Input/output error"):
            journal.append([{"a": 2}])
    journal.append([{"a": 3}])
    journal.close()
    assert records_of(tmp_path / "inbox") == [{"a": 1}, {"a": 3}]
    assert list((tmp_path / "inbox").glob("*.part")) == []


def test_how_the_disk_fares_is_known(tmp_path: Path) -> None:
    states = TaskStates()
    (tmp_path / "inbox").write_text("in the way")
    journal = InboxJournal(tmp_path / "inbox", states)
    with pytest.raises(TransientError):
        journal.append([{"a": 1}])
    assert states.failing()[WRITING].failure.startswith("the inbox cannot be written (")
    (tmp_path / "inbox").unlink()
    journal.append([{"a": 2}])
    journal.close()
    assert (states.failing(), states.state(WRITING).failures) == ({}, 1)


def test_one_that_is_closed_takes_nothing(journal: InboxJournal) -> None:
    journal.close()
    with pytest.raises(TransientError):
        journal.append([{"a": 1}])


_KILLED = """
import os, signal, sys
from pathlib import Path
from event_pipeline.inbound import journal
journal._PUBLISHED_AFTER_SECONDS = 3600
kept = journal.InboxJournal(Path(sys.argv[1]))
for number in range(100):
    kept.append([{"number": number}])
    print(number, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_had_acknowledged_is_recovered(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.name.endswith(".part")
    with left.open("ab") as file:
        file.write(b'{"number": 100, "torn')
    journal = InboxJournal(tmp_path)
    assert (journal.recover(), journal.recover()) == (1, 0)
    assert [record["number"] for record in records_of(tmp_path)] == [int(line) for line in ended.stdout.split()]


@pytest.mark.usefixtures("_unfinished")
def test_a_file_that_another_process_is_writing_is_left_alone(journal: InboxJournal, tmp_path: Path) -> None:
    journal.append([{"a": 1}])
    other = InboxJournal(tmp_path / "inbox")
    assert other.recover() == 0
    assert len(list((tmp_path / "inbox").glob("*.part"))) == 1
    journal.close()
    assert records_of(tmp_path / "inbox") == [{"a": 1}]

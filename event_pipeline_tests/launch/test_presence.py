from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from event_pipeline.launch.presence import AlreadyUpError, Running, claim, read_running

_KILLED_UP = """
import os, subprocess, sys
from pathlib import Path
from event_pipeline.launch.presence import Running, claim

with claim(Path(sys.argv[1])) as presence:
    child = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"],
        stdin=subprocess.PIPE if sys.argv[2] == "ends" else sys.stdin,
        pass_fds=(presence.lock_fd,),
        start_new_session=True,
    )
    presence.announce(Running(os.getpid(), "http://127.0.0.1:1", (child.pid,)))
    print(child.pid, flush=True)
    os._exit(137)  # as kill -9 leaves it: nothing is cleaned up
"""


def test_a_second_claim_is_told_where_the_first_serves(tmp_path: Path) -> None:
    with claim(tmp_path) as presence:
        presence.announce(Running(os.getpid(), "http://127.0.0.1:3000", (1,)))
        with pytest.raises(AlreadyUpError, match=r"up already at http://127\.0\.0\.1:3000"), claim(tmp_path):
            pass
        assert read_running(tmp_path) == Running(os.getpid(), "http://127.0.0.1:3000", (1,))


def test_a_second_claim_while_the_first_still_starts_has_no_address(tmp_path: Path) -> None:
    with claim(tmp_path), pytest.raises(AlreadyUpError, match="still starting"), claim(tmp_path):
        pass


def test_a_claim_that_ended_leaves_no_trace(tmp_path: Path) -> None:
    with claim(tmp_path):
        pass
    assert read_running(tmp_path) is None
    with claim(tmp_path):
        pass


def test_an_unreadable_note_is_no_note(tmp_path: Path) -> None:
    (tmp_path / "up.json").write_text('{"pid": ')
    assert read_running(tmp_path) is None


def test_what_a_killed_up_left_running_is_ended_before_the_next_starts(tmp_path: Path) -> None:
    killed = subprocess.Popen(
        [sys.executable, "-c", _KILLED_UP, str(tmp_path), "stays"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert killed.stdout
    assert killed.stdin
    orphan = int(killed.stdout.readline())
    assert killed.wait(30) == 137
    os.kill(orphan, 0)
    with claim(tmp_path), killed.stdout:
        assert killed.stdout.read() == "", "ends only when the orphan, who holds it, has ended"
    killed.stdin.close()


def test_a_killed_up_without_children_left_does_not_block_the_next(tmp_path: Path) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED_UP, str(tmp_path), "ends"], stdout=subprocess.PIPE, text=True, timeout=30
    )
    assert killed.returncode == 137
    with claim(tmp_path):
        pass

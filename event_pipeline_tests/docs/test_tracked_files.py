"""Nothing that is committed says where or by whom it was written."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from event_pipeline_tests.paths import REPOSITORY

_MACHINE_PATHS = re.compile(rb"(?<![\w.\-])/(?:work|root|Users|home)/[\w.\-]+")
_CREDENTIALS = re.compile(
    rb"-----BEGIN (?:RSA |EC )?PRIVATE KEY-----(?:\\n|\s)*[A-Za-z0-9+/]{60}|AIza[0-9A-Za-z_\-]{35}"
)


@pytest.fixture(scope="module")
def tracked() -> dict[str, bytes]:
    if not shutil.which("git") or not (REPOSITORY / ".git").exists():
        pytest.skip("this is no git clone, so nothing says which files are tracked")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    paths = [name for name in listed.stdout.split("\0") if name and (REPOSITORY / name).is_file()]
    return {name: (REPOSITORY / name).read_bytes() for name in paths}


def test_no_file_names_a_place_on_somebodys_machine(tracked: dict[str, bytes]) -> None:
    assert tracked
    found = {name: match.group() for name, text in tracked.items() if (match := _MACHINE_PATHS.search(text))}
    assert found == {}


def test_no_file_holds_a_key(tracked: dict[str, bytes]) -> None:
    assert [name for name, text in tracked.items() if _CREDENTIALS.search(text)] == []


def test_packages_come_from_pypi_alone(tracked: dict[str, bytes]) -> None:
    hosts = set(re.findall(rb'(?:registry|url) = "(https?://[^/"]+)', tracked["uv.lock"]))
    assert hosts == {b"https://pypi.org", b"https://files.pythonhosted.org"}

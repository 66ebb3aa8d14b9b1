"""``scripts/uv`` with stand-ins for what a machine may have on PATH; only the network is left out."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from event_pipeline_tests.paths import REPOSITORY

_UV = '#!/bin/sh\necho "{name} $*"\n'
_PYTHON = """#!/bin/sh
# A Python that says whether it is new enough, and has venv or pip as its switches say.
case "$*" in
    *version_info*) exit {too_old} ;;
    *ensurepip*) exit {no_venv} ;;
    "-m pip --version") exit {no_pip} ;;
    "-m venv "*) [ {no_venv} = 0 ] || exit 1; mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
    *"pip install"*--target*) [ {no_pip} = 0 ] || exit 1; target=$(echo "$*" | sed 's/.*--target \\([^ ]*\\).*/\\1/')
        mkdir -p "$target/bin"; printf '#!/bin/sh\\necho "pip-uv $*"\\n' > "$target/bin/uv"
        chmod +x "$target/bin/uv" ;;
    *"pip install"*) {install} ;;
esac
"""
_INSTALL = """printf '#!/bin/sh\\necho "venv-uv $*"\\n' > "$(dirname "$0")/uv"; chmod +x "$(dirname "$0")/uv" """


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with the script, and a PATH of its own with the shell's tools and nothing else."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(REPOSITORY / "scripts" / "uv", tmp_path / "scripts" / "uv")
    (tmp_path / "bin").mkdir()
    for name in ("sh", "dirname", "rm", "mkdir", "cp", "sed", "chmod", "id"):
        found = shutil.which(name)
        assert found
        (tmp_path / "bin" / name).symlink_to(found)
    return tmp_path


def _put(clone: Path, name: str, text: str) -> None:
    path = clone / "bin" / name
    path.write_text(text)
    path.chmod(0o755)


def _python(clone: Path, *, too_old: int = 0, no_venv: int = 0, no_pip: int = 0, install: str = _INSTALL) -> None:
    _put(clone, "python3", _PYTHON.format(too_old=too_old, no_venv=no_venv, no_pip=no_pip, install=install))


def _run(clone: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["scripts/uv", "sync", "--locked"], cwd=clone, env={"PATH": str(clone / "bin"), "HOME": os.devnull},
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip


def test_uv_on_path_is_used(clone: Path) -> None:
    _put(clone, "uv", _UV.format(name="path-uv"))
    assert _run(clone).stdout == "path-uv sync --locked\n"
    assert not (clone / ".tools").exists()


def test_a_shim_on_path_that_leads_nowhere_is_not_used(clone: Path) -> None:
    _put(clone, "uv", "#!/bin/sh\nexit 127\n")
    _python(clone)
    assert _run(clone).stdout == "venv-uv sync --locked\n"


def test_without_uv_it_is_set_up_once(clone: Path) -> None:
    _python(clone)
    assert _run(clone).stdout == "venv-uv sync --locked\n"
    (clone / "bin" / "python3").unlink()
    assert _run(clone).stdout == "venv-uv sync --locked\n"


def test_a_python_without_venv_installs_it_by_pip_alone(clone: Path) -> None:
    _python(clone, no_venv=1)
    assert _run(clone).stdout == "pip-uv sync --locked\n"


def test_a_python_with_neither_says_what_to_install(clone: Path) -> None:
    _python(clone, no_venv=1, no_pip=1)
    result = _run(clone)
    assert result.returncode != 0
    assert "python3-venv" in result.stderr


def test_a_python_that_is_too_old_says_so(clone: Path) -> None:
    _python(clone, too_old=1)
    result = _run(clone)
    assert result.returncode != 0
    assert "Python 3.11 or later is needed" in result.stderr


def test_a_failed_installation_leaves_nothing_half_done(clone: Path) -> None:
    _python(clone, install="exit 1")
    result = _run(clone)
    assert result.returncode != 0
    assert "uv could not be installed" in result.stderr
    assert not list((clone / ".tools").glob("*"))

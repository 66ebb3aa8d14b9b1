"""Files that are hostile as a whole: what can be read of them is, the rest is told, and other files load."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from event_pipeline_tests.hostile.case import MARKER
from event_pipeline_tests.hostile.files import EXPORTS, FILES, INBOX, File
from event_pipeline_tests.hostile.loading import Drop, Fate, Markers, fates, load
from event_pipeline_tests.warehouse.pipelines import MemoryPipeline

STAGED = [name for name, file in FILES.items() if file.is_staged]
NOT_STAGED = [name for name, file in FILES.items() if not file.is_staged]
REPORTED = [name for name, file in FILES.items() if file.is_reported]
REFUSED = [name for name, file in FILES.items() if file.refusal]


class Loaded:
    """All files in one warehouse."""

    def __init__(self, pipeline: MemoryPipeline) -> None:
        markers = Markers()
        self.of_file = {name: markers.next() for name in FILES}
        self.drop = Drop(self._contents(EXPORTS), self._contents(INBOX))
        failures = "\n".join(load(pipeline, self.drop)).splitlines()
        self.told = {failure.split(maxsplit=1)[0].rstrip(":"): failure for failure in failures}
        pipeline.refresh()
        self.fates = fates(pipeline)
        self.unreadable = pipeline.rejected("unreadable")
        self.left = [path.name for path in pipeline.settings.inbox_dir.glob("*.ndjson")]
        self.repeated = load(pipeline, Drop())

    def _contents(self, files: Iterable[tuple[File, str]]) -> dict[str, bytes]:
        return {file.name: file.spoil(whole.replace(MARKER, self.of_file[file.name]).encode()) for file, whole in files}

    def fates_of(self, name: str) -> set[Fate]:
        """What became of the documents that hold the file's marker."""
        return set(self.fates.get(self.of_file[name], []))


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return Loaded(MemoryPipeline(tmp_path_factory.mktemp("files")))


@pytest.mark.parametrize("name", STAGED)
def test_what_a_file_holds_whole_is_staged_once(loaded: Loaded, name: str) -> None:
    (fate,) = loaded.fates_of(name)
    assert (fate.times_staged, fate.is_rejected) == (1, False)


@pytest.mark.parametrize("name", NOT_STAGED)
def test_what_cannot_be_staged_is_in_quarantine_or_told(loaded: Loaded, name: str) -> None:
    found = loaded.fates_of(name)
    assert all(fate.is_kept_once and fate.is_rejected for fate in found)
    is_kept_as_lines = any(line.startswith(f"{name}:") for line in loaded.unreadable)
    is_blank = not {**loaded.drop.exports, **loaded.drop.inbox}[name].strip()
    assert found or FILES[name].is_reported or FILES[name].refusal or is_kept_as_lines or is_blank


def test_the_damaged_files_are_named_and_no_others(loaded: Loaded) -> None:
    assert sorted(loaded.told) == sorted([*REPORTED, *REFUSED])


@pytest.mark.parametrize("name", REPORTED)
def test_a_damaged_file_is_told_with_the_place_and_what_to_do(loaded: Loaded, name: str) -> None:
    assert re.search(r"\b(at byte|in line) [\d,]+", loaded.told[name])
    assert re.search(r": .*put (a|the) whole file in its place", loaded.told[name])


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_of_another_format_is_refused_with_what_it_is(loaded: Loaded, name: str) -> None:
    assert loaded.told[name].startswith(f"{name} {FILES[name].refusal}")


def test_damage_is_told_again_until_the_file_is_replaced(loaded: Loaded) -> None:
    assert "\n".join(loaded.repeated).splitlines() == list(loaded.told.values())


def test_the_inbox_is_emptied(loaded: Loaded) -> None:
    assert loaded.left == []

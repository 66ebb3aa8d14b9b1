"""The exports folder: its export files, and a note of everything else that lies there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa

from event_pipeline.errors import PermanentError
from event_pipeline.sources.change import CHANGE_SCHEMA, ChangeBatch, KnownVersions
from event_pipeline.sources.export_files import LINE_SUFFIXES, TREE_SUFFIXES, ExportFilesSource
from event_pipeline.sources.file_state import HashingFile
from event_pipeline.sources.passed_files import NOTED, passed_files

_NAMES_SHOWN = 3


class ExportFolder(ExportFilesSource):
    """The folder's export files; a cursor of its own (``NOTED``) lists the files that there is something to say of."""

    def passed(self) -> dict[str, str]:
        """What lies there and is not read, by name, with what to do."""
        return passed_files(self._directory, TREE_SUFFIXES + LINE_SUFFIXES)

    def _read(self, name: str, raw: HashingFile, observed_us: int) -> Iterator[pa.Table]:
        before, taken = self.not_followed.copy(), 0
        for changes in super()._read(name, raw, observed_us):
            taken += changes.num_rows
            yield changes
        left_out = self.not_followed - before
        if left_out and not taken:
            found = ", ".join(repr(collection[:60]) for collection in list(left_out)[:_NAMES_SHOWN])
            note = (
                f"holds no collection that is followed: found {found}, expected {', '.join(self._collections)}; export "
                "the database from its root, or load a part of it with --path"
            )
            self.notes[name] = [*self.notes.get(name, ()), note]

    def noted_files(self, cursors: Mapping[str, object]) -> list[str]:
        """Names of the files that are there and not, or not wholly, loaded without a word."""
        held = {path.name: cursors.get(path.name) for path in self.files()}
        said = {name for name, at in held.items() if isinstance(at, Mapping) and ("failure" in at or "notes" in at)}
        return sorted(said | self.passed().keys())

    def poll(self, cursors: Mapping[str, object], known: KnownVersions) -> Iterator[ChangeBatch]:
        """As the files' source does; ``notes`` then hold what was passed over too."""
        after, failure = dict(cursors), None
        try:
            for batch in super().poll(cursors, known):
                after.update(batch.cursors)
                yield batch
        except PermanentError as error:
            failure = error
        for name, what in self.passed().items():
            self.notes[name] = [what]
        noted = self.noted_files(after)
        if noted != cursors.get(NOTED, []):
            yield self._batch(CHANGE_SCHEMA.empty_table(), {NOTED: noted})
        if failure is not None:
            raise failure

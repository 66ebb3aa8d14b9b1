"""Loads history: export files named by path, each once, whatever the folder it is in."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.compute as pc

from event_pipeline.errors import PermanentError
from event_pipeline.settings import Settings
from event_pipeline.sources.export_file import ExportFile
from event_pipeline.sources.export_files import LINE_SUFFIXES, TREE_SUFFIXES
from event_pipeline.sources.passed_files import MANAGED_EXPORT, is_managed_export, other_format
from event_pipeline.sources.text_blocks import DAMAGED_GZIP
from event_pipeline.warehouse.lake import Lake

_NAMES_SHOWN = 3
_SNIFFED_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """What loading one file did; ``changes`` are versions of documents that the lake had not, deletes included.

    ``was_read`` is False for a file that was loaded before. ``not_followed`` counts documents by collection that
    settings leave out. ``failure`` says what kept the file from being loaded whole, ``notes`` what a person should know
    of what was loaded.
    """

    path: Path
    was_read: bool
    documents: int = 0
    changes: int = 0
    deletes: int = 0
    not_followed: Mapping[str, int] = field(default_factory=dict)
    failure: str | None = None
    notes: tuple[str, ...] = ()


def why_not_loadable(path: Path) -> str | None:
    """What keeps the file from being tried at all, None when nothing does."""
    if path.is_dir():
        return f"{path} {MANAGED_EXPORT if is_managed_export(path) else 'is a folder: name the files in it'}"
    if not path.is_file():
        return f"{path} is not there"
    if is_managed_export(path):
        return f"{path} {MANAGED_EXPORT}"
    if not path.name.endswith(TREE_SUFFIXES + LINE_SUFFIXES):
        return (
            f"{path} is of no known format: name a Realtime Database export .json, documents one a line .ndjson or "
            f".jsonl; each may be gzipped (.gz){other_format(path.name)}"
        )
    try:
        path.open("rb").close()
    except OSError as error:
        return f"{path} cannot be read ({error.strerror}): make it readable for this user"
    return None


def load_file(
    lake: Lake,
    settings: Settings,
    path: Path,
    *,
    is_snapshot: bool = False,
    place: str | None = None,
    on_read: Callable[[int], None] = lambda _: None,
) -> LoadedFile:
    """Commits what the file holds and the lake does not; ``on_read`` is told the bytes read so far.

    ``place`` is the path in the database that the file is a part of, None where the file says it itself. With
    ``is_snapshot`` what earlier exports held and the file lacks is deleted, in the collections that the file has.
    """
    name = _own_name(settings, path)
    source = ExportFile(
        path,
        _cursor_name(name, is_snapshot, place),
        settings.firebase.collections,
        settings.batch_size,
        is_snapshot=is_snapshot,
        place=place,
        label=name,
        on_read=on_read,
    )
    changes, deletes, failure = 0, 0, None
    try:
        for batch in source.poll(lake.cursors(source.name), lake.known(source.name)):
            changes += lake.commit(batch)
            gone = pc.call_function("equal", [batch.changes.column("operation"), "delete"])
            deletes += pc.call_function("sum", [gone]).as_py() or 0
    except PermanentError as error:
        failure = str(error)
    return LoadedFile(
        path,
        source.was_read,
        source.documents,
        changes,
        deletes,
        dict(source.not_followed),
        _wrong_format(settings, path, failure, source) or failure,
        tuple(source.notes.get(path.name, ())),
    )


def _own_name(settings: Settings, path: Path) -> str:
    """The file's name in the exports folder, by which its sensor knows it too; elsewhere its whole path."""
    found = path.resolve()
    return found.name if found.parent == settings.exports_dir.resolve() else str(found)


def _cursor_name(name: str, is_snapshot: bool, place: str | None) -> str:
    """A snapshot has another: a file that was loaded without its deletes can still be loaded with them. So has a file
    that was said to belong elsewhere.
    """
    name = f"{name} at {place}" if place else name
    return f"{name} as a snapshot" if is_snapshot else name


def _wrong_format(settings: Settings, path: Path, failure: str | None, source: ExportFile) -> str | None:
    """What an operator can do about a file of which nothing was taken."""
    if source.documents or not (failure or source.not_followed):
        return None
    if path.name.endswith(TREE_SUFFIXES) and _begins_with_a_record(path):
        return f"{path} holds a document a line: give it a name that ends with .ndjson"
    if failure:
        return None
    found = ", ".join(repr(name[:60]) for name in list(source.not_followed)[:_NAMES_SHOWN])
    if len(source.plain_values) == min(_NAMES_SHOWN, len(source.not_followed)):
        return f"{path} holds plain values at its top ({found}) and no documents: export the database from its root"
    followed = ", ".join(settings.firebase.collections)
    return (
        f"{path} holds no collection that is followed: found {found}, expected {followed}; export the database from "
        "its root, or set firebase.collections (PIPELINE_FIREBASE__COLLECTIONS); if the file is a part of the "
        "database, say which with --path, such as --path registrations"
    )


def _begins_with_a_record(path: Path) -> bool:
    """Whether the first line is whole and names a collection, as documents one a line do."""
    import orjson

    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            record = orjson.loads(file.readline(_SNIFFED_BYTES))
    except (OSError, *DAMAGED_GZIP, orjson.JSONDecodeError):
        return False
    return isinstance(record, dict) and isinstance(record.get("collection"), str)

"""Files and folders in a watched folder that no source reads: each is noted by name with what to do, until it goes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

NOTED = "(noted files)"
"""Name of the cursor that holds the names of the files there is a note of; it ends with no suffix that is read."""

MANAGED_EXPORT = (
    "is a managed export of Firestore, which only Google's own services read: load it into BigQuery, or import it into "
    "a project and export that with node-firestore-import-export or the REST interface"
)
_OTHER_FORMATS = {
    ".csv": "a table has no documents; one of registrations is read as a Google Sheet",
    ".tsv": "a table has no documents; one of registrations is read as a Google Sheet",
    ".xlsx": "a workbook is read as a Google Sheet",
    ".xls": "a workbook is read as a Google Sheet",
    ".zip": "unpack it and name the files in it",
    ".avro": "export the table from BigQuery as JSON, newline delimited",
    ".parquet": "export the table from BigQuery as JSON, newline delimited",
}
_UNFINISHED = (".part", ".tmp", ".partial", ".crdownload", ".download", ".swp", "~")


def is_managed_export(path: Path) -> bool:
    """Whether it is a file of Firestore's managed exports, or a folder that holds one."""
    if path.is_dir():
        return any(path.rglob("*.overall_export_metadata"))
    return path.name.endswith("export_metadata") or re.fullmatch(r"output-\d+", path.name) is not None


def other_format(name: str) -> str:
    """What to do with a file of a known format that is not read: '; unpack it ...', empty for any other file."""
    return next((f"; {what}" for ending, what in _OTHER_FORMATS.items() if name.lower().endswith(ending)), "")


def passed_files(directory: Path, suffixes: Sequence[str], own_folders: Sequence[str] = ()) -> dict[str, str]:
    """By name, what to do with each entry of a folder that is not read, in name order; {} for a missing folder.

    Hidden and unfinished ones, and the folders that the pipeline keeps there, are none.
    """
    if not directory.is_dir():
        return {}
    found = {}
    for path in sorted(directory.iterdir(), key=lambda path: path.name):
        name = path.name
        is_folder = path.is_dir()
        if name[0] == "." or name.endswith(_UNFINISHED) or (is_folder and name in own_folders):
            continue
        if is_folder or not name.endswith(tuple(suffixes)):
            found[name] = _what_to_do(path, suffixes)
    return found


def in_words(notes: Mapping[str, str]) -> str | None:
    """Notes by file as the state of a source has them; None when there are none."""
    return "; ".join(f"{name}: {note}" for name, note in notes.items()) or None


def _what_to_do(path: Path, suffixes: Sequence[str]) -> str:
    if is_managed_export(path):
        return f"was not read: it {MANAGED_EXPORT}; then take it away"
    if path.is_dir():
        return "was not read: it is a folder; put its files beside it, or take it away"
    expected = " or ".join(suffixes)
    if path.name.lower().endswith(tuple(suffixes)):
        return f"was not read: write the ending of its name in small letters ({expected})"
    return (
        f"was not read: its name does not end with {expected}{other_format(path.name)}; give it that ending if it is "
        "such a file, or take it away"
    )

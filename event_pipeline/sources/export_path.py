"""Where in the database documents of an export lie: collections and ids from paths and from the names of files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

from event_pipeline.errors import PermanentError
from event_pipeline.settings import COLLECTIONS
from event_pipeline.sources.firebase_cursor import NESTED_COLLECTIONS

_SUFFIXES = re.compile(r"\.(?:json|ndjson|jsonl)(?:\.gz)?$")
_CONSOLE_EXPORT = re.compile(r"^(?:.+-)?([a-z_]+)-export(?: ?\(\d+\))?$")


def collection_of_file(name: str) -> str | None:
    """The collection that a file's name begins with, None when it names none."""
    start = re.match(r"[a-z_]+", name)
    return start.group() if start and start.group() in COLLECTIONS else None


def path_of_file(name: str) -> str | None:
    """The path of the part of the database that a file's name says it holds; None when it says nothing.

    ``registrations.json``, ``registrations-2024.json``, the console's ``my-project-registrations-export.json``, and
    with ``%2F`` for a slash ``event_chat%2F-Nx1.json``.
    """
    stem = _SUFFIXES.sub("", name)
    if "%2f" in stem.lower():
        path = unquote(stem)
        return path if path.split("/")[0] in COLLECTIONS else None
    console = _CONSOLE_EXPORT.match(stem)
    if console and console.group(1) in COLLECTIONS:
        return console.group(1)
    return collection_of_file(stem)


def checked_path(path: str) -> str:
    """The path without slashes around it. Raises PermanentError where it begins with no collection of the app."""
    cleaned = path.strip().strip("/")
    parts = cleaned.split("/")
    if parts[0] not in COLLECTIONS or not all(parts):
        raise PermanentError(
            f"{path!r} is no path of the database: it begins with a collection ({', '.join(COLLECTIONS)}), "
            "such as registrations or event_chat/-Nx1"
        )
    return cleaned


def place_of(parts: Sequence[str]) -> tuple[str, str] | None:
    """Collection and document id of a Firestore path; None when it is no document's.

    What lies below a document of a collection that is not nested is of the collection ``collection/subcollection``; the
    documents that only hold a nested collection's are of ``collection/``. Neither is followed.
    """
    if len(parts) < 2 or len(parts) % 2 or not all(parts):
        return None
    if parts[0] in NESTED_COLLECTIONS:
        return (parts[0], f"{parts[1]}/{parts[3]}") if len(parts) == 4 else ("/".join(parts[::2]) + "/", parts[-1])
    return "/".join(parts[::2]), parts[-1]

"""Unreadable lines of an export file that are no longer in it: mended or taken out, they leave quarantine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import pyarrow as pa

from event_pipeline.sources.change import KnownVersions
from event_pipeline.sources.change_columns import UNREADABLE, change_rows

_LINE = re.compile(r"\d+:[0-9a-f]{16}")


def mended_lines(label: str, seen: Iterable[pa.ChunkedArray], known: KnownVersions) -> Mapping[str, str]:
    """Versions of the file's unreadable lines that are held and that its latest reading did not meet."""
    # A semicolon comes after the colon: in between are the lines of this file, and those of files named alike.
    held = known.in_range(UNREADABLE, f"{label}:", f"{label};")
    still = {key for part in seen for key in part.to_pylist()}
    own = len(label) + 1
    return {key: version for key, version in held.items() if key not in still and _LINE.fullmatch(key[own:])}


def mended_rows(mended: Mapping[str, str], observed_us: int) -> Iterator[pa.Table]:
    """Their deletes, seen at that instant, or with the line where a mended file has an older time than the broken."""
    by_instant: dict[int, list[str]] = {}
    for key, version in mended.items():
        by_instant.setdefault(max(observed_us, int(version[:17])), []).append(key)
    for instant, keys in by_instant.items():
        yield change_rows(UNREADABLE, keys, None, instant)

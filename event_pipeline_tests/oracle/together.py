"""Many histories in one warehouse, and the least of them that shows a fault.

Planning the queries of an increment costs a hundred times what a history's few rows do, so that twenty histories cost
little more than one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from event_pipeline_tests.oracle.history import History, Told

Parts = list[History]
LATE = 1
"""Histories of which the later parts come alone, so that no other change covers what they must touch."""


def together(arrivals: Sequence[Parts]) -> Parts:
    """The parts of all histories: the first of all, the others of most, then those of the late ones one by one."""
    first = [found for parts in arrivals for found in parts[0]]
    others = [found for parts in arrivals[LATE:] for part in parts[1:] for found in part]
    late = [[*told] for parts in arrivals[:LATE] for told in parts[1:]]
    return [part for part in (first, others, *late) if part]


def least(parts: Parts, is_wrong: Callable[[Parts], bool], tries: int) -> Parts:
    """As few of these changes as are wrong too, in the same parts; found in about so many tries."""
    stories: dict[str, list[tuple[int, Told]]] = {}
    for number, part in enumerate(parts):
        for found in part:
            stories.setdefault(found.story or f"change {len(stories)}", []).append((number, found))
    kept = list(stories.values())
    size = (len(kept) + 1) // 2
    while size and tries > 0:
        at = 0
        while at < len(kept) and tries > 0:
            fewer = kept[:at] + kept[at + size :]
            tries -= 1
            if fewer and is_wrong(_parted(fewer, len(parts))):
                kept = fewer
            else:
                at += size
        size //= 2
    return _parted(kept, len(parts))


def _parted(stories: Sequence[Sequence[tuple[int, Told]]], count: int) -> Parts:
    parts = [[found for story in stories for number, found in story if number == part] for part in range(count)]
    return [part for part in parts if part]

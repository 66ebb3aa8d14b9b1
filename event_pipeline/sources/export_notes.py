"""What a person should know of an export file that was loaded: what of it could not be read, and where that stands."""

from __future__ import annotations

_MOST = 5
_SHOWN = 60


class ExportNotes:
    """Notes of one file, in words; beyond the first few of a kind they are counted."""

    def __init__(self) -> None:
        self._times: list[str] = []
        self._unread_times = 0
        self._lines: list[str] = []
        self._unread_lines = 0

    def add_time(self, line: int, value: str) -> None:
        """An update time that names no instant; its document is loaded as of the file's own time."""
        self._unread_times += 1
        if len(self._times) < _MOST:
            self._times.append(f"line {line:,}: {value[:_SHOWN]!r}")

    def add(self, line: int, problem: str) -> None:
        """A record of a known kind that could not be read; its line is in quarantine."""
        self._unread_lines += 1
        if len(self._lines) < _MOST:
            self._lines.append(f"line {line:,} {problem}")

    def in_words(self) -> list[str]:
        """A sentence a kind; empty when there is nothing to note."""
        notes = []
        if self._unread_times:
            count = "1 update time" if self._unread_times == 1 else f"{self._unread_times:,} update times"
            shown = _listed(self._times, self._unread_times)
            notes.append(
                f"{count} could not be read ({shown}): the documents are loaded as of the file's own time; write times "
                "like 2025-06-08T02:55:00Z, not before 1970 nor after the file, and load it again"
            )
        if self._unread_lines:
            notes.append(f"in quarantine: {_listed(self._lines, self._unread_lines)}")
        return notes


def _listed(shown: list[str], count: int) -> str:
    more = f"; and {count - len(shown):,} more" if count > len(shown) else ""
    return "; ".join(shown) + more

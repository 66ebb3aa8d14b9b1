"""What went wrong with a query, in words for who wrote it: no paths, no secrets, no internals."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from event_pipeline.sql.errors import (
    HeavyQueryError,
    InvalidQueryError,
    QueryError,
    RefusedQueryError,
    UnreadyWarehouseError,
)
from event_pipeline.sql.query import EXPLAIN

FaultKind = Literal["invalid", "refused", "slow", "heavy", "broken", "unready"]
"""After the last three a worker is not used again."""

_HEAVY = "it needs more memory than a query may have; read fewer rows or columns, or aggregate before joining"
_SLOW = "it was stopped at its deadline"
_UNREADY = "the warehouse cannot be read at this moment; try again in some seconds"
_BROKEN = "DuckDB itself fails with this query; write it in another way"
_NESTED = "it is nested too deeply; take parts of it out into WITH"
_TOO_NESTED = "Max expression depth"
_LINE = re.compile(r"\n\nLINE (\d+): (.*)\n( *)\^", re.DOTALL)
_KIND = re.compile(r"^[A-Z][A-Za-z ]+ Error: ")
_INTERNAL_HINT = re.compile(r"\n?Did you mean \"[^\"]*__ducklake[^\n]*")

_DATA_FILE = re.compile(r"""["']([^"'\n]+\.parquet)["']""")
_UNREADABLE = (
    'is gone or damaged: restore it from the backup; docs/operations.md, "Storage that cannot be read", says how'
)


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault as it goes to the parent."""

    kind: FaultKind
    message: str
    line: int | None = None
    column: int | None = None

    @property
    def error(self) -> QueryError:
        """As it is raised there."""
        if self.kind == "heavy":
            return HeavyQueryError(self.message)
        if self.kind == "unready":
            return UnreadyWarehouseError(self.message)
        found = RefusedQueryError if self.kind == "refused" else InvalidQueryError
        return found(self.message, self.line, self.column)


class Faults:
    """Tells faults apart; ``hidden`` are texts that no message may hold, such as folders and addresses."""

    def __init__(self, hidden: Iterable[str]) -> None:
        # The longest first, so that a path within another is hidden whole.
        self._hidden = sorted((text for text in hidden if len(text) > 1), key=len, reverse=True)

    def of(self, error: BaseException, sql: str) -> Fault:
        """The fault that this exception is; ``sql`` is what was run."""
        import duckdb

        if isinstance(error, InvalidQueryError):
            kind = "refused" if isinstance(error, RefusedQueryError) else "invalid"
            return Fault(kind, self._without_hidden(str(error)), error.line, error.column)
        if isinstance(error, duckdb.InterruptException):
            return Fault("slow", _SLOW)
        if isinstance(error, MemoryError | duckdb.OutOfMemoryException):
            return Fault("heavy", _HEAVY)
        if isinstance(error, RecursionError):
            return Fault("invalid", _NESTED)
        if isinstance(error, duckdb.PermissionException):
            return Fault("refused", "it would do something other than read the warehouse's tables")
        if (name := self._unreadable_file(str(error))) is not None:
            return Fault("unready", f"{name} {_UNREADABLE}")
        if isinstance(error, duckdb.ProgrammingError | duckdb.DataError | duckdb.NotSupportedError):
            return self._said(str(error), sql)
        if isinstance(error, duckdb.InternalError | duckdb.FatalException):
            return Fault("broken", _BROKEN)
        return Fault("unready", _UNREADY)

    def _unreadable_file(self, text: str) -> str | None:
        """The file of the warehouse that a message says cannot be read, below the folder that holds them all."""
        for found in _DATA_FILE.findall(text):
            for root in self._hidden:
                if found.startswith(root):
                    return found.removeprefix(root).lstrip("/")
        return None

    def _said(self, text: str, sql: str) -> Fault:
        if _TOO_NESTED in text:
            return Fault("invalid", _NESTED)
        place = _place(text, sql)
        text = _INTERNAL_HINT.sub("", _KIND.sub("", text.split("\n\nLINE ")[0])).strip()
        return Fault("invalid", self._without_hidden(text), *place)

    def _without_hidden(self, text: str) -> str:
        for hidden in self._hidden:
            text = text.replace(hidden, "...")
        return text


def _place(text: str, sql: str) -> tuple[int | None, int | None]:
    """Line and column of the caret under the line that DuckDB quotes, which it may cut on both sides."""
    found = _LINE.search(text)
    if found is None:
        return None, None
    number, quoted = int(found[1]), found[2]
    lines = sql.split("\n")
    column = len(found[3]) - len(f"LINE {number}: ")
    if number == 1 and quoted.startswith(EXPLAIN) and not sql.startswith(EXPLAIN):
        column -= len(EXPLAIN)
    if quoted.startswith("...") and number <= len(lines):
        shown = quoted.removeprefix("...").removesuffix("...")
        column += lines[number - 1].find(shown) - len("...")
    return number, max(column, 0) + 1

"""The contract check of an increment: of the rows that it adds, before they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from event_pipeline.contracts.contract import Contract
from event_pipeline.errors import BrokenTableError
from event_pipeline.increments.keys import MOST_LITERALS, literal
from event_pipeline.quality.blocking import repair_advice, required_columns
from event_pipeline.settings import Validation
from event_pipeline.warehouse.rows import first_row

if TYPE_CHECKING:
    import duckdb

_SHOWN_ROWS = 3


class RowCheck:
    """Checks the added rows in ``delta``, a table with ``_is_added``, against the contract of ``stored``."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, contract: Contract, validation: Validation, delta: str, stored: str
    ) -> None:
        self._connection, self._contract = connection, contract
        self._delta, self._stored = delta, stored
        self._required = required_columns(contract, validation)
        self._key = ", ".join(f'"{name}"' for name in contract.key)

    def counted(self) -> tuple[int, int]:
        """Rows that come and go. Raises BrokenTableError where rows that come break the contract."""
        empty = " OR ".join(f'"{name}" IS NULL' for name in self._required) or "false"
        added, distinct, removed, incomplete = first_row(
            self._connection.execute(
                f"SELECT count(*) FILTER (_is_added), count(DISTINCT hash({self._key})) FILTER (_is_added), "
                f"count(*) FILTER (NOT _is_added), count(*) FILTER (_is_added AND ({empty})) FROM {self._delta}"
            )
        ) or (0, 0, 0, 0)
        problems = [*(self._twice() if distinct < added else []), *(self._empty() if incomplete else [])]
        if problems:
            raise BrokenTableError(self._contract.name, tuple(problems))
        return int(added), int(removed)

    def require_no_other_row(self, replaced: str) -> None:
        """Raises BrokenTableError where a stored row has the key of a row that comes, and ``replaced``, the condition
        of the stored rows that are replaced, does not hold for it."""
        same = " AND ".join(f'd."{name}" IS NOT DISTINCT FROM t."{name}"' for name in self._contract.key)
        conflict = f"SELECT 1 FROM {self._delta} d WHERE d._is_added AND {same}"
        shown = self._shown(
            f"SELECT {self._key} FROM {self._stored} t WHERE NOT ({replaced}) AND {self._among_added()} "
            f"AND EXISTS ({conflict})"
        )
        if shown:
            raise BrokenTableError(self._contract.name, (self._no_longer_unique(shown),))

    def _among_added(self) -> str:
        """Restricts stored rows by the first key column, as literals while they are few: an index then finds them."""
        first = f'"{self._contract.key[0]}"'
        rows = self._connection.execute(
            f"SELECT DISTINCT {first} FROM {self._delta} WHERE _is_added AND {first} IS NOT NULL "
            f"LIMIT {MOST_LITERALS + 1}"
        ).fetchall()
        if not rows:
            return "false"
        return f"{first} IN ({', '.join(literal(key) for (key,) in rows)})" if len(rows) <= MOST_LITERALS else "true"

    def _twice(self) -> list[str]:
        """Fewer hashes than rows may be a collision, so the keys themselves are counted."""
        shown = self._shown(
            f"SELECT {self._key} FROM {self._delta} WHERE _is_added GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL"
        )
        return [self._no_longer_unique(shown)] if shown else []

    def _empty(self) -> list[str]:
        found = []
        for name in self._required:
            shown = self._shown(f'SELECT {self._key} FROM {self._delta} WHERE _is_added AND "{name}" IS NULL')
            if shown:
                found.append(f"{self._contract.name}: {name} would be empty in {shown}. To do: {self._advice()}")
        return found

    def _no_longer_unique(self, shown: str) -> str:
        listed = ", ".join(self._contract.key)
        return f"{self._contract.name}: {listed} would no longer identify a row ({shown}). To do: {self._advice()}"

    def _advice(self) -> str:
        return repair_advice(self._contract)

    def _shown(self, query: str) -> str:
        """A few of the query's keys; personal values are not shown."""
        rows = self._connection.execute(f"SELECT * FROM ({query}) LIMIT {_SHOWN_ROWS}").fetchall()
        personal = [self._contract.column(name).personal for name in self._contract.key]
        return "; ".join(
            ", ".join("***" if hidden else str(value) for hidden, value in zip(personal, row, strict=True))
            for row in rows
        )

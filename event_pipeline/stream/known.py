"""What is committed, as a source's thread sees it: over a read-only connection of its own.

Two threads that ask the lake through cursors of one connection crash DuckDB or make it spin, so nothing is shared.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from event_pipeline.contracts.raw import RAW_TABLES
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect
from event_pipeline.warehouse.lake import Lake, LakeVersions


class CommittedVersions(LakeVersions):
    """``KnownVersions`` that can also be counted without listing them."""

    def count(self, collection: str) -> int:
        """How many documents of the collection are known and not deleted."""
        ((count,),) = self._connection.execute(
            f"""SELECT count(*) FROM (SELECT max(version) AS latest FROM {RAW_TABLES[collection].qualified}
            WHERE source = ? GROUP BY document_id) WHERE latest NOT LIKE '%-gone'""",
            [self._source],
        ).fetchall()
        return int(count)


@contextmanager
def committed_lake(settings: Settings) -> Iterator[Lake]:
    """The lake, for one thread; it sees every commit from the moment it is made."""
    with connect(settings, ("lake",), read_only=True) as connection:
        yield Lake(connection, settings)

"""Queries that people keep under a name, in the API's own database; everybody with the scope ``sql`` shares them."""

from __future__ import annotations

import secrets
import sqlite3
from datetime import UTC, datetime

import orjson

from event_pipeline.api.answers.sql import QueryToSave, SavedQuery
from event_pipeline.api.database import Database
from event_pipeline.api.problems import Problem
from event_pipeline.sqlite import stamp

MOST = 1_000
"""Of saved queries."""

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


class SavedQueryStore:
    """Keeps, lists, changes and forgets them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, wanted: QueryToSave, key_id: str) -> SavedQuery:
        """Keep a new one. Raises Problem: conflict when its name is taken or there are too many."""
        now = stamp(datetime.now(UTC))
        query_id = "q_" + "".join(secrets.choice(_ALPHABET) for _ in range(8))
        with self._database.transaction():
            ((count,),) = self._database.execute("SELECT count(*) FROM saved_queries")
            if count >= MOST:
                raise Problem("conflict", f"there are {MOST:,} saved queries; delete one first")
            self._refuse_taken(wanted.name)
            self._database.execute(
                "INSERT INTO saved_queries (query_id, name, description, sql, params, dialect, created_by, created_at, "
                "updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (query_id, *_values(wanted), key_id, now, now),
            )
        return self.get(query_id)

    def get(self, query_id: str) -> SavedQuery:
        """The one with that id. Raises Problem: not-found."""
        rows = self._database.execute("SELECT * FROM saved_queries WHERE query_id = ?", (query_id,))
        if not rows:
            raise Problem("not-found", f"there is no saved query {query_id!r}; GET /api/pipeline/queries lists them")
        return _saved(rows[0])

    def page(self, limit: int, after: tuple[str, str] | None) -> list[SavedQuery]:
        """The first ones by name and id, or the first beyond that name and id."""
        rows = self._database.execute(
            "SELECT * FROM saved_queries WHERE (name, query_id) > (?, ?) ORDER BY name, query_id LIMIT ?",
            (*(after or ("", "")), limit),
        )
        return [_saved(row) for row in rows]

    def replace(self, query_id: str, wanted: QueryToSave) -> SavedQuery:
        """Change all of it but who made it and when. Raises Problem: not-found, conflict."""
        with self._database.transaction():
            self.get(query_id)
            self._refuse_taken(wanted.name, query_id)
            self._database.execute(
                "UPDATE saved_queries SET name = ?, description = ?, sql = ?, params = ?, dialect = ?, updated_at = ? "
                "WHERE query_id = ?",
                (*_values(wanted), stamp(datetime.now(UTC)), query_id),
            )
        return self.get(query_id)

    def delete(self, query_id: str) -> None:
        """Forget it. Raises Problem: not-found."""
        with self._database.transaction():
            self.get(query_id)
            self._database.execute("DELETE FROM saved_queries WHERE query_id = ?", (query_id,))

    def _refuse_taken(self, name: str, but_for: str = "") -> None:
        taken = self._database.execute(
            "SELECT query_id FROM saved_queries WHERE name = ? AND query_id <> ?", (name, but_for)
        )
        if taken:
            raise Problem("conflict", f"{taken[0]['query_id']} has the name {name!r} already; choose another")


def _values(wanted: QueryToSave) -> tuple[str, str, str, str, str]:
    return wanted.name, wanted.description, wanted.sql, orjson.dumps(wanted.params).decode(), wanted.dialect


def _saved(row: sqlite3.Row) -> SavedQuery:
    return SavedQuery.model_validate(dict(row) | {"params": orjson.loads(row["params"])})

"""What the oracle says beside what the tables hold, value by value, in words a person can read."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from event_pipeline_tests.oracle.documents import Document
from event_pipeline_tests.oracle.fields import Row
from event_pipeline_tests.oracle.marts import Tables

KEYS: Mapping[str, tuple[str, ...]] = {
    "people.people": ("email",),
    "core.dim_events": ("event_id",),
    "core.dim_clubs": ("club_id",),
    "core.dim_categories": ("category_id",),
    "core.dim_users": ("user_id",),
    "core.dim_dates": ("date",),
    "core.bridge_event_tags": ("event_id", "tag_name"),
    "core.fact_registrations": ("registration_id",),
    "core.fact_attendance": ("attendance_id",),
    "core.fact_payments": ("payment_id",),
    "core.fact_payment_entries": ("payment_id", "entry_kind", "occurred_at"),
    "core.fact_email_events": ("email_event_id",),
    "marts.agg_event_metrics": ("event_id", "date"),
    "marts.agg_daily_metrics": ("date",),
    "marts.agg_club_metrics": ("club_id",),
    "marts.agg_registration_pace": ("event_id", "days_before_start"),
    "marts.agg_arrivals": ("event_id", "bucket_at"),
    "marts.agg_email_funnel": ("event_id",),
    "marts.agg_cohorts": ("cohort_month", "months_since"),
    "marts.agg_event_revenue": ("event_id", "date", "currency"),
    "marts.agg_payment_discrepancies": ("payment_id", "discrepancy"),
}
"""What identifies a row of each table; every row of a table with the same key is one too many."""


@dataclass(frozen=True)
class Difference:
    """One value, or one row, that the oracle and a table do not agree about."""

    table: str
    key: tuple[Any, ...]
    column: str
    expected: Any
    found: Any

    def __str__(self) -> str:
        key = ", ".join(f"{name} {value}" for name, value in zip(KEYS[self.table], self.key, strict=True))
        return f"{self.table} [{key}] {self.column}: the oracle says {self.expected!r}, the table {self.found!r}"


def differences(expected: Tables, found: Tables) -> list[Difference]:
    """Every difference, by table and key; tables made by one side only are differences of all their rows."""
    return [
        difference for table in KEYS for difference in _of_table(table, expected.get(table, []), found.get(table, []))
    ]


def _of_table(table: str, expected: Sequence[Row], found: Sequence[Row]) -> Iterable[Difference]:
    if table == "core.fact_payment_entries":
        expected, found = _moved(expected), _moved(found)
    ours, theirs = _by_key(table, _named(expected)), _by_key(table, _named(found))
    for side, rows in (("the oracle", expected), ("the table", found)):
        for key, count in Counter(_key(table, row) for row in rows).items():
            if count > 1:
                yield Difference(table, key, f"rows of {side}", 1, count)
    for key in sorted(ours.keys() | theirs.keys(), key=repr):
        if key not in ours or key not in theirs:
            yield Difference(table, key, "row", ours.get(key), theirs.get(key))
            continue
        for column, value in ours[key].items():
            stored = theirs[key].get(column, "(no such column)")
            if not _is_same(value, stored):
                yield Difference(table, key, column, value, stored)


def _moved(entries: Sequence[Row]) -> list[Row]:
    """What moved of a payment at an instant: its parts may be named by the refunds or by the charge that shows them."""
    sums: dict[tuple[Any, ...], Row] = {}
    for entry in entries:
        row = sums.setdefault(_key("core.fact_payment_entries", entry), entry | {"amount_minor": 0})
        row["amount_minor"] += entry["amount_minor"]
        row.pop("entry_id", None)
    return list(sums.values())


def _key(table: str, row: Row) -> tuple[Any, ...]:
    return tuple(row.get(name) for name in KEYS[table])


def _by_key(table: str, rows: Iterable[Row]) -> dict[tuple[Any, ...], Row]:
    return {_key(table, row): row for row in rows}


def _named(rows: Sequence[Row]) -> list[Row]:
    """Registrants are whoever is told apart, so each is named by the least of their registrations."""
    if not rows or "registrant_key" not in rows[0]:
        return list(rows)
    theirs: defaultdict[tuple[Any, ...], list[str]] = defaultdict(list)
    for row in rows:
        theirs[row["source_event_id"], row["registrant_key"]].append(row["registration_id"])
    return [row | {"registrant_key": min(theirs[row["source_event_id"], row["registrant_key"]])} for row in rows]


def _is_same(expected: Any, found: Any) -> bool:
    if isinstance(expected, float) and isinstance(found, float):
        return math.isclose(expected, found, rel_tol=1e-12)
    return expected == found and isinstance(expected, bool) == isinstance(found, bool)


def report(title: str, found: Sequence[Difference], documents: Iterable[Document], shown: int = 25) -> str:
    """The differences, then the documents that they were made from."""
    lines = [f"{title}: {len(found)} differences", *map(str, found[:shown])]
    if len(found) > shown:
        lines.append(f"... and {len(found) - shown} more")
    lines.append("from what means these documents, the oldest version first:")
    ordered = sorted(set(documents), key=lambda document: (document.collection, document.document_id, document.version))
    lines += [f"  {d.collection}/{d.document_id} @{d.version} {d.source}: {d.payload or 'deleted'}" for d in ordered]
    return "\n".join(lines)

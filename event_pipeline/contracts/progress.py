"""How far the tables have been brought up to date: what an increment starts from, committed with what it wrote."""

from __future__ import annotations

from event_pipeline.contracts.contract import Column, Contract


def _progress(table: str, of: str) -> Contract:
    return Contract(
        layer="ops",
        table=table,
        grain="at most one row; none means that the next refresh recomputes everything",
        key=("fingerprint",),
        description=f"How far {of} follow the lake; committed with them.",
        columns=(
            Column("consumed_snapshot", "int64", "Lake snapshot whose changes are in the tables.", nullable=False),
            Column("as_of", "timestamp", "Instant that decided what had started.", nullable=False),
            Column("fingerprint", "string", "Models and settings the tables were made by.", nullable=False),
            Column(
                "owed", "string", "Tables that are behind and recomputed whole at the next calm moment, a JSON list."
            ),
            Column("committed_at", "timestamp", "When it was committed.", nullable=False),
        ),
    )


LAKE_PROGRESS = _progress("lake_progress", "the lake's staging and people tables")
WAREHOUSE_PROGRESS = _progress("warehouse_progress", "the warehouse's tables")
PROGRESS = {"lake": LAKE_PROGRESS, "warehouse": WAREHOUSE_PROGRESS}
"""Progress table by the catalog it is in."""

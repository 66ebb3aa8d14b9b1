"""What the pipeline records of its own work in the warehouse."""

from __future__ import annotations

from event_pipeline.contracts.contract import Column, Contract

DIMENSIONS = ("completeness", "validity", "uniqueness", "consistency", "timeliness")
"""The kinds of promises a table is scored by."""

DATA_QUALITY = Contract(
    layer="ops",
    table="data_quality",
    grain="one row per check of a table and dimension",
    key=("checked_at", "table_name", "dimension"),
    description="How well each table kept its contract each time it was checked; only ever appended to.",
    columns=(
        Column("checked_at", "timestamp", "When the table was checked.", nullable=False),
        Column("table_name", "string", "Table, as layer.table.", nullable=False),
        Column("dimension", "string", "Kind of promise.", nullable=False, allowed=DIMENSIONS),
        Column("score", "float64", "Mean share of rows that keep each promise, 0 to 1; empty when the contract promises nothing of the kind.", minimum=0, maximum=1),
        Column("expectations", "int64", "Promises checked.", nullable=False, minimum=0),
        Column("failed", "int64", "Promises broken, warnings included.", nullable=False, minimum=0),
        Column("row_count", "int64", "Rows of the table.", nullable=False, minimum=0),
        Column("failed_expectations", "string", "Broken promises as a JSON list: expectation, column, severity, counts, description.", nullable=False),
    ),
    fresh_by="checked_at",
    order_by=("table_name", "checked_at"),
)  # fmt: skip

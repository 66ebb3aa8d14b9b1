"""What the stream worker records of itself in the warehouse: how sources fare, and every batch it committed."""

from __future__ import annotations

from event_pipeline.contracts.contract import Column, Contract

LIVE_STATES = ("connecting", "live", "silent", "unavailable", "refused", "stopped")

STREAM_STATUS = Contract(
    layer="ops",
    table="stream_status",
    grain="one row per source and collection that the worker follows",
    key=("source", "collection"),
    description="How each live source fares, as the stream worker last said.",
    columns=(
        Column("source", "string", "Source.", nullable=False),
        Column("collection", "string", "Collection, or '*' for the source as a whole.", nullable=False),
        Column(
            "state",
            "string",
            "connecting; live; silent: nothing heard for too long, being reconnected; unavailable: tried again soon; "
            "refused: needs a person; stopped: the worker was stopped.",
            nullable=False,
            allowed=LIVE_STATES,
        ),
        Column("message", "string", "What is wrong and what to do; empty when all is well."),
        Column("changed_at", "timestamp", "Since when it is in this state.", nullable=False),
        Column(
            "written_at",
            "timestamp",
            "When the worker last said so; a live source is written again every ten minutes.",
            nullable=False,
        ),
    ),
)

BATCHES = Contract(
    layer="ops",
    table="batches",
    grain="one row per batch and source",
    key=("batch_id", "source"),
    description="Every batch the stream worker committed; kept for retention.batches_days.",
    columns=(
        Column("batch_id", "string", "Batch; sources committed together share it.", nullable=False),
        Column("source", "string", "Source.", nullable=False),
        Column("committed_at", "timestamp", "When the batch was in the warehouse.", nullable=False),
        Column("rows_in", "int64", "Changes delivered.", nullable=False, minimum=0),
        Column("rows_new", "int64", "Of these, changes that the lake did not have.", nullable=False, minimum=0),
        Column("rows_quarantined", "int64", "Documents of the batch that are in quarantine.", nullable=False, minimum=0),
        Column("lag_seconds", "float64", "From when the batch's oldest change was seen to the commit.", nullable=False, minimum=0),
        Column("duration_seconds", "float64", "Work of the batch, all its sources together.", nullable=False, minimum=0),
        Column("snapshot", "int64", "Lake snapshot that the warehouse follows since.", nullable=False, minimum=0),
    ),
    fresh_by="committed_at",
    order_by=("committed_at", "source"),
)  # fmt: skip

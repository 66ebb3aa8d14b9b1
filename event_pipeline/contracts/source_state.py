"""How each source is doing: the state operators and sensors read."""

from __future__ import annotations

from event_pipeline.contracts.contract import Column, Contract

SOURCE_STATES = ("ok", "unavailable", "refused")

SOURCE_STATE = Contract(
    layer="ops",
    table="source_state",
    grain="one row per source and collection",
    key=("source", "collection"),
    description="State of each source after it was last read.",
    columns=(
        Column("source", "string", "Source.", nullable=False),
        Column("collection", "string", "Collection, or '*' for all that the source reads at once.", nullable=False),
        Column(
            "state",
            "string",
            "ok; unavailable: tried again soon; refused: needs a person (permission, not found).",
            nullable=False,
            allowed=SOURCE_STATES,
        ),
        Column("message", "string", "What was wrong and what to do; empty when ok."),
        Column("changed_at", "timestamp", "Since when it is in this state.", nullable=False),
        Column("read_at", "timestamp", "When it was last tried.", nullable=False),
    ),
)

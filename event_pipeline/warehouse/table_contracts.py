"""Every table's contract."""

from __future__ import annotations

from event_pipeline.contracts.contract import Contract
from event_pipeline.contracts.ops import DATA_QUALITY
from event_pipeline.contracts.progress import PROGRESS
from event_pipeline.contracts.quarantine import QUARANTINE
from event_pipeline.contracts.raw import CURSORS, RAW_TABLES
from event_pipeline.contracts.source_state import SOURCE_STATE
from event_pipeline.contracts.stream import BATCHES, STREAM_STATUS
from event_pipeline.models.registry import MODELS, STAGING_MODELS

CONTRACTS: dict[str, Contract] = {
    **{contract.name: contract for contract in RAW_TABLES.values()},
    **{name: model.contract for name, model in MODELS.items()},
    QUARANTINE.name: QUARANTINE,
    CURSORS.name: CURSORS,
    SOURCE_STATE.name: SOURCE_STATE,
    DATA_QUALITY.name: DATA_QUALITY,
    **{contract.name: contract for contract in (*PROGRESS.values(), STREAM_STATUS, BATCHES)},
}
"""Every table's contract by ``layer.table``."""

PARSED = {model.name for model in STAGING_MODELS}
"""Tables whose rows pass the row rules first."""

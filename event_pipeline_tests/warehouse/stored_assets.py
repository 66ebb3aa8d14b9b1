"""Assets stored and loaded by the IO manager over one session, for its tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import ibis.expr.types as ir
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from event_pipeline.contracts.contract import Contract
from event_pipeline.definitions.asset_metadata import asset_key
from event_pipeline.definitions.io_manager import warehouse_io_manager
from event_pipeline.definitions.session import Session
from event_pipeline.settings import Settings


class Store:
    """Materializes values as a table's asset and reads what is stored, over one connection: opening one is dear."""

    def __init__(self, session: Session) -> None:
        self.session = session
        zone = session.settings.organisation.time_zone
        self.partitions = dg.DailyPartitionsDefinition(start_date="2020-01-01", timezone=zone, end_offset=1)
        self.resources = {"session": session, "warehouse": warehouse_io_manager}

    def asset(self, contract: Contract, value: Any) -> dg.AssetsDefinition:
        """The table's asset; ``value`` is what it returns, or makes from the run's session."""
        by_day = contract.partition_column is not None

        @dg.asset(
            key=asset_key(contract.name),
            io_manager_key="warehouse",
            partitions_def=self.partitions if by_day else None,
            backfill_policy=dg.BackfillPolicy.single_run() if by_day else None,
            metadata={"partition_expr": contract.partition_column} if by_day else None,
        )
        def made(session: dg.ResourceParam[Session]) -> Any:
            return value(session) if callable(value) else value

        return made

    def write(self, contract: Contract, value: Any, *between: str) -> dict[str, Any]:
        """Materializes the table, or its days from first to last; returns the metadata recorded."""
        assets = [self.asset(contract, value)]
        tags = {}
        if between:
            tags = {ASSET_PARTITION_RANGE_START_TAG: between[0], ASSET_PARTITION_RANGE_END_TAG: between[-1]}
        result = dg.materialize(assets, resources=self.resources, tags=tags)
        event = result.get_asset_materialization_events()[0].materialization
        return {name: entry.value for name, entry in event.metadata.items()}

    def load(self, contract: Contract, annotation: Any, *day: str) -> Any:
        """What an asset is handed whose input is annotated so; a lazy table as its rows in memory."""
        seen: list[Any] = []

        def consume(table: Any) -> None:
            seen.append((type(table), table.to_pyarrow() if isinstance(table, ir.Table) else table))

        consume.__annotations__["table"] = annotation
        downstream = dg.asset(
            name="downstream",
            ins={"table": dg.AssetIn(key=asset_key(contract.name), input_manager_key="warehouse")},
            partitions_def=self.partitions if day else None,
        )(consume)
        dg.materialize(
            [self.asset(contract, None), downstream],
            selection=[downstream],
            resources=self.resources,
            partition_key=day[0] if day else None,
        )
        return seen[0]

    def rows(self, contract: Contract, columns: str = "*") -> list[tuple[Any, ...]]:
        return self.fetch(f"SELECT {columns} FROM {contract.qualified} ORDER BY ALL")

    def fetch(self, query: str) -> list[tuple[Any, ...]]:
        return self.session.backend.con.execute(query).fetchall()


@contextmanager
def open_store(folder: Path) -> Iterator[Store]:
    """Over a lake in that folder."""
    session = Session(Settings(data_dir=folder))
    try:
        yield Store(session)
    finally:
        session.close()

"""The IO manager: assets are DuckLake tables, handed over as lazy Ibis tables, Arrow tables or pandas frames.

Built on Dagster's ``DbIOManager``. One transaction a write: rows outside the partition are refused, the slice replaced
by column name, the table comes from its contract, and a failed write leaves the old rows in place.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.storage.db_io_manager import DbClient, DbIOManager, DbTypeHandler, TableSlice

from event_pipeline.contracts.contract import Contract
from event_pipeline.definitions.asset_metadata import COLUMN_LINEAGE, recorded_metadata
from event_pipeline.definitions.session import Session

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend


class LakeClient(DbClient["Backend"]):
    """Hands the run's connection to type handlers, which replace and insert in one transaction of their own."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @contextmanager
    def connect(self, context: Any, table_slice: TableSlice) -> "Iterator[Backend]":  # pyright: ignore[reportIncompatibleMethodOverride]
        """The run's backend."""
        yield self._session.backend

    @staticmethod
    def delete_table_slice(context: dg.OutputContext, table_slice: TableSlice, connection: "Backend") -> None:
        """Nothing here: a delete outside the insert's transaction could leave an empty table."""

    @staticmethod
    def ensure_schema_exists(context: dg.OutputContext, table_slice: TableSlice, connection: "Backend") -> None:
        """Schemas are there since the catalogs were attached."""

    @staticmethod
    def get_select_statement(table_slice: TableSlice) -> str:
        """What to type to see these rows."""
        columns = ", ".join(table_slice.columns) if table_slice.columns else "*"
        return f"SELECT {columns} FROM {_contract(table_slice).qualified}"

    @staticmethod
    def get_table_name(table_slice: TableSlice) -> str:
        """Its name with the catalog that its contract puts it in."""
        return _contract(table_slice).qualified


class IbisTypeHandler(DbTypeHandler["ir.Table"]):
    """Stores expressions without bringing their rows to Python, and loads tables lazily."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def handle_output(
        self, context: dg.OutputContext, table_slice: TableSlice, obj: "ir.Table", connection: "Backend"
    ) -> Mapping[str, Any]:
        """Replaces the table, or the days of the run's partitions, by the expression's rows."""
        from event_pipeline.warehouse.refresh import write_rows

        contract = _contract(table_slice)
        written = write_rows(connection, self.session.settings, contract, obj, _days(context))
        return _recorded(context, contract, written.rows, {"seconds": round(written.seconds, 3)})

    def load_input(self, context: dg.InputContext, table_slice: TableSlice, connection: "Backend") -> "ir.Table":
        """The stored table, filtered to the partitions asked for."""
        import ibis

        from event_pipeline.warehouse.compiled_models import read_table

        contract = _contract(table_slice)
        table = read_table(connection, contract.name)
        if table_slice.columns:
            table = table.select(*table_slice.columns)
        if context.has_asset_partitions and contract.partition_column and not _is_whole(context):
            days = context.asset_partition_key_range
            table = table.filter(table[contract.partition_column].between(ibis.date(days.start), ibis.date(days.end)))
        return table

    @property
    def supported_types(self) -> Sequence[type]:
        """Ibis tables."""
        import ibis.expr.types as ir

        return [ir.Table]


class FrameTypeHandler(IbisTypeHandler):
    """Stores and loads frames that exist in memory, for the edges: sheets and model outputs."""

    def __init__(self, session: Session, frame_type: type) -> None:
        super().__init__(session)
        self._frame_type = frame_type

    def handle_output(
        self, context: dg.OutputContext, table_slice: TableSlice, obj: Any, connection: "Backend"
    ) -> Mapping[str, Any]:
        """Replaces the table by the frame's rows; an empty frame leaves an empty table."""
        name = f"_frame_{table_slice.table}"
        connection.con.register(name, obj)
        try:
            # Empty pandas columns have no type, so each takes the one its contract declares.
            table = _cast_to_contract(connection.table(name), table_slice)
            return super().handle_output(context, table_slice, table, connection)
        finally:
            connection.con.unregister(name)

    def load_input(self, context: dg.InputContext, table_slice: TableSlice, connection: "Backend") -> Any:
        """The rows in memory."""
        table = super().load_input(context, table_slice, connection)
        return table.to_pandas() if self._frame_type.__module__.startswith("pandas") else table.to_pyarrow()

    @property
    def supported_types(self) -> Sequence[type]:
        """The frame type."""
        return [self._frame_type]


@dg.io_manager(required_resource_keys={"session"})
def warehouse_io_manager(context: dg.InitResourceContext) -> DbIOManager:
    """Handlers for Ibis, Arrow and pandas, over the run's session; inputs are lazy by default."""
    import ibis.expr.types as ir
    import pandas as pd
    import pyarrow as pa

    session: Session = context.resources.session
    frames = [FrameTypeHandler(session, frame_type) for frame_type in (pa.Table, pd.DataFrame)]
    handlers = [IbisTypeHandler(session), *frames]
    return DbIOManager(
        type_handlers=handlers,
        db_client=LakeClient(session),
        database="lake",
        io_manager_name="WarehouseIOManager",
        default_load_type=ir.Table,
    )


def _contract(table_slice: TableSlice) -> Contract:
    from event_pipeline.warehouse.table_contracts import CONTRACTS

    return CONTRACTS[f"{table_slice.schema}.{table_slice.table}"]


def _recorded(context: dg.OutputContext, contract: Contract, rows: int, figures: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of a materialization; ``rows`` are the table's, or those of the days that were written."""
    recorded = recorded_metadata(contract, rows, figures)
    if context.has_asset_partitions:
        recorded["dagster/partition_row_count"] = recorded.pop("dagster/row_count")
    lineage = (context.definition_metadata or {}).get(COLUMN_LINEAGE)
    return recorded | ({COLUMN_LINEAGE: lineage} if lineage else {})


def _is_whole(context: dg.InputContext) -> bool:
    """All partitions mean the whole table, days outside the partitions' range included."""
    days, all_days = context.asset_partition_key_range, context.asset_partitions_def
    return (days.start, days.end) == (all_days.get_first_partition_key(), all_days.get_last_partition_key())


def _days(context: dg.OutputContext) -> tuple[str, str] | None:
    if not context.has_asset_partitions:
        return None
    days = context.asset_partition_key_range
    return days.start, days.end


def _cast_to_contract(table: "ir.Table", table_slice: TableSlice) -> "ir.Table":
    from event_pipeline.contracts.contract import IBIS_TYPES

    contract = _contract(table_slice)
    types = {column.name: IBIS_TYPES[column.type] for column in contract.columns if column.name in table.columns}
    return table.cast(types)

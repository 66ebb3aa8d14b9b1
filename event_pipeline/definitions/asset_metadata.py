"""What the Dagster UI shows of a table: description, columns, lineage of columns, owner, kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from event_pipeline.contracts.contract import DUCKDB_TYPES, Contract
from event_pipeline.models.model import Model
from event_pipeline.warehouse.table_contracts import CONTRACTS

COLUMN_SCHEMA, COLUMN_LINEAGE = "dagster/column_schema", "dagster/column_lineage"
"""Names under which Dagster looks for a table's columns and for where they come from."""

OWNER = "team:data-platform"
"""Owner of every asset; alerts about it go there."""


def asset_key(name: str) -> dg.AssetKey:
    """The asset of ``layer.table``."""
    return dg.AssetKey(name.split("."))


def column_schema(contract: Contract) -> dict[str, Any]:
    """The contract's columns as Dagster shows them."""
    columns = [
        dg.TableColumn(
            name=column.name,
            type=DUCKDB_TYPES[column.type],
            description=column.description,
            constraints=dg.TableColumnConstraints(
                nullable=column.nullable, unique=contract.key == (column.name,), other=_promises(contract, column.name)
            ),
        )
        for column in contract.columns
    ]
    return {COLUMN_SCHEMA: dg.TableSchema(columns=columns)}


def column_lineage(contract: Contract, inputs: dict[str, Contract]) -> dict[str, Any]:
    """Which columns of its inputs a table's columns share a name with, or take from a document's payload."""
    found: dict[str, list[dg.TableColumnDep]] = {}
    for column in contract.columns:
        deps = []
        for name, upstream in inputs.items():
            if upstream.layer == "raw":
                source = "payload" if column.path else {"version_at": "version"}.get(column.name, column.name)
                if column.name in contract.key:
                    source = "document_id"
            else:
                source = column.name
            if source in upstream.column_names:
                deps.append(dg.TableColumnDep(asset_key=asset_key(name), column_name=source))
        if deps:
            found[column.name] = deps
    return {COLUMN_LINEAGE: dg.TableColumnLineage(found)} if found else {}


def model_lineage(model: Model) -> dict[str, Any]:
    """The column lineage of a model's table."""
    return column_lineage(model.contract, {name: CONTRACTS[name] for name in model.inputs})


def recorded_metadata(contract: Contract, rows: int, figures: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of a materialization: the table's rows, its place, its columns, and what a run did to it."""
    table = {"dagster/row_count": rows, "dagster/table_name": contract.qualified, "dagster/storage_kind": "ducklake"}
    return {**table, **column_schema(contract), **figures}


def asset_description(contract: Contract, function_docstring: str | None = None) -> str:
    """Markdown for the asset page: what the table is, its grain, its caveats."""
    parts = [contract.description, f"**Grain:** {contract.grain}. **Key:** {', '.join(contract.key)}."]
    if function_docstring:
        parts.append(function_docstring)
    place = "private lake" if contract.catalog == "lake" else "warehouse"
    parts.append(f"Stored in the {place} as `{contract.qualified}`.")
    return "\n\n".join(parts)


def asset_tags(contract: Contract) -> dict[str, str]:
    """Tags to filter by: the catalog, and whether the table holds personal data."""
    personal = any(column.personal for column in contract.columns)
    return {"catalog": contract.catalog, "personal_data": "yes" if personal else "no"}


def _promises(contract: Contract, name: str) -> list[str]:
    column = contract.column(name)
    found = []
    if column.allowed:
        found.append(f"one of {', '.join(column.allowed)}")
    if column.minimum is not None or column.maximum is not None:
        found.append(f"between {column.minimum} and {column.maximum}")
    if column.references:
        found.append(f"in {column.references}")
    if column.personal:
        found.append("personal data")
    return found

"""The promises without which nothing may be built on a table: its columns, its key, what is required."""

from __future__ import annotations

from event_pipeline.contracts.contract import Column, Contract
from event_pipeline.quality.promise import SAMPLE_ROWS, Promise, as_text, count_where, identifier, sample_of
from event_pipeline.quality.stored import Stored, schema_differences, usable_columns
from event_pipeline.settings import Validation


def is_switched_off(contract: Contract, validation: Validation, column: Column, kind: str) -> bool:
    """Whether settings let rows through that break this rule of a staging table."""
    rule = (
        validation.rules.get(contract.table, {}).get(f"{column.name}.{kind}") if contract.layer == "staging" else None
    )
    return rule is not None and not rule.enabled


def required_columns(contract: Contract, validation: Validation) -> list[str]:
    """Columns that must be filled in."""
    return [
        column.name
        for column in contract.columns
        if not column.nullable and not is_switched_off(contract, validation, column, "required")
    ]


def blocking_promises(contract: Contract, stored: Stored, validation: Validation) -> list[Promise]:
    """Columns as declared, required columns filled in, key unique; only about columns that are there."""
    usable = usable_columns(contract, stored)
    promises = [schema_promise(contract, stored)]
    required = required_columns(contract, validation)
    promises += [_not_null(contract, contract.column(name), usable) for name in required if name in usable]
    if contract.key and usable.issuperset(contract.key):
        promises.append(_unique_key(contract))
    return promises


def schema_promise(contract: Contract, stored: Stored) -> Promise:
    """The stored columns are those declared, of the declared types."""
    differences = schema_differences(contract, stored)
    return Promise(
        dimension="consistency",
        name="columns_as_declared",
        column=None,
        description=f"{contract.name} has the {len(contract.columns)} columns its contract declares",
        measure=str(len(differences)),
        counts_rows=False,
        besides=max(len(contract.columns), len(differences)),
        advice="run the rebuild job, which brings the stored table in line, or declare the change in the contract",
        found=differences,
    )


def _not_null(contract: Contract, column: Column, usable: frozenset[str]) -> Promise:
    name = identifier(column.name)
    return Promise(
        dimension="completeness",
        name="not_null",
        column=column.name,
        description=f"{column.name} is filled in",
        measure=count_where(contract, f"{name} IS NULL"),
        advice=repair_advice(contract),
        sample=sample_of(contract, column.name, f"child.{name} IS NULL", usable),
    )


def _unique_key(contract: Contract) -> Promise:
    keys = [identifier(name) for name in contract.key]
    listed = ", ".join(keys)
    shown = ", ".join(as_text(identifier(name), name) for name in contract.key)
    groups = f"FROM {contract.qualified} GROUP BY {listed} HAVING count(*) > 1"
    return Promise(
        dimension="uniqueness",
        name="unique_key",
        column=", ".join(contract.key),
        description=f"{', '.join(contract.key)} identifies {contract.grain}",
        # As many hashes as rows proves the key unique for a third less CPU; fewer may be a collision, so recount.
        measure=f"count(*) - count(DISTINCT hash({listed}))",
        exact=f"SELECT coalesce(sum(rows - 1), 0)::BIGINT FROM (SELECT count(*) AS rows {groups})",
        advice=repair_advice(contract),
        sample=f"SELECT {shown}, {as_text('count(*)', 'rows')} {groups} "
        f"ORDER BY count(*) DESC, {listed} LIMIT {SAMPLE_ROWS}",
    )


def repair_advice(contract: Contract) -> str:
    """What to do about rows that a table should never have held."""
    if contract.layer == "raw":
        return "raw rows are only appended by ingest: find the source that wrote these and read it again"
    if contract.layer == "staging":
        return f"such rows belong in quarantine: run the rebuild job; if they stay, mend the model of {contract.name}"
    return f"run the rebuild job; if they stay, mend the model of {contract.name}, which reads {_listed(contract)}"


def _listed(contract: Contract) -> str:
    return ", ".join(contract.sources) or "what its description says"

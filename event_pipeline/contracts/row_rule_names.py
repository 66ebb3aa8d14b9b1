"""What the row rules of each staging table are called, and settings that name one there is not."""

from __future__ import annotations

from event_pipeline.contracts.contract import Contract
from event_pipeline.contracts.staging import STAGING_FIREBASE
from event_pipeline.contracts.staging_inbox import STAGING_PARSED
from event_pipeline.errors import SettingsError
from event_pipeline.settings import Validation

DOCUMENT = "(document)"
"""Field of the rule about the document as a whole."""


def row_rule_names(contract: Contract) -> list[str]:
    """``field.kind`` of every rule that rows of a staging table are judged by, in the order of its columns."""
    names = [f"{DOCUMENT}.not_an_object"]
    for column in contract.columns:
        kinds = {
            "garbled": column.parser is not None,
            "required": not column.nullable,
            "allowed": bool(column.allowed),
            "range": column.minimum is not None or column.maximum is not None,
            "too_long": column.max_length is not None,
        }
        names += [f"{column.name}.{kind}" for kind, has_rule in kinds.items() if has_rule]
    return names


def refuse_unknown_rules(validation: Validation) -> None:
    """Raises SettingsError for a rule that no table has: a misspelt one would be ignored in silence."""
    tables = {**STAGING_FIREBASE, **STAGING_PARSED}
    wrong = []
    for table, rules in validation.rules.items():
        if table not in tables:
            wrong.append(f"setting validation.rules names the table {table!r}: must be one of {', '.join(tables)}")
            continue
        known = row_rule_names(tables[table])
        wrong += [
            f"setting validation.rules.{table} names the rule {rule!r}: must be one of {', '.join(known)}"
            for rule in rules
            if rule not in known
        ]
    if wrong:
        raise SettingsError("\n".join(wrong))

"""Row rules from contracts, compiled to Ibis: one pass over the rows tells which go to quarantine and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from event_pipeline.contracts.contract import Column, Consequence, Contract
from event_pipeline.contracts.currencies import major_units
from event_pipeline.contracts.row_rule_names import DOCUMENT
from event_pipeline.models.amounts import writing_of
from event_pipeline.models.currency_signs import writes_decimal_comma
from event_pipeline.models.database_functions import python_amount_refusal
from event_pipeline.models.documents import IS_OBJECT, PREPARED, TEXTS, text_of
from event_pipeline.models.locale import Locale
from event_pipeline.settings import Validation

IS_REJECTED = "_is_rejected"
IS_FLAGGED = "_is_flagged"
REASON = "{reason}"


@dataclass(frozen=True, slots=True)
class RowRule:
    """One condition no row may break. ``name`` is what settings and quarantine call it: ``field.kind``.

    ``advice`` is what to do about it; in it ``reason`` stands at REASON, which tells of each row why.
    """

    field: str
    kind: str
    consequence: Consequence
    broken: Callable[[ir.Table], ir.BooleanValue]
    advice: str
    reason: Callable[[ir.Table], ir.StringValue] | None = None

    @property
    def name(self) -> str:
        """``field.kind``."""
        return f"{self.field}.{self.kind}"


_EXPECTED = {
    "email": "an e-mail address such as name@example.org",
    "phone": "a phone number, with country code unless it is a national one",
    "timestamp": "a time such as 2025-06-08T02:55:00.000Z between the years 2000 and 2100",
    "integer": "a whole number",
    "boolean": "true or false",
    "json": "a list or an object",
    "verbatim": "a text",
    "text": "a text, not a list or an object",
    "choice": "a text",
}


def row_rules(contract: Contract, validation: Validation, locale: Locale) -> list[RowRule]:
    """The rules of a staging table that are switched on; in lenient mode only unusable rows are rejected."""
    rules = [
        RowRule(
            DOCUMENT, "not_an_object", "reject", lambda t: ~t[IS_OBJECT], "write the document as fields with values"
        )
    ]
    for column in contract.columns:
        rules += _column_rules(contract, column, locale)
    switches = validation.rules.get(contract.table, {})
    return [
        _as_set(rule, contract, validation)
        for rule in rules
        if switches.get(rule.name) is None or switches[rule.name].enabled
    ]


def _as_set(rule: RowRule, contract: Contract, validation: Validation) -> RowRule:
    # A value that must be there cannot be emptied.
    unusable = rule.field == DOCUMENT or rule.field in contract.key or not contract.column(rule.field).nullable
    if validation.mode == "lenient" and not unusable:
        return RowRule(rule.field, rule.kind, "note", rule.broken, rule.advice, rule.reason)
    return rule


def _column_rules(contract: Contract, column: Column, locale: Locale) -> list[RowRule]:
    name, consequence, rules = column.name, column.consequence, []
    where = f"`{column.path}`" if column.path else f"what `{name}` is made of"
    if column.parser is not None:
        rules.append(
            RowRule(
                name,
                "garbled",
                consequence,
                lambda t: t[PREPARED + name].notnull() & t[name].isnull(),
                f"correct {where}: {_expected(column.parser, locale)}",
                _amount_refusal(name, locale) if column.parser == "amount" else None,
            )
        )
    if not column.nullable:
        rules.append(
            RowRule(name, "required", "reject", lambda t: t[name].isnull(), f"fill in {where}: it is required")
        )
    if column.allowed:
        words = ", ".join(column.allowed)
        rules.append(
            RowRule(
                name,
                "allowed",
                consequence,
                lambda t: t[name].notnull() & ~t[name].isin(column.allowed),
                column.advice or f"correct {where}: it must be one of {words}",
            )
        )
    if column.minimum is not None or column.maximum is not None:
        rules.append(
            RowRule(
                name,
                "range",
                consequence,
                lambda t: t[name].notnull() & ~t[name].between(column.minimum, column.maximum),
                f"correct {where}: it must lie between {_bounds(column, locale)}",
            )
        )
    if column.max_length is not None:
        rules.append(
            RowRule(
                name,
                "too_long",
                consequence,
                lambda t: t[name].length() > column.max_length,
                f"shorten {where} to {column.max_length} characters",
            )
        )
    return rules


def _expected(parser: str, locale: Locale) -> str:
    if parser != "amount":
        return f"expected {_EXPECTED[parser]}"
    example = major_units(1234 * locale.minor_units + locale.minor_units // 2, locale.currency)
    if writes_decimal_comma(locale.country):
        example = example.replace(".", ",")
    return f"it {REASON}; expected an amount in {locale.currency} such as 150 or {example}"


def _amount_refusal(name: str, locale: Locale) -> Callable[[ir.Table], ir.StringValue]:
    return lambda rows: python_amount_refusal(rows[PREPARED + name], writing_of(locale))


def _bounds(column: Column, locale: Locale) -> str:
    """The smallest and the largest value; of amounts in units of the currency, as people write them."""
    if column.parser != "amount" or column.minimum is None or column.maximum is None:
        return f"{column.minimum} and {column.maximum}"
    least, most = (major_units(int(bound), locale.currency) for bound in (column.minimum, column.maximum))
    return f"{least} and {most} {locale.currency}"


def flag_rows(parsed: ir.Table, rules: Sequence[RowRule]) -> ir.Table:
    """The rows with IS_REJECTED and IS_FLAGGED; the texts they were read from are kept only where a rule is broken."""

    def any_broken(chosen: Sequence[RowRule]) -> ir.BooleanValue:
        return ibis.or_(*[rule.broken(parsed).fill_null(False) for rule in chosen]) if chosen else ibis.literal(False)

    flagged = parsed.mutate(
        **{
            IS_REJECTED: any_broken([rule for rule in rules if rule.consequence == "reject"]),
            IS_FLAGGED: any_broken(rules),
        }
    )
    origins = [name for name in parsed.columns if name == TEXTS or name.startswith(PREPARED)]
    return flagged.mutate(
        **{name: ibis.ifelse(flagged[IS_FLAGGED], flagged[name], ibis.null(flagged[name].type())) for name in origins}
    )


def accepted_rows(flagged: ir.Table, contract: Contract, rules: Sequence[RowRule]) -> ir.Table:
    """The rows that are not rejected, with noted values emptied; exactly the contract's columns."""
    kept = flagged.filter(~flagged[IS_REJECTED])
    emptied = {}
    for column in contract.columns:
        noted = [r for r in rules if r.field == column.name and r.consequence == "note" and r.kind != "garbled"]
        if noted:
            broken = ibis.or_(*[rule.broken(kept).fill_null(False) for rule in noted])
            emptied[column.name] = ibis.ifelse(broken, ibis.null(kept[column.name].type()), kept[column.name])
    return kept.mutate(**emptied).select(*contract.column_names) if emptied else kept.select(*contract.column_names)


def broken_rules(flagged: ir.Table, contract: Contract, rules: Sequence[RowRule]) -> ir.Table:
    """One row per flagged row and broken rule, as ``quarantine.rows`` holds them; personal values masked."""
    rows = flagged.filter(flagged[IS_FLAGGED])
    found = []
    for rule in rules:
        entry = ibis.struct(
            {
                "field": rule.field,
                "rule": rule.name,
                "consequence": {"reject": "rejected", "note": "noted"}[rule.consequence],
                "offending_value": _shown(rows, contract, rule.field),
                "what_to_do": _advice(rule, rows),
            }
        )
        found.append(ibis.ifelse(rule.broken(rows).fill_null(False), entry, ibis.null(entry.type())))
    exploded = rows.select("document_id", "source", "version", broken=ibis.array(found)).unnest("broken")
    exploded = exploded.filter(exploded.broken.notnull())
    return exploded.select(
        table_name=ibis.literal(contract.table),
        document_id=exploded.document_id,
        source=exploded.source,
        version=exploded.version,
        field=exploded.broken["field"],
        rule=exploded.broken["rule"],
        consequence=exploded.broken["consequence"],
        offending_value=exploded.broken["offending_value"],
        what_to_do=exploded.broken["what_to_do"],
    )


def _advice(rule: RowRule, rows: ir.Table) -> str | ir.StringValue:
    if rule.reason is None:
        return rule.advice
    before, _, after = rule.advice.partition(REASON)
    return before + rule.reason(rows) + after


def _shown(rows: ir.Table, contract: Contract, field: str) -> ir.StringValue:
    """The value as an operator may see it: shortened, and masked to its first letter and length when personal."""
    if field == DOCUMENT:
        return ibis.literal("(not an object)")
    column = contract.column(field)
    text = text_of(rows, contract, field) if column.path else rows[field].cast("string")
    if column.personal:
        return text.left(1) + "*** (" + text.length().cast("string") + " characters)"
    return text.left(200)

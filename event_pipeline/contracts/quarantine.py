"""Where rows that break a rule are kept, with what was wrong and what to do."""

from __future__ import annotations

from event_pipeline.contracts.contract import Column, Contract

QUARANTINE = Contract(
    layer="quarantine",
    table="rows",
    grain="one row per document version and broken rule",
    key=("table_name", "document_id", "rule"),
    description="Rows that broke a rule. Recomputed with their table: a corrected document leaves by itself.",
    columns=(
        Column("table_name", "string", "Staging table the row was meant for.", nullable=False),
        Column("document_id", "string", "The document.", nullable=False, personal=True),
        Column("source", "string", "Where it was read.", nullable=False),
        Column("version", "string", "Version of the document that broke the rule.", nullable=False),
        Column("field", "string", "Column that is wrong; (document) when it is the whole.", nullable=False),
        Column("rule", "string", "Rule that is broken, as settings name it.", nullable=False),
        Column(
            "consequence",
            "string",
            "rejected: the row is only here; noted: the row went on without the value.",
            nullable=False,
            allowed=("rejected", "noted"),
        ),
        Column("offending_value", "string", "The value, shortened; personal values masked."),
        Column("what_to_do", "string", "How to correct it at the source.", nullable=False),
    ),
)

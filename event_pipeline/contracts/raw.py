"""Raw tables: one per source family and collection, append-only, every version of every document as it was written."""

from __future__ import annotations

from event_pipeline.contracts.contract import Column, Contract
from event_pipeline.settings import COLLECTIONS

RAW_COLUMNS = (
    Column(
        "source",
        "string",
        "Where it was read: firestore, realtime_database, export, google_sheets, inbox.",
        nullable=False,
    ),
    Column("collection", "string", "The app's collection, or the kind of record.", nullable=False),
    Column("document_id", "string", "Id within the collection; nested documents are parent/child.", nullable=False),
    Column("operation", "string", "What happened to the document.", nullable=False, allowed=("upsert", "delete")),
    Column("payload", "string", "The document as JSON text; empty for a delete.", personal=True),
    Column("source_updated_at", "timestamp", "Update time the source itself vouches for, where it has one."),
    Column("observed_at", "timestamp", "When this state was seen.", nullable=False),
    Column("version", "string", "Sortable version; the greatest is the latest state.", nullable=False),
    Column("ingested_at", "timestamp", "When it was committed to the lake.", nullable=False),
    Column("ingested_date", "date", "UTC day of the commit; the table is partitioned by it.", nullable=False),
)

FIREBASE = "firebase"
_DESCRIPTIONS = {
    "sheet_rows": "Rows of the events' Google Sheets as organisers left them.",
    "scans": "QR scans from phones at the door, as scanned.",
    "email_events": "What the mail provider reported of each mail.",
    "payment_events": "What the payment provider reported of each payment.",
    "unreadable": "Lines of dropped files that could not be read as records; kept whole.",
}


def _raw(table: str, description: str) -> Contract:
    return Contract(
        layer="raw",
        table=table,
        grain="one row per version of a document",
        key=("source", "document_id", "version"),
        description=description,
        columns=RAW_COLUMNS,
        partition_column="ingested_date",
        fresh_by="observed_at",
    )


RAW_FIREBASE = {
    name: _raw(f"firebase_{name}", f"Documents of the app's `{name}` collection, every version seen.")
    for name in COLLECTIONS
}
RAW_SHEETS = {"sheet_rows": _raw("sheets_rows", _DESCRIPTIONS["sheet_rows"])}
RAW_INBOX = {name: _raw(f"inbox_{name}", _DESCRIPTIONS[name]) for name in ("scans", "email_events", "payment_events")}
RAW_UNREADABLE = {"unreadable": _raw("unreadable", _DESCRIPTIONS["unreadable"])}

SOURCES_OF_RAW: dict[str, tuple[str, ...]] = {
    **{contract.name: ("firestore", "realtime_database", "export") for contract in RAW_FIREBASE.values()},
    **{contract.name: ("google_sheets",) for contract in RAW_SHEETS.values()},
    **{contract.name: ("inbox",) for contract in RAW_INBOX.values()},
    **{contract.name: ("inbox", "export") for contract in RAW_UNREADABLE.values()},
}
"""By name of a raw table, the sources that may write to it."""

RAW_TABLES: dict[str, Contract] = {**RAW_FIREBASE, **RAW_SHEETS, **RAW_INBOX, **RAW_UNREADABLE}
"""Raw contract by collection; a change's collection decides its table."""

CURSORS = Contract(
    layer="ops",
    table="cursors",
    grain="one row per source and cursor name",
    key=("source", "cursor_name"),
    description="How far each source has been read; committed with the changes it covers.",
    columns=(
        Column("source", "string", "Source that owns the cursor.", nullable=False),
        Column("cursor_name", "string", "Collection, file or spreadsheet it is for.", nullable=False),
        Column("state", "string", "The source's own position as JSON.", nullable=False),
        Column("updated_at", "timestamp", "When it last advanced.", nullable=False),
    ),
)

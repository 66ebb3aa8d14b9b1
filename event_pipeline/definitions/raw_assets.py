"""Raw assets: what each source wrote, every version, as it came. Materializing one reads its source."""

from collections.abc import Iterator, Mapping

import dagster as dg

from event_pipeline.contracts.contract import Contract
from event_pipeline.contracts.raw import RAW_FIREBASE, RAW_INBOX, RAW_SHEETS, RAW_UNREADABLE
from event_pipeline.definitions.asset_metadata import (
    OWNER,
    asset_description,
    asset_key,
    asset_tags,
    column_schema,
    recorded_metadata,
)
from event_pipeline.definitions.session import Session
from event_pipeline.definitions.table_assets import WRITER_POOL
from event_pipeline.warehouse.ingest import (
    Ingested,
    firebase_source,
    ingest_exports,
    ingest_firebase,
    ingest_inbox,
    ingest_sheets,
    reconcile_firebase,
)

RECONCILE_TAG = "event_pipeline/reconcile"
"""Run tag under which the Firebase asset compares everything with the source instead of following its cursor."""


def _specs(contracts: Mapping[str, Contract], kind: str) -> list[dg.AssetSpec]:
    return [
        dg.AssetSpec(
            key=asset_key(contract.name),
            group_name="raw",
            description=asset_description(contract),
            kinds={"duckdb", kind},
            owners=[OWNER],
            tags=asset_tags(contract),
            metadata=column_schema(contract),
        )
        for contract in contracts.values()
    ]


@dg.multi_asset(specs=_specs(RAW_FIREBASE, "firebase"), can_subset=True, pool=WRITER_POOL)
def firebase_documents(
    context: dg.AssetExecutionContext, session: dg.ResourceParam[Session]
) -> Iterator[dg.MaterializeResult]:
    """New and changed documents of Firebase, and of export files."""
    wanted = [
        c
        for c in session.settings.firebase.collections
        if asset_key(RAW_FIREBASE[c].name) in context.selected_asset_keys
    ]
    ingested = ingest_exports(session.lake, session.settings)
    source = firebase_source(session.settings)
    if source is not None:
        follow = reconcile_firebase if context.has_tag(RECONCILE_TAG) else ingest_firebase
        try:
            ingested.add(follow(session.lake, source, wanted))
        finally:
            source.close()
    yield from _results(context, session, RAW_FIREBASE, ingested)


@dg.multi_asset(specs=_specs(RAW_SHEETS, "googlesheets"), pool=WRITER_POOL)
def sheet_rows(context: dg.AssetExecutionContext, session: dg.ResourceParam[Session]) -> Iterator[dg.MaterializeResult]:
    """Rows of the spreadsheets that changed."""
    yield from _results(context, session, RAW_SHEETS, ingest_sheets(session.lake, session.settings))


@dg.multi_asset(
    specs=_specs({**RAW_INBOX, **RAW_UNREADABLE}, "json"),
    can_subset=True,
    pool=WRITER_POOL,
)
def inbox_records(
    context: dg.AssetExecutionContext, session: dg.ResourceParam[Session]
) -> Iterator[dg.MaterializeResult]:
    """Records of the files in the inbox; a file is moved away once it is committed."""
    ingested = ingest_inbox(session.lake, session.settings)
    yield from _results(context, session, {**RAW_INBOX, **RAW_UNREADABLE}, ingested)


def _results(
    context: dg.AssetExecutionContext, session: Session, contracts: Mapping[str, Contract], ingested: Ingested
) -> Iterator[dg.MaterializeResult]:
    """A result per selected table; failures of a source are shown, and do not keep the others from going on."""
    for failure in ingested.failures:
        context.log.error(failure)
    for collection, contract in contracts.items():
        key = asset_key(contract.name)
        if key in context.selected_asset_keys:
            rows = session.lake.row_count(collection)
            failures = dg.MetadataValue.md("\n".join(f"- {text}" for text in ingested.failures) or "none")
            figures = {"changes_committed": ingested.changes[collection], "source_failures": failures}
            metadata = recorded_metadata(contract, rows, figures)
            if ingested.changes[collection]:
                session.changed_raw.append(contract)
            yield dg.MaterializeResult(asset_key=key, metadata=metadata)


RAW_ASSETS = [firebase_documents, sheet_rows, inbox_records]

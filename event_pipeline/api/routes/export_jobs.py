"""``exports``: files made in the background, followed, downloaded and deleted by the key that asked for them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from event_pipeline.api.access import require_scopes
from event_pipeline.api.answers.exports import ExportItem, ExportPage, ExportRequest
from event_pipeline.api.exports.download import Download
from event_pipeline.api.exports.folder import file_name
from event_pipeline.api.exports.opening import check_export
from event_pipeline.api.exports.store import Export
from event_pipeline.api.exports.streaming import attachment
from event_pipeline.api.idempotency import Answer, IdempotencyKey
from event_pipeline.api.keys import ApiKey
from event_pipeline.api.observe import notes_of
from event_pipeline.api.openapi import KEYED, READS, problems
from event_pipeline.api.pages import Cursor, Limit, read_cursor, write_cursor
from event_pipeline.api.problems import Problem
from event_pipeline.api.routes.exports import FILE, Exporter
from event_pipeline.api.services import Services, Shared
from event_pipeline.exports.formats import FORMATS
from event_pipeline.sqlite import stamp

router = APIRouter(prefix="/api/pipeline/exports", tags=["exports"])

ExportId = Annotated[str, Path(pattern=r"^ex_[a-z2-9]{16}$", description="`export_id` that POST exports answered.")]
_PARTIAL = {206: {"description": "The bytes that the header Range asked for.", "content": FILE[200]["content"]}}


@router.post(
    "",
    response_model=ExportItem,
    status_code=202,
    responses=READS
    | problems("not-found", "in-progress", "outcome-unknown", "forbidden", "query-refused")
    | problems("invalid", "query-invalid", "query-too-heavy", "key-reused"),
    summary="Make a file in the background",
)
def create(
    request: Request,
    services: Shared,
    key: Exporter,
    wanted: ExportRequest,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Needs the scope `export`, for a query `sql` too; audited. `Location` says where to follow it with this key."""
    if wanted.query is not None:
        require_scopes(key, "sql")

    def submit() -> Answer:
        made = submitted(request, services, key, wanted)
        return Answer(item_of(made), 202, {"Location": f"/api/pipeline/exports/{made.export_id}"})

    return services.stored_answers.once(request, key.key_id, idempotency_key, wanted, submit)


@router.get("", responses=KEYED, summary="Exports of this key, the newest first")
def exports(services: Shared, key: Exporter, limit: Limit = 50, cursor: Cursor = None) -> ExportPage:
    """Needs the scope `export`. Files are deleted after `exports.hours_kept`; what is said of them a week later."""
    services.exports.sweep()
    before = read_cursor(cursor, key.key_id, (str, str)) if cursor else None
    found = services.exports.store.page(key.key_id, limit + 1, (before[0], before[1]) if before else None)
    shown = found[:limit]
    last = [stamp(shown[-1].created_at), shown[-1].export_id] if len(found) > limit else None
    return ExportPage(
        items=[item_of(export) for export in shown], next_cursor=write_cursor(key.key_id, last) if last else None
    )


@router.get("/{export_id}", responses=KEYED | problems("not-found"), summary="How far an export is")
def export(services: Shared, key: Exporter, export_id: ExportId) -> ExportItem:
    """Needs the scope `export`."""
    return item_of(_known(services, key, export_id))


@router.get(
    "/{export_id}/file",
    response_class=Response,
    responses=KEYED | problems("not-found", "conflict", "gone", "wrong-range") | FILE | _PARTIAL,
    summary="Download a finished export",
)
def export_file(request: Request, services: Shared, key: Exporter, export_id: ExportId) -> Response:
    """Needs the scope `export`; audited. `Range` is understood, so that a download can be resumed."""
    found = _known(services, key, export_id)
    path = services.exports.folder.file(found)
    if found.state == "expired" or (found.state == "done" and not path.exists()):
        raise Problem("gone", "the file was deleted when its time had come; ask for it again with POST exports")
    if found.state != "done":
        reason = found.problem or f"it is {found.state}; look at GET /api/pipeline/exports/{export_id} until it is done"
        raise Problem("conflict", f"there is no file: {reason}")
    details = {"what": found.label, "rows": found.rows, "bytes": found.bytes}
    services.audit.record(key.key_id, "download_export", export_id, notes_of(request.scope).request_id, details)
    made = FORMATS[found.format]
    headers = attachment(file_name(found.label, found.created_at, made.suffix))
    return Download(path, media_type=made.media_type, headers=headers, stat_result=path.stat())


@router.delete(
    "/{export_id}", status_code=204, responses=KEYED | problems("not-found"), summary="Stop or delete an export"
)
def delete(request: Request, services: Shared, key: Exporter, export_id: ExportId) -> None:
    """Needs the scope `export`; audited. One that is being made is stopped; its file is deleted."""
    deleted(request, services, key, export_id)


def deleted(request: Request, services: Services, key: ApiKey, export_id: str) -> None:
    """Stop and forget it; audited. Raises Problem: not-found."""
    found = _known(services, key, export_id)
    services.audit.record(
        key.key_id, "delete_export", export_id, notes_of(request.scope).request_id, {"what": found.label}
    )
    services.exports.delete(found)


def submitted(request: Request, services: Services, key: ApiKey, wanted: ExportRequest) -> Export:
    """The export, taken in; audited. Raises Problem when it cannot be made."""
    check_export(services, wanted)
    found = services.exports.submit(key.key_id, wanted.details, wanted.label, wanted.format)
    services.audit.record(
        key.key_id, "export", wanted.label, notes_of(request.scope).request_id,
        wanted.details | {"export_id": found.export_id},
    )  # fmt: skip
    return found


def _known(services: Services, key: ApiKey, export_id: str) -> Export:
    services.exports.sweep()
    found = services.exports.store.get(export_id, key.key_id)
    if found is None:
        raise Problem("not-found", f"this key has no export {export_id}; GET /api/pipeline/exports lists its own")
    return found


def item_of(export: Export) -> ExportItem:
    """What it says of itself."""
    is_done = export.state == "done"
    total = export.rows if is_done else export.rows_total
    return ExportItem(
        export_id=export.export_id,
        state=export.state,
        what=export.label,
        format=export.format,
        created_at=export.created_at,
        started_at=export.started_at,
        finished_at=export.finished_at,
        expires_at=export.expires_at,
        rows=export.rows,
        rows_total=total,
        progress=1.0 if is_done else round(export.rows / total, 4) if total else None,
        bytes=export.bytes,
        snapshot=export.snapshot,
        file=f"/api/pipeline/exports/{export.export_id}/file" if is_done else None,
        problem=export.problem,
    )

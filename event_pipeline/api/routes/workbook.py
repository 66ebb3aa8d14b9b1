"""``GET events/{event_id}/workbook``: an event's people and figures as organisers know them from the Google Sheet."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from event_pipeline.api.access import requires
from event_pipeline.api.exports.folder import file_name
from event_pipeline.api.exports.streaming import ExportStream, attachment
from event_pipeline.api.exports.workbook import write_workbook
from event_pipeline.api.keys import ApiKey
from event_pipeline.api.observe import notes_of
from event_pipeline.api.openapi import READS, problems
from event_pipeline.api.routes.event import EventId
from event_pipeline.api.services import Shared
from event_pipeline.exports.formats import FORMATS

router = APIRouter(prefix="/api/pipeline", tags=["exports"])

_EXCEL = FORMATS["xlsx"]
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The workbook.",
        "content": {_EXCEL.media_type: {"schema": {"type": "string", "format": "binary"}}},
    }
}
_CHUNK = 256_000


@router.get(
    "/events/{event_id}/workbook",
    response_class=Response,
    responses=READS | problems("not-found") | _FILE,
    summary="An event's registrations, teams and figures as an Excel workbook",
)
def workbook(
    request: Request, services: Shared, key: Annotated[ApiKey, requires("pii", "export")], event_id: EventId
) -> Response:
    """Needs the scopes `pii` and `export`; who took it is kept in the audit. Times are the organisation's."""
    with ExitStack() as resources:
        resources.enter_context(services.export_places.one())
        folder = services.exports.folder.path
        scratch = Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="workbook-", dir=folder)))
        path = scratch / "book.xlsx"
        written = write_workbook(services, event_id, path)
        services.audit.record(
            key.key_id, "read_workbook", event_id, notes_of(request.scope).request_id, {"people": written.rows}
        )
        headers = attachment(file_name(event_id, services.now(), _EXCEL.suffix))
        headers |= {"Content-Length": str(path.stat().st_size), "X-Export-Rows": str(written.rows)}
        seconds = services.settings.exports.stream_seconds
        return ExportStream(_chunks(path), resources, seconds, _EXCEL.media_type, headers)


def _chunks(path: Path) -> Generator[bytes, None, None]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk

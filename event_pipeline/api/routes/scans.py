"""``POST /scans``: tickets at the door, answered at once and kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request

from event_pipeline.api.access import requires
from event_pipeline.api.answers.inbound import ScanAnswer, ScanAnswers, ScanUpload, UploadedScan
from event_pipeline.api.door import Decision, Scan
from event_pipeline.api.keys import ApiKey
from event_pipeline.api.observe import notes_of
from event_pipeline.api.openapi import READS, problems
from event_pipeline.api.services import Services, Shared

router = APIRouter(tags=["coming in"])


@router.post(
    "/scans",
    response_model=ScanAnswers,
    responses=READS | problems("inbox-not-writable", "busy", "warehouse-not-ready") | problems("too-large"),
    summary="Scan tickets at the door",
)
def scans(
    request: Request, services: Shared, key: Annotated[ApiKey, requires("scan")], upload: ScanUpload
) -> ScanAnswers:
    """Needs the scope `scan`; give each device a key of its own. A scan that is sent again is answered as before and
    counts once, so that a phone sends it until it has an answer."""
    now = services.now()
    zone = ZoneInfo(services.settings.organisation.time_zone)
    wanted = [_scan(item, upload.event_id, key, zone) for item in upload.scans]
    decisions = services.door.decide(wanted, now)
    names = _names(request, services, key, decisions)
    answers = [_answer(item, decision, names) for item, decision in zip(upload.scans, decisions, strict=True)]
    return ScanAnswers(received_at=now, items=answers)


def _scan(item: UploadedScan, event_id: str | None, key: ApiKey, zone: ZoneInfo) -> Scan:
    at = item.scanned_at if item.scanned_at.tzinfo else item.scanned_at.replace(tzinfo=zone)
    return Scan(item.qr_code_data, _utc(at), item.scanner_id or key.key_id, item.scan_id, event_id)


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


def _names(request: Request, services: Services, key: ApiKey, decisions: list[Decision]) -> dict[str, str]:
    """Names by user id, where the key may see them. Reading them is audited before it is answered."""
    if "pii" not in key.scopes:
        return {}
    names = services.door.names(decisions)
    request_id = notes_of(request.scope).request_id
    services.audit.record(key.key_id, "read_scanned_people", "door", request_id, {"people": len(names)})
    return names


def _answer(item: UploadedScan, decision: Decision, names: dict[str, str]) -> ScanAnswer:
    person = decision.expected
    return ScanAnswer(
        scan_id=item.scan_id,
        answer=decision.answer,
        since=decision.since,
        registration_id=person.registration_id if person else None,
        event_id=person.event_id if person else None,
        team_size=person.team_size if person else None,
        person_name=names.get(person.user_id) if person else None,
    )

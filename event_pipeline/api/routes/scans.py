"""``POST /scans``: tickets at the door, answered at once and kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request

from event_pipeline.api.access import requires
from event_pipeline.api.answers.inbound import MalformedScan, ScanAnswer, ScanAnswers, ScanUpload, UploadedScan
from event_pipeline.api.door import Decision, Override, Scan
from event_pipeline.api.keys import ApiKey
from event_pipeline.api.observe import notes_of
from event_pipeline.api.openapi import READS, problems
from event_pipeline.api.services import Services, Shared
from event_pipeline.clock_times import instant_of_clock

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
    counts once, so that a phone sends it until it has an answer. Each item has an answer of its own: one that is no
    scan is `invalid`, and keeps no other from its answer."""
    now = services.now()
    zone = ZoneInfo(services.settings.organisation.time_zone)
    event_id = upload.event_id.strip() if upload.event_id else None
    good = [item for item in upload.scans if isinstance(item, UploadedScan)]
    decisions = services.door.decide([_scan(item, event_id or None, key, zone) for item in good], now)
    names = _names(request, services, key, decisions)
    told = iter(decisions)
    answers = [
        _answer(item, next(told), names) if isinstance(item, UploadedScan) else _malformed(item)
        for item in upload.scans
    ]
    return ScanAnswers(received_at=now, items=answers)


def _scan(item: UploadedScan, event_id: str | None, key: ApiKey, zone: ZoneInfo) -> Scan:
    at, said = _time(item.scanned_at, zone)
    override = Override(key.key_id, item.override_reason) if item.override else None
    scanner_id = item.scanner_id or key.key_id
    return Scan(item.qr_code_data, at, scanner_id, item.scan_id, event_id, override, said_at=said)


def _time(at: datetime | str, zone: ZoneInfo) -> tuple[datetime | None, str | None]:
    """The instant in UTC; what was said in its place where it is none."""
    if isinstance(at, str):
        return None, at
    try:
        return at.astimezone(UTC) if at.tzinfo else instant_of_clock(at, zone), None
    except OverflowError:  # at the ends of the calendar
        return None, str(at)


def _names(request: Request, services: Services, key: ApiKey, decisions: list[Decision]) -> dict[str, str]:
    """Names by registration, where the key may see them. Reading them is audited before it is answered."""
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
        may_override=decision.may_override,
        since=decision.since,
        registration_id=person.registration_id if person else None,
        event_id=person.event_id if person else None,
        team_size=person.team_size if person else None,
        person_name=names.get(person.registration_id) if person else None,
    )


def _malformed(item: MalformedScan) -> ScanAnswer:
    return ScanAnswer(
        scan_id=item.scan_id, answer="invalid", detail=item.detail, since=None, registration_id=None, event_id=None,
        team_size=None, person_name=None,
    )  # fmt: skip

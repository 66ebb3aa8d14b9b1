"""What is answered to those who send something in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from event_pipeline.api.answers.common import example
from event_pipeline.api.door import Answer

_EARLIEST, _LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def storable(text: object) -> object:
    """What a scanner read, without what no database holds in text."""
    if not isinstance(text, str):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\x00", "\ufffd")


def _within_reason(at: datetime) -> datetime:
    if not _EARLIEST <= (at if at.tzinfo else at.replace(tzinfo=UTC)) <= _LATEST:
        raise ValueError("must lie between 1970 and 2100")
    return at


ScannedText = Annotated[str, BeforeValidator(storable)]
ScannedAt = Annotated[
    datetime, AfterValidator(_within_reason), Field(json_schema_extra={"pattern": r"^(19[789][0-9]|20[0-9]{2})-"})
]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


class Received(BaseModel):
    """What a webhook brought is on disk."""

    model_config = example(stored=3, unmapped=0)

    stored: int = Field(description="Records that go to the tables.")
    unmapped: int = Field(description="Events without a place in the tables; they show up in quarantine, whole.")


class ScanUpload(BaseModel):
    """One scan as it happens, or those that a phone kept while it was offline."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "event_id": "-NyEvent1",
                    "scans": [
                        {
                            "qr_code_data": '{"type":"NITS_EVENT_ATTENDANCE","registrationId":"-NxReg1", ...}',
                            "scanned_at": "2026-06-01T09:30:00.250Z",
                            "scan_id": "gate-3-000017",
                        }
                    ],
                }
            ]
        },
    )

    scans: list[UploadedScan] = Field(min_length=1, max_length=1_000)
    event_id: Name | None = Field(default=None, description="Whose door it is: codes of other events are refused.")


class UploadedScan(BaseModel):
    """A code that a device read."""

    model_config = ConfigDict(extra="forbid")

    qr_code_data: ScannedText = Field(description="The text as scanned, whatever it is.")
    scanned_at: ScannedAt = Field(
        description="When it was scanned, by the phone's clock, also when it is sent later; without a zone, in the "
        "organisation's."
    )
    scanner_id: Name | None = Field(default=None, description="The device; the key's id when it is left out.")
    scan_id: Name | None = Field(
        default=None, description="The device's own id of the scan; code and time make one when it is left out."
    )


class ScanAnswer(BaseModel):
    """What to tell the phone."""

    scan_id: str | None = Field(description="As it was sent.")
    answer: Answer
    since: datetime | None = Field(description="When the person came, where they have; null where nobody knows.")
    registration_id: str | None = Field(description="Null where the code names none that is known.")
    event_id: str | None = Field(description="The registration's event.")
    team_size: int | None = Field(description="People in the registration.")
    person_name: str | None = Field(description="Only for keys with the scope `pii`; each such answer is audited.")


class ScanAnswers(BaseModel):
    """An answer a scan, in their order; every scan is on disk."""

    model_config = example(
        received_at="2026-06-01T09:30:00.410Z",
        items=[{
            "scan_id": "gate-3-000017", "answer": "admitted", "since": "2026-06-01T09:30:00.250Z",
            "registration_id": "-NxReg1", "event_id": "-NyEvent1", "team_size": 1, "person_name": None,
        }],
    )  # fmt: skip

    received_at: datetime = Field(description="Our clock, to set a phone's by.")
    items: list[ScanAnswer]

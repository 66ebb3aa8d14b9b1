"""What is answered to those who send something in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
)
from pydantic.json_schema import SkipJsonSchema

from event_pipeline.api.answers.common import example
from event_pipeline.api.door import Answer


def storable(text: object) -> object:
    """What a scanner read, without what no database holds in text."""
    if not isinstance(text, str):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\x00", "\ufffd")


ScannedText = Annotated[str, BeforeValidator(storable)]
ScannedAt = Annotated[datetime | Annotated[str, Field(max_length=100)], Field(union_mode="left_to_right")]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


class Received(BaseModel):
    """What a webhook brought is on disk."""

    model_config = example(stored=3, unmapped=0)

    stored: int = Field(description="Records that go to the tables.")
    unmapped: int = Field(description="Events without a place in the tables; they show up in quarantine, whole.")


class UploadedScan(BaseModel):
    """A code that a device read."""

    model_config = ConfigDict(extra="forbid")

    qr_code_data: ScannedText = Field(description="The text as scanned, whatever it is.")
    scanned_at: ScannedAt = Field(
        description="When it was scanned, by the phone's clock, also when it is sent later; without a zone, in the "
        "organisation's. A time that cannot be right, or is none, counts as the time at which the scan is received."
    )
    scanner_id: Name | None = Field(default=None, description="The device; the key's id when it is left out.")
    scan_id: Name | None = Field(
        default=None, description="The device's own id of the scan; code and time make one when it is left out."
    )
    override: bool = Field(
        default=False, description="Admit it although the door's event or the day is another; recorded with the scan."
    )
    override_reason: Name | None = Field(default=None, description="Why, as typed at the door; kept with the scan.")


class MalformedScan:
    """An item of an upload that is no scan; ``detail`` says what is wrong with it."""

    def __init__(self, detail: str, scan_id: str | None) -> None:
        self.detail, self.scan_id = detail, scan_id


def _alone(item: object, _: ValidatorFunctionWrapHandler) -> UploadedScan | MalformedScan:
    """Reads an item by itself, so that a wrong one leaves the others their answers."""
    try:
        return UploadedScan.model_validate(item)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        scan_id = item.get("scan_id") if isinstance(item, dict) else None
        is_id = isinstance(scan_id, str) and len(scan_id) <= 200
        return MalformedScan(f"{where}: {first['msg']}" if where else first["msg"], scan_id if is_id else None)


Item = Annotated[UploadedScan | SkipJsonSchema[InstanceOf[MalformedScan]], WrapValidator(_alone)]


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

    scans: list[Item] = Field(min_length=1, max_length=1_000)
    event_id: Name | None = Field(default=None, description="Whose door it is: codes of other events are refused.")

    @field_validator("scans")
    @classmethod
    def _holds_a_scan(cls, scans: list[Item]) -> list[Item]:
        wrong = [item for item in scans if isinstance(item, MalformedScan)]
        if len(wrong) == len(scans):
            raise ValueError(f"no item is a scan; the first: {wrong[0].detail}")
        return scans


class ScanAnswer(BaseModel):
    """What to tell the phone."""

    scan_id: str | None = Field(description="As it was sent.")
    answer: Answer
    detail: str | None = Field(default=None, description="Only with `invalid`: what is wrong with the item.")
    may_override: bool = Field(
        default=False, description="Whether the same code sent with `override` is admitted: another event's or day's."
    )
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
            "scan_id": "gate-3-000017", "answer": "admitted", "detail": None, "may_override": False,
            "since": "2026-06-01T09:30:00.250Z", "registration_id": "-NxReg1", "event_id": "-NyEvent1",
            "team_size": 1, "person_name": None,
        }],
    )  # fmt: skip

    received_at: datetime = Field(description="Our clock, to set a phone's by.")
    items: list[ScanAnswer]

"""``POST /webhooks/...``: what mail and payment providers and other systems report, known by their signatures."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request

from event_pipeline.api.answers.inbound import Received
from event_pipeline.api.observe import notes_of
from event_pipeline.api.openapi import problems
from event_pipeline.api.services import Services, Shared
from event_pipeline.inbound.delivery import Delivery

router = APIRouter(tags=["coming in"])

_RESPONSES = problems(
    "bad-request", "wrong-signature", "clock-off", "not-found", "not-set-up", "replayed", "in-progress", "too-large",
    "invalid", "inbox-not-writable", "sender-away",
)  # fmt: skip


async def _raw_body(request: Request) -> bytes:
    return await request.body()


RawBody = Annotated[bytes, Depends(_raw_body)]
"""The body's bytes as they came: signatures are over them."""


def _body(description: str, example: Any) -> dict[str, Any]:
    """A body that the route reads itself, as OpenAPI has it."""
    content = {"application/json": {"schema": {"type": ["object", "array"]}, "example": example}}
    return {"requestBody": {"required": True, "description": description, "content": content}}


@router.post(
    "/webhooks/email/{provider}",
    response_model=Received,
    responses=_RESPONSES,
    summary="What happened to mails, from their provider",
    openapi_extra=_body("As the provider sends it.", [{"event": "delivered", "sg_event_id": "nOSv8m0eTQ"}]),
)
def mail_webhook(
    request: Request,
    services: Shared,
    body: RawBody,
    provider: Annotated[str, Path(description="sendgrid, mailgun, postmark, ses or resend.", max_length=40)],
) -> Received:
    """Known by the provider's signature, not by a key. Events are kept on disk before the answer."""
    return _receive(request, services, f"email/{provider}", body)


@router.post(
    "/webhooks/payments/{provider}",
    response_model=Received,
    responses=_RESPONSES,
    summary="What happened to payments, from their provider",
    openapi_extra=_body("As the provider sends it.", {"id": "evt_1", "type": "payment_intent.succeeded"}),
)
def payment_webhook(
    request: Request,
    services: Shared,
    body: RawBody,
    provider: Annotated[str, Path(description="stripe.", max_length=40)],
) -> Received:
    """Known by the provider's signature, not by a key. The event is kept on disk before the answer."""
    return _receive(request, services, f"payments/{provider}", body)


@router.post(
    "/webhooks/{name}",
    response_model=Received,
    responses=_RESPONSES,
    summary="Records of the inbox, from a system of your own",
    openapi_extra=_body("A record of the inbox, or a list.", {"type": "email_event", "event": "delivered"}),
)
def own_webhook(
    request: Request,
    services: Shared,
    body: RawBody,
    name: Annotated[str, Path(description="A name in the setting inbound.webhooks.", max_length=40)],
) -> Received:
    """Signed as Standard Webhooks says. Records are kept on disk before the answer."""
    return _receive(request, services, name, body)


def _receive(request: Request, services: Services, path: str, body: bytes) -> Received:
    delivery = Delivery(body, dict(request.headers), services.now())
    kept = services.webhooks.receive(path, delivery, notes_of(request.scope).request_id)
    unmapped = sum(record["type"] == "unmapped_webhook" for record in kept.records)
    return Received(stored=len(kept.records) - unmapped, unmapped=unmapped)

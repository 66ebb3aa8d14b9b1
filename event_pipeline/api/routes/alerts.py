"""``GET alerts``, an alert's history, the delivery log, and a test of a receiver."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from event_pipeline.alerts.delivery.courier import Courier
from event_pipeline.alerts.delivery.outbox import Outbox
from event_pipeline.alerts.delivery.wording import Wording
from event_pipeline.alerts.evaluator import last_evaluation
from event_pipeline.alerts.store import AlertStore
from event_pipeline.api.access import requires
from event_pipeline.api.answers.alerts import (
    AlertHistory,
    AlertItem,
    AlertPage,
    AlertState,
    Delivery,
    DeliveryPage,
    Evaluated,
    ReceiverTest,
)
from event_pipeline.api.idempotency import Answer, IdempotencyKey
from event_pipeline.api.keys import ApiKey
from event_pipeline.api.observe import notes_of
from event_pipeline.api.openapi import KEYED, problems
from event_pipeline.api.pages import Cursor, Limit, read_cursor, write_cursor
from event_pipeline.api.problems import Problem
from event_pipeline.api.services import Services, Shared
from event_pipeline.sqlite import stamp

router = APIRouter(prefix="/api/pipeline", tags=["alerts"])

_STATES: dict[AlertState, tuple[str, ...]] = {
    "open": ("firing", "pending"),
    "pending": ("pending",),
    "firing": ("firing",),
    "resolved": ("resolved",),
    "all": ("firing", "pending", "resolved"),
}
_MOST_OF_ONE = 100


@router.get("/alerts", dependencies=[requires("read")], responses=KEYED, summary="What is wrong, and what was")
def alerts(services: Shared, state: AlertState = "open", limit: Limit = 100, cursor: Cursor = None) -> AlertPage:
    """Needs the scope `read`. `open` are those that fire or are pending."""
    place = read_cursor(cursor, state, (str, str)) if cursor else None
    store, now = AlertStore(services.alerts), services.now()
    found = store.alerts(_STATES[state], (place[0], place[1]) if place else None, limit + 1)
    silences = store.silences(active_at=now)
    shown = found[:limit]
    last = shown[-1] if len(found) > limit else None
    evaluation = last_evaluation(services.alerts)
    return AlertPage(
        items=[AlertItem.of(alert, silences) for alert in shown],
        next_cursor=write_cursor(state, [stamp(last.pending_since), last.fingerprint]) if last else None,
        evaluated=Evaluated(
            at=evaluation.at, is_silent=evaluation.is_silent(services.settings, now), unseen=evaluation.unseen
        ),
    )


@router.get("/alerts/deliveries", dependencies=[requires("read")], responses=KEYED, summary="Who was told, and how")
def deliveries(services: Shared, limit: Limit = 100, cursor: Cursor = None) -> DeliveryPage:
    """Needs the scope `read`. Addresses of receivers are not shown: they carry tokens."""
    (before,) = read_cursor(cursor, "deliveries", (int,)) if cursor else (None,)
    found = Outbox(services.alerts).log(before, limit + 1)
    shown = found[:limit]
    more = write_cursor("deliveries", [shown[-1].sequence]) if len(found) > limit else None
    return DeliveryPage(items=[Delivery.of(item) for item in shown], next_cursor=more)


@router.get(
    "/alerts/{fingerprint}",
    dependencies=[requires("read")],
    responses=KEYED | problems("not-found"),
    summary="An alert's history",
)
def alert(
    services: Shared,
    fingerprint: Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", description="As GET alerts answers it.")],
) -> AlertHistory:
    """Needs the scope `read`."""
    store = AlertStore(services.alerts)
    found = store.alerts(_STATES["all"], limit=_MOST_OF_ONE, fingerprint=fingerprint)
    if not found:
        raise Problem("not-found", f"there is no alert {fingerprint}; GET /api/pipeline/alerts lists them")
    silences = store.silences(active_at=services.now())
    told = Outbox(services.alerts).log(limit=_MOST_OF_ONE, fingerprint=fingerprint)
    return AlertHistory(
        alerts=[AlertItem.of(item, silences) for item in found],
        deliveries=[Delivery.of(item) for item in told],
        runbook=Wording(services.settings).runbook(found[0].rule),
    )


@router.post(
    "/alerts/deliveries/test",
    response_model=Delivery,
    responses=KEYED | problems("in-progress", "outcome-unknown", "not-found") | problems("invalid", "key-reused"),
    summary="Send a test to a receiver",
)
def send_test(
    request: Request,
    services: Shared,
    key: Annotated[ApiKey, requires("operate")],
    wanted: ReceiverTest,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Needs the scope `operate`; audited. It is sent at once and not repeated; the answer says how it went."""
    return services.stored_answers.once(
        request, key.key_id, idempotency_key, wanted, lambda: _test(request, services, key, wanted.receiver)
    )


def _test(request: Request, services: Services, key: ApiKey, receiver: str) -> Answer:
    if receiver not in services.settings.alerts.receivers:
        raise Problem("not-found", f"there is no receiver {receiver!r}; the setting alerts.receivers has them")
    services.audit.record(key.key_id, "test_receiver", receiver, notes_of(request.scope).request_id)
    return Answer(Delivery.of(Courier(services.settings, services.alerts).test(receiver)))

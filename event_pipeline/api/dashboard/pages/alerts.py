"""``/alerts``: what fires, what is silenced, what was, and who was told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from event_pipeline.alerts.alert import Alert
from event_pipeline.alerts.delivery.courier import Courier
from event_pipeline.alerts.delivery.outbox import Notification, Outbox
from event_pipeline.alerts.evaluator import Evaluation, last_evaluation
from event_pipeline.alerts.rules import RULES
from event_pipeline.alerts.silence import Silence
from event_pipeline.alerts.store import AlertStore
from event_pipeline.api.dashboard.dashboard import Dashboard, Fragments
from event_pipeline.api.dashboard.page import Page, acts, shows
from event_pipeline.api.observe import notes_of
from event_pipeline.api.services import Services
from event_pipeline.api.sessions import Notice
from event_pipeline.errors import SettingsError

router = APIRouter(include_in_schema=False)

_SHOWN = 50
HOURS = {1: "an hour", 4: "4 hours", 24: "a day", 168: "a week", 720: "30 days"}
"""How long a silence may be made for."""

_Words = Annotated[str, Form(max_length=200)]


@dataclass(frozen=True)
class AlertsFound:
    """What the page shows; ``silenced`` are fingerprints of open alerts that are not told."""

    firing: list[Alert]
    pending: list[Alert]
    over: list[Alert]
    silences: list[Silence]
    silenced: frozenset[str]
    deliveries: list[Notification]
    evaluation: Evaluation
    is_silent: bool


@router.get("/alerts")
def alerts(
    page: Annotated[Page, shows("read")],
    rule: Annotated[str, Query(max_length=40)] = "",
    subject: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """The page; ``rule`` and ``subject`` fill in the form for a silence."""
    services = page.services
    return page.show(
        "alerts.html",
        found=alerts_found(services),
        receivers=sorted(services.settings.alerts.receivers),
        rules=list(RULES),
        hours=HOURS,
        rule=rule,
        subject=subject,
    )


def fragments(dashboard: Dashboard, _: str) -> Fragments:
    """What changes on the page."""
    found, now = alerts_found(dashboard.services), dashboard.services.now()
    return {
        "live-evaluation": dashboard.html("alerts_parts.html#evaluation", found=found, now=now),
        "live-firing": dashboard.html("alerts_parts.html#firing", found=found, now=now),
        "live-over": dashboard.html("alerts_parts.html#over", found=found),
        "live-deliveries": dashboard.html("alerts_parts.html#deliveries", found=found),
    }


def alerts_found(services: Services) -> AlertsFound:
    """What is known at this moment."""
    store, now = AlertStore(services.alerts), services.now()
    still = store.alerts(("firing", "pending"), limit=_SHOWN)
    silences = store.silences(active_at=datetime.now(UTC))
    evaluation = last_evaluation(services.alerts)
    return AlertsFound(
        firing=[alert for alert in still if alert.state == "firing"],
        pending=[alert for alert in still if alert.state == "pending"],
        over=store.alerts(("resolved",), limit=_SHOWN),
        silences=silences,
        silenced=frozenset(a.fingerprint for a in still if any(silence.matches(a) for silence in silences)),
        deliveries=Outbox(services.alerts).log(limit=_SHOWN),
        evaluation=evaluation,
        is_silent=evaluation.is_silent(services.settings, now),
    )


@router.post("/alerts/silence")
def silence(
    page: Annotated[Page, acts("operate")],
    hours: Annotated[int, Form()] = 24,
    rule: _Words = "",
    subject: _Words = "",
    why: _Words = "",
) -> Response:
    """Tell nobody of alerts of that rule and subject for so many hours; audited."""
    matchers = {name: text.strip() for name, text in (("rule", rule), ("subject", subject)) if text.strip()}
    if not matchers or hours not in HOURS:
        return page.go("/alerts#silences", Notice("Choose a rule or a subject, and for how long.", is_error=True))
    now, key = datetime.now(UTC), page.session.key
    until = now + timedelta(hours=hours)
    made = AlertStore(page.services.alerts).silence(matchers, until, key.key_id, why.strip(), now)
    _record(page, "silence", made.silence_id)
    return page.go("/alerts#silences", Notice(f"Nobody is told of such alerts for {HOURS[hours]}."))


@router.post("/alerts/unsilence")
def unsilence(page: Annotated[Page, acts("operate")], silence_id: _Words = "") -> Response:
    """End a silence at once; audited."""
    ended = AlertStore(page.services.alerts).end_silence(silence_id, datetime.now(UTC))
    if ended is None:
        return page.go("/alerts#silences", Notice("There is no such silence any more.", is_error=True))
    _record(page, "end_silence", silence_id)
    return page.go("/alerts#silences", Notice("The silence is over; what still fires is told again."))


@router.post("/alerts/test")
def send_test(page: Annotated[Page, acts("operate")], receiver: _Words = "") -> Response:
    """Send a test to a receiver at once; audited."""
    _record(page, "test_receiver", receiver)
    try:
        sent = Courier(page.services.settings, page.services.alerts).test(receiver)
    except SettingsError as error:
        return page.go("/alerts#deliveries", Notice(str(error), is_error=True))
    if sent.state == "sent":
        return page.go("/alerts#deliveries", Notice(f"{receiver} took the test."))
    return page.go("/alerts#deliveries", Notice(f"{receiver} did not take the test: {sent.error}", is_error=True))


def _record(page: Page, action: str, target: str) -> None:
    request_id = notes_of(page.request.scope).request_id
    page.services.audit.record(page.session.key.key_id, action, target, request_id)

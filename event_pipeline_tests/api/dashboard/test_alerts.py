"""The page of alerts in a browser: what fires, silences made and ended, who was told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from event_pipeline.alerts.alert import Alert, fingerprint_of
from event_pipeline.alerts.delivery.outbox import Outbox
from event_pipeline.alerts.store import AlertStore
from event_pipeline.sqlite import stamp
from event_pipeline_tests.api.dashboard.conftest import Visiting
from event_pipeline_tests.api.dashboard.site import Scheme, Site
from event_pipeline_tests.api.organisation import NOW


def _alert(rule: str, subject: str, summary: str, **more: object) -> Alert:
    made = Alert(
        fingerprint_of(rule, subject), rule, subject, "firing", "warning", "operators", summary, NOW,
        firing_since=NOW - timedelta(hours=1), told="firing", told_at=NOW,
    )  # fmt: skip
    return replace(made, **more)  # pyright: ignore[reportArgumentType]


FULL = _alert("event_sold_out", "e1", "Chess Night is sold out", severity="info", labels={"event_id": "e1"})
DISK = _alert("disk", "data", "the data folder's disk has 1.0 GB left", severity="critical")
SLOW = _alert("latency", "firestore", "changes are late", state="pending", firing_since=None, told=None)
OVER = _alert(
    "refund_spike", "refunds", "9 refunds within 24 hours", state="resolved", resolved_at=NOW, told="resolved"
)


@pytest.fixture(autouse=True)
def _known(site: Site) -> None:
    """These alerts, evaluated just now; nothing is silenced."""
    alerts = site.services.alerts
    for table in ("alerts", "silences", "notifications"):
        alerts.execute(f"DELETE FROM {table}")
    known = (FULL, DISK, SLOW, OVER)
    AlertStore(alerts).keep({}, {alert.fingerprint: alert for alert in known})
    Outbox(alerts).add("night", "firing", "disk", [DISK], NOW)
    alerts.execute("UPDATE notifications SET state = 'given_up', attempts = 8, error = 'it answered 503'")
    alerts.note("evaluated_at", stamp(NOW))


def test_it_shows_what_fires_what_was_and_who_was_told(visit: Visiting) -> None:
    open_page = visit("/alerts")
    now = open_page.text("#live-firing")
    assert all(alert.summary[1:] in now for alert in (FULL, DISK, SLOW))
    assert now.count("Not told yet") == 1
    assert OVER.summary in open_page.text("#live-over")
    told = open_page.text("#live-deliveries")
    assert all(words in told for words in ("night", "Given up", "8 attempts", "it answered 503"))


def test_a_silence_is_made_from_an_alert_and_ended(visit: Visiting, site: Site) -> None:
    page = visit("/alerts").page
    page.locator("#live-firing li", has_text=DISK.summary[1:]).get_by_role("link", name="Silence").click()
    page.get_by_label("Why").fill("a new disk comes on Monday")
    page.get_by_role("button", name="Silence", exact=True).click()
    page.get_by_text("Nobody is told of such alerts for a day.").wait_for()
    assert "a new disk comes on Monday" in page.locator("#silences").inner_text()
    assert page.locator("#live-firing .badge", has_text="Silenced").count() == 1
    (silence,) = AlertStore(site.services.alerts).silences()
    assert silence.matchers == {"rule": "disk", "subject": "data"}
    page.get_by_role("button", name="End the silence").click()
    page.get_by_text("The silence is over").wait_for()
    assert "Nothing is silenced." in page.locator("#silences").inner_text()
    assert [entry.action for entry in site.services.audit.entries(2)] == ["end_silence", "silence"]


def test_a_key_that_may_not_operate_silences_nothing(visit: Visiting) -> None:
    page = visit("/alerts", "read").page
    assert page.get_by_role("button", name="Silence").count() == 0
    assert "scope operate" in page.locator("#silences").inner_text()


def test_an_alert_that_begins_is_on_the_open_page(visit: Visiting, site: Site) -> None:
    page = visit("/alerts").page
    late = _alert("freshness", "tables", "changes have waited for 61 minutes")
    AlertStore(site.services.alerts).keep({}, {late.fingerprint: late})
    page.locator("#live-firing", has_text=late.summary[1:]).wait_for()


def test_that_nobody_watches_is_said(visit: Visiting, site: Site) -> None:
    site.services.alerts.note("evaluated_at", stamp(NOW - timedelta(hours=1)))
    assert "Nobody is watching" in visit("/alerts").text("#live-evaluation")
    assert "Nobody is watching" in visit("/").text("#live-attention")


def test_what_fires_needs_attention_on_the_overview(visit: Visiting) -> None:
    said = visit("/").text("#live-attention")
    assert "The data folder's disk has 1.0 GB left" in said
    assert "Chess Night is sold out" in said
    assert SLOW.summary not in said.lower()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("is_phone", [False, True], ids=["desktop", "phone"])
def test_nothing_is_in_the_way_of_anyone(visit: Visiting, site: Site, scheme: Scheme, is_phone: bool) -> None:
    now = datetime.now(UTC)
    AlertStore(site.services.alerts).silence({"rule": "event_*"}, now + timedelta(hours=1), "me", "we know", now)
    open_page = visit("/alerts?rule=disk&subject=data", scheme=scheme, is_phone=is_phone)
    open_page.check_accessible()

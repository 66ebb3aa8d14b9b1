"""The list of events and an event's page in a browser."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from event_pipeline.api.dashboard.formats import Formats
from event_pipeline.settings import Organisation
from event_pipeline.warehouse.connection import connect
from event_pipeline.warehouse.lock import write_transaction
from event_pipeline_tests.api.dashboard.conftest import Visiting
from event_pipeline_tests.api.dashboard.site import Scheme, Site
from event_pipeline_tests.api.organisation import ask

FORMATS = Formats(Organisation())
_BUSIEST = """
SELECT event_id FROM warehouse.core.dim_events JOIN warehouse.marts.agg_email_funnel USING (event_id)
WHERE attended > 0 AND is_paid AND event_id <> 'unknown' ORDER BY attended DESC, event_id LIMIT 1
"""


@pytest.fixture(scope="module")
def event_id(site: Site) -> str:
    ((found,),) = ask(site.settings, _BUSIEST)
    return found


def test_the_list_has_the_latest_events_first_and_goes_on(visit: Visiting, site: Site) -> None:
    known = ask(
        site.settings,
        "SELECT event_id FROM warehouse.core.dim_events WHERE event_id <> 'unknown' "
        "ORDER BY starts_at DESC NULLS LAST, event_id",
    )
    page = visit("/events").page
    links = page.locator(".event-name")
    shown = links.evaluate_all("links => links.map(link => decodeURIComponent(link.pathname.split('/')[2]))")
    while page.get_by_role("link", name="Earlier events").count():
        page.get_by_role("link", name="Earlier events").click()
        page.wait_for_load_state()
        shown += links.evaluate_all("links => links.map(link => decodeURIComponent(link.pathname.split('/')[2]))")
    assert shown == [event for (event,) in known]


def test_events_are_found_by_words_and_state(visit: Visiting, site: Site) -> None:
    ((title,),) = ask(
        site.settings, "SELECT max(title) FROM warehouse.core.dim_events WHERE event_status = 'completed'"
    )
    open_page = visit("/events")
    open_page.page.get_by_role("link", name="Past", exact=True).click()
    open_page.page.get_by_role("searchbox").fill(title.upper())
    open_page.page.keyboard.press("Enter")
    open_page.page.wait_for_url(re.compile(r"status=completed&q=.+"))
    assert set(open_page.page.locator(".event-name").all_inner_texts()) == {title}
    open_page.open("/events?q=no+such+words")
    assert "No events match" in open_page.text("main")


def test_an_events_figures_are_the_tables(visit: Visiting, site: Site, event_id: str) -> None:
    ((registrations, participants, revenue),) = ask(
        site.settings,
        "SELECT sum(registrations), sum(participants), sum(revenue_minor)::BIGINT "
        "FROM warehouse.marts.agg_event_metrics WHERE event_id = ?",
        (event_id,),
    )
    ((registered, attended),) = ask(
        site.settings,
        "SELECT registered, attended FROM warehouse.marts.agg_email_funnel WHERE event_id = ?",
        (event_id,),
    )
    open_page = visit(f"/events/{event_id}")
    figures = [FORMATS.number(registrations), FORMATS.number(attended), FORMATS.number(registered - attended)]
    assert open_page.page.locator("#live-event .figure").all_inner_texts() == [*figures, FORMATS.minor(revenue)]
    assert FORMATS.counted(participants, "person", "people") in open_page.text("#live-event")
    page = open_page.page
    page.locator("#arrivals summary").click()
    shown = sum(int(text.replace(",", "")) for text in page.locator("#arrivals tbody td").all_inner_texts())
    ((arrived,),) = ask(
        site.settings, "SELECT sum(check_ins) FROM warehouse.marts.agg_arrivals WHERE event_id = ?", (event_id,)
    )
    assert shown == arrived
    steps = dict(
        zip(
            page.locator("#live-mail th").all_inner_texts()[3:],
            page.locator("#live-mail td:nth-child(2)").all_inner_texts(),
            strict=True,
        )
    )
    assert (steps["Registered"], steps["Checked in"]) == (FORMATS.number(registered), FORMATS.number(attended))


def test_teams_are_told_in_registrations_and_in_people(visit: Visiting, site: Site) -> None:
    ((event_id, registered, people, attended, came),) = ask(
        site.settings,
        "SELECT event_id, registered, registered_people, attended, attended_people "
        "FROM warehouse.marts.agg_email_funnel JOIN warehouse.core.dim_events USING (event_id) "
        "WHERE registered_people <> registered AND event_status = 'completed' "
        "ORDER BY registered DESC, event_id LIMIT 1",
    )
    open_page = visit(f"/events/{event_id}")
    cards = open_page.text("#live-event")
    assert f"of {FORMATS.counted(registered, 'registration')}" in cards
    assert f"{FORMATS.number(came)} of {FORMATS.counted(people, 'person', 'people')}" in cards
    assert f"{registered - attended} of {FORMATS.counted(registered, 'registration')} did not come" in cards
    assert f"{people - came} of {FORMATS.counted(people, 'person', 'people')}" in cards
    counted = open_page.text("#live-count")
    assert f"{FORMATS.number(attended)} of {FORMATS.counted(registered, 'registration')} checked in" in counted
    assert f"{FORMATS.number(came)} of {FORMATS.counted(people, 'person', 'people')}" in counted
    open_page.open(f"/events/{event_id}/participants")
    assert FORMATS.counted(people, "person", "people") in open_page.text("main")


def test_payments_are_shown_by_their_state(visit: Visiting, site: Site, event_id: str) -> None:
    known = ask(
        site.settings,
        "SELECT payment_status, count(*), sum(revenue_minor)::BIGINT FROM warehouse.core.fact_payments "
        "WHERE event_id = ? GROUP BY payment_status ORDER BY payment_status",
        (event_id,),
    )
    rows = visit(f"/events/{event_id}").page.locator("#live-money tbody tr")
    shown = [row.locator("th, td").all_inner_texts() for row in rows.all()]
    assert [(row[0].lower(), row[1], row[4]) for row in shown] == [
        (state, FORMATS.number(payments), FORMATS.minor(revenue)) for state, payments, revenue in known
    ]


def test_a_check_in_is_seen_at_the_open_page(visit: Visiting, site: Site) -> None:
    ((event_id, attended),) = ask(
        site.settings,
        "SELECT event_id, attended FROM warehouse.marts.agg_email_funnel "
        "WHERE registered > attended AND event_id <> 'unknown' ORDER BY event_id LIMIT 1",
    )
    now = site.services.now()
    with connect(site.settings, ("warehouse",)) as connection, write_transaction(connection, site.settings):
        connection.execute(
            "UPDATE warehouse.core.dim_events SET starts_at = ?, ends_at = NULL WHERE event_id = ?", [now, event_id]
        )
    site.services.mirror.refresh()
    open_page = visit(f"/events/{event_id}")
    assert "Doors are open" in open_page.text("main")
    with connect(site.settings, ("warehouse",)) as connection, write_transaction(connection, site.settings):
        connection.execute(
            "INSERT INTO warehouse.core.fact_attendance (attendance_id, event_id, claimed_event_id, user_id, method, "
            "occurred_at, scanner_id, is_valid, is_counted) "
            "VALUES ('scan:x', $1, $1, 'x', 'qr_scan', $2, 'gate-7', true, true)",
            [event_id, now - timedelta(minutes=1)],
        )
        connection.execute(
            "UPDATE warehouse.marts.agg_email_funnel SET attended = attended + 1 WHERE event_id = ?", [event_id]
        )
    open_page.page.get_by_text("gate-7").wait_for()
    open_page.page.locator("#live-count b").get_by_text(FORMATS.number(attended + 1), exact=True).wait_for()
    assert "0.1 arrivals a minute" in open_page.text("#live-door")


def test_what_can_be_downloaded_comes_with_the_session(visit: Visiting, event_id: str) -> None:
    assert visit(f"/events/{event_id}", "read").page.get_by_text("Download").count() == 0
    page = visit(f"/events/{event_id}", "read", "pii", "export").page
    page.get_by_text("Download").click()
    names = []
    for link in page.locator(".links a").all():
        with page.expect_download() as started:
            link.click()
        names.append(started.value.suggested_filename)
    assert len(names) == 9
    assert {name.rsplit(".", 1)[1] for name in names} == {"xlsx", "csv"}


def test_names_need_pii_and_a_look_is_audited(visit: Visiting, site: Site, event_id: str) -> None:
    assert visit(f"/events/{event_id}", "read").page.get_by_role("link", name="Participants").count() == 0
    open_page = visit(f"/events/{event_id}", "read", "pii")
    open_page.page.get_by_role("link", name="Participants").click()
    open_page.page.wait_for_url("**/participants")
    ((name,),) = ask(
        site.settings,
        "SELECT p.person_name FROM warehouse.core.fact_registrations f JOIN lake.people.people p USING (user_id) "
        "WHERE f.event_id = ? ORDER BY registration_id LIMIT 1",
        (event_id,),
    )
    assert name in open_page.text("tbody")
    newest = site.services.audit.entries(1)[0]
    assert (newest.action, newest.target) == ("read_participants", event_id)
    open_page.check_accessible()


def test_payments_are_listed_by_name_and_add_up_and_a_look_is_audited(visit: Visiting, site: Site) -> None:
    ((event_id, payments),) = ask(
        site.settings,
        "SELECT event_id, count(*) FROM warehouse.core.fact_payments WHERE event_id <> 'unknown' "
        "GROUP BY 1 HAVING count(*) < 50 ORDER BY 2 DESC, 1 LIMIT 1",
    )
    assert visit(f"/events/{event_id}", "read").page.get_by_role("link", name="Payments by name").count() == 0
    open_page = visit(f"/events/{event_id}", "read", "pii")
    total = open_page.page.locator("#live-money tfoot td").last.inner_text()
    assert open_page.page.locator(".card", has_text="Revenue").locator(".figure").inner_text() == total
    open_page.page.get_by_role("link", name="Payments by name").click()
    open_page.page.wait_for_url("**/payments")
    assert open_page.page.locator("tbody tr").count() == payments
    newest = site.services.audit.entries(1)[0]
    assert (newest.action, newest.target) == ("read_payments", event_id)
    open_page.check_accessible()
    open_page.page.get_by_role("link", name="Only payments to check").click()
    open_page.page.wait_for_url("**/payments?to_check=true")


def test_an_event_that_never_was_is_said_to_be_none(visit: Visiting) -> None:
    open_page = visit("/events")
    open_page.expected = "404"
    open_page.open("/events/never")
    assert "There is no such page" in open_page.text("main")
    open_page.check_accessible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("is_phone", [False, True], ids=["desktop", "phone"])
def test_nothing_is_in_the_way_of_anyone(visit: Visiting, event_id: str, scheme: Scheme, is_phone: bool) -> None:
    open_page = visit("/events", scheme=scheme, is_phone=is_phone)
    open_page.check_accessible()
    open_page.open(f"/events/{event_id}")
    open_page.check_accessible()

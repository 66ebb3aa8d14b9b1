"""The overview in a browser: what it says is what the tables hold, and it follows them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from event_pipeline.api.dashboard.formats import Formats
from event_pipeline.settings import Organisation
from event_pipeline.warehouse.connection import connect
from event_pipeline.warehouse.lock import write_transaction
from event_pipeline_tests.api.dashboard.conftest import Visiting
from event_pipeline_tests.api.dashboard.site import Scheme, Site
from event_pipeline_tests.api.organisation import ask

if TYPE_CHECKING:
    from playwright.sync_api import Route

FIRST_PAGE_BYTES = 450_000
_TODAY = """
SELECT sum(registrations), sum(check_ins), sum(revenue_minor)::BIGINT FROM warehouse.marts.agg_daily_metrics
WHERE date BETWEEN ?::DATE - ? AND ?
"""


def _figures(site: Site, days: int, last: date) -> tuple[str, str, str]:
    ((registrations, check_ins, revenue),) = ask(site.settings, _TODAY, (last, days - 1, last))
    formats = Formats(Organisation())
    return formats.number(registrations), formats.number(check_ins), formats.minor(revenue)


def test_todays_figures_are_the_tables(visit: Visiting, site: Site) -> None:
    page = visit("/").page
    today = site.services.today
    yesterday = today - timedelta(days=1)
    texts = page.locator("#live-today dd").all_inner_texts()
    assert tuple(page.locator("#live-today .figure").all_inner_texts()) == _figures(site, 1, today)
    assert [text.removeprefix("Yesterday ") for text in texts if text.startswith("Yesterday")] == list(
        _figures(site, 1, yesterday)
    )
    # A week up to yesterday, beside the week before: today is not over.
    weeks = [text for text in texts if "the 7 days before" in text]
    assert [text.split(" in 7 days up to yesterday, ")[0] for text in weeks] == list(_figures(site, 7, yesterday))
    ((now,),), ((before,),) = (
        ask(site.settings, "SELECT sum(registrations)::BIGINT FROM warehouse.marts.agg_daily_metrics "
            "WHERE date BETWEEN ?::DATE - 6 AND ?", (last, last))
        for last in (yesterday, yesterday - timedelta(days=7))
    )  # fmt: skip
    how = f"{abs(now - before)} {'more' if now > before else 'fewer'} than" if now != before else "as many as"
    assert weeks[0].endswith(f", {how} the 7 days before")


@pytest.mark.parametrize(("period", "days"), [("week", 7), ("month", 30)])
def test_the_trend_has_every_day_and_the_days_before(visit: Visiting, site: Site, period: str, days: int) -> None:
    page = visit(f"/?period={period}&metric=check-ins").page
    page.locator("#trend summary").click()
    rows = page.locator("#trend tbody tr")
    assert rows.count() == days
    now, before = (
        sum(int(text) for text in page.locator(f"#trend tbody td:nth-child({column})").all_inner_texts())
        for column in (2, 3)
    )
    (both,), (last,) = (
        ask(site.settings, _TODAY, (site.services.today, length - 1, site.services.today))
        for length in (2 * days, days)
    )
    assert (now, before) == (last[1], both[1] - last[1])


def test_a_day_that_is_not_over_is_drawn_apart(visit: Visiting) -> None:
    page = visit("/?period=week").page
    data = json.loads(page.locator("#trend script").first.text_content() or "")
    assert [series["partial"] for series in data["series"]] == [[6], []]
    assert [label.endswith("(so far)") for label in data["labels"]] == [False] * 6 + [True]


def test_coming_events_are_those_of_the_tables_the_soonest_first(visit: Visiting, site: Site) -> None:
    shown = visit("/").page.locator("#live-coming .event-name").all_inner_texts()
    known = ask(
        site.settings,
        "SELECT title FROM warehouse.core.dim_events WHERE starts_at > ? AND NOT is_archived "
        "AND coalesce(event_status, '') <> 'cancelled' ORDER BY starts_at LIMIT 8",
        (site.services.now(),),
    )
    assert shown
    assert shown[-len(known) :] == [title for (title,) in known]


def test_what_needs_attention_comes_first_with_the_way_to_it(visit: Visiting) -> None:
    open_page = visit("/")
    said = open_page.text("#live-attention")
    for words in ("Dagster does not answer", "1 check failing", "core.dim_users", "in quarantine"):
        assert words in said
    ways = open_page.page.locator("#live-attention a").evaluate_all("links => links.map(link => link.pathname)")
    assert {"/pipeline", "/quality"} <= set(ways)


def test_a_commit_is_on_the_page_without_loading_it_again(visit: Visiting, site: Site) -> None:
    page = visit("/").page
    page.evaluate("document.body.dataset.same = 'page'")
    with _more_registrations_today(site, 1_234_567):
        expected = _figures(site, 1, site.services.today)[0]
        assert expected.startswith("12,3")
        page.wait_for_function("said => document.querySelector('#live-today .figure').innerText === said", arg=expected)
    assert page.evaluate("document.body.dataset.same") == "page"


@contextmanager
def _more_registrations_today(site: Site, more: int) -> Iterator[None]:
    for change in (more, -more):
        with connect(site.settings, ("warehouse",)) as connection, write_transaction(connection, site.settings):
            connection.execute(
                "UPDATE warehouse.marts.agg_daily_metrics SET registrations = registrations + ? WHERE date = ?",
                [change, site.services.today],
            )
        if change > 0:
            yield


def test_a_session_that_ends_is_said_on_the_open_page(visit: Visiting, site: Site) -> None:
    opened = visit("/")
    opened.expected = "401"
    for key in site.services.keys.known():
        site.services.keys.revoke(key.key_id)
    opened.page.get_by_role("link", name="Sign in again").wait_for()


def test_a_session_that_ended_before_the_page_could_follow_is_said_too(visit: Visiting, site: Site) -> None:
    opened = visit("/sql")
    opened.expected = "401"

    def end_session_first(route: Route) -> None:
        for key in site.services.keys.known():
            site.services.keys.revoke(key.key_id)
        route.continue_()

    opened.page.route("**/updates?*", end_session_first)
    opened.open("/")
    opened.page.get_by_role("link", name="Sign in again").wait_for()


def test_the_keyboard_reaches_everything_and_skips_the_menu(visit: Visiting) -> None:
    page = visit("/").page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.locator(".menu > summary").focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("button", name="Sign out").is_visible()
    page.keyboard.press("Escape")
    assert not page.get_by_role("button", name="Sign out").is_visible()
    page.locator("#trend summary").focus()
    page.keyboard.press("Enter")
    assert page.locator("#trend table").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("is_phone", [False, True], ids=["desktop", "phone"])
def test_nothing_is_in_the_way_of_anyone(visit: Visiting, scheme: Scheme, is_phone: bool) -> None:
    visit("/", scheme=scheme, is_phone=is_phone).check_accessible()


def test_the_first_page_is_small(visit: Visiting, site: Site) -> None:
    open_page = visit("/")
    client = open_page.page.context.new_cdp_session(open_page.page)
    client.send("Network.enable")
    client.send("Network.clearBrowserCache")
    received: list[float] = []
    client.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    open_page.open("/")
    assert len(received) >= 5
    assert 0 < sum(received) < FIRST_PAGE_BYTES

"""The pages of the pipeline and of data quality in a browser, and what they say when things are away."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from event_pipeline.api.dashboard.formats import Formats
from event_pipeline.api.sessions import COOKIE
from event_pipeline.settings import Organisation
from event_pipeline_tests.api.dashboard.conftest import Visiting
from event_pipeline_tests.api.dashboard.site import Scheme, Site, served, visiting
from event_pipeline_tests.api.organisation import ask, settings_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FORMATS = Formats(Organisation())


def test_every_part_is_told_with_its_state(visit: Visiting) -> None:
    said = visit("/pipeline").text("#live-parts")
    for words in ("Reading the sources Well", "Warehouse Well", "Live updates Off", "Dagster Down"):
        assert words in said


def test_the_last_hours_batches_are_those_of_the_table(visit: Visiting, site: Site) -> None:
    open_page = visit("/pipeline")
    ((new, quarantined),) = ask(
        site.settings,
        "SELECT sum(rows_new), sum(rows_quarantined) FROM warehouse.ops.batches WHERE committed_at > ?",
        (site.services.now() - timedelta(hours=1),),
    )
    figures = open_page.page.locator("#live-figures .figure").all_inner_texts()
    assert figures[2:4] == [FORMATS.number(new), FORMATS.number(quarantined)]
    open_page.page.locator("#changes summary").click()
    counts = open_page.page.locator("#changes tbody td").all_inner_texts()
    assert (len(counts), sum(int(count) for count in counts)) == (60, new)


def test_switching_without_dagster_says_that_it_is_away(visit: Visiting) -> None:
    open_page = visit("/pipeline")
    open_page.page.on("dialog", lambda dialog: dialog.accept())
    open_page.page.get_by_role("button", name="Stop").click()
    open_page.page.get_by_role("alert").wait_for()
    assert "no Dagster webserver answers" in open_page.text("[role=alert]")
    open_page.open("/pipeline")
    assert open_page.page.get_by_role("alert").count() == 0


def test_who_may_not_operate_sees_no_switches_and_cannot_send_them(visit: Visiting, site: Site) -> None:
    page = visit("/pipeline", "read").page
    assert page.locator("main form").count() == 0
    secret = site.session("read")
    session = site.services.sessions.recognise(secret)
    assert session
    for path in ("start", "stop", "run"):
        answer = httpx.post(
            f"{site.url}/pipeline/{path}", data={"token": session.token, "job": "refresh"}, cookies={COOKIE: secret}
        )
        assert answer.status_code == 403


def test_failing_checks_come_with_what_they_promise(visit: Visiting, site: Site) -> None:
    open_page = visit("/quality")
    ((score, failed),) = ask(site.settings, "SELECT avg(score), sum(failed) FROM warehouse.ops.data_quality")
    figures = open_page.page.locator(".cards .figure").all_inner_texts()
    assert figures[:2] == [FORMATS.share(score, 1), FORMATS.number(failed)]
    open_page.page.get_by_label("Table", exact=True).select_option("core.dim_users")
    open_page.page.get_by_role("button", name="Show").click()
    open_page.page.wait_for_url("**/quality?table=core.dim_users")
    assert open_page.page.locator(".cards .figure").first.inner_text() == FORMATS.share(0.5, 1)


def test_quarantine_names_rule_number_and_way_out(visit: Visiting, site: Site) -> None:
    known = ask(
        site.settings,
        "SELECT table_name, rule, count(DISTINCT document_id), min(what_to_do) FROM lake.quarantine.rows "
        "GROUP BY table_name, field, rule, consequence ORDER BY 3 DESC, 1, 2",
    )
    assert known
    rows = visit("/quality").page.locator("#quarantine tbody tr").all()
    shown = [row.locator("th, td").all_inner_texts() for row in rows]
    assert [(row[0], row[1].split("\n")[-1].strip(), row[2], row[4]) for row in shown] == [
        (table, rule, FORMATS.number(documents), to_do.replace("`", "")) for table, rule, documents, to_do in known
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("is_phone", [False, True], ids=["desktop", "phone"])
def test_nothing_is_in_the_way_of_anyone(visit: Visiting, scheme: Scheme, is_phone: bool) -> None:
    open_page = visit("/pipeline", scheme=scheme, is_phone=is_phone)
    open_page.check_accessible()
    open_page.open("/quality")
    open_page.check_accessible()


def test_without_a_warehouse_pages_say_what_is_missing_and_come_by_themselves(
    tmp_path: Path, folder: Path, browser: Browser
) -> None:
    settings = settings_for(tmp_path, refresh_seconds=0.05)
    with served(settings) as site, visiting(browser, site, site.session()) as visit:
        visit.expected = "503"
        visit.open("/")
        assert "There is nothing to show yet" in visit.text("main")
        visit.check_accessible()
        visit.open("/pipeline")
        assert "Warehouse Down" in visit.text("#live-parts")
        visit.open("/")
        shutil.copytree(folder, tmp_path, ignore=shutil.ignore_patterns("api"), dirs_exist_ok=True)
        visit.page.locator("#live-today .figure").first.wait_for()

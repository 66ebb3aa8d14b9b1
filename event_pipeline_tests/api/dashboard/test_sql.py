"""The SQL page in a browser: a query is written, run, drawn, saved and taken away."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from event_pipeline_tests.api.dashboard.conftest import Visiting
from event_pipeline_tests.api.dashboard.site import Scheme, Site
from event_pipeline_tests.api.organisation import ask

WEEKS = "SELECT date_trunc('week', date) AS week, sum(registrations) AS n FROM agg_daily_metrics GROUP BY 1 ORDER BY 1"


def test_a_query_is_run_by_keyboard_and_its_rows_are_those_of_the_table(visit: Visiting, site: Site) -> None:
    page = visit("/sql").page
    page.get_by_label("Query", exact=True).fill("SELECT event_id, fee_minor FROM dim_events ORDER BY event_id")
    page.keyboard.press("Control+Enter")
    page.locator(".result-grid").wait_for()
    shown = [row.locator("td").all_inner_texts() for row in page.locator(".result-grid tbody tr").all()]
    known = ask(site.settings, "SELECT event_id, fee_minor FROM warehouse.core.dim_events ORDER BY event_id")
    assert shown == [[event_id, "null" if fee is None else str(fee)] for event_id, fee in known]
    assert page.locator(".result-grid thead .number").count() == 1


def test_an_example_is_a_click_away_and_draws_a_chart(visit: Visiting) -> None:
    open_page = visit("/sql")
    page = open_page.page
    page.get_by_role("link", name="Registrations a week").click()
    page.get_by_role("button", name="Run", exact=True).click()
    page.locator("figure[data-drawn]").wait_for()
    assert "registrations by week" in open_page.text("figcaption")
    assert page.locator("#result-chart canvas").is_visible()
    # The weeks are timestamps of midnight, and written as days.
    assert date.fromisoformat(page.locator(".result-grid tbody td").first.inner_text()).weekday() == 0


def test_a_wrong_query_says_where_and_puts_the_caret_there(visit: Visiting) -> None:
    open_page = visit("/sql")
    page = open_page.page
    page.get_by_label("Query", exact=True).fill("SELECT 1,\n  titel FROM dim_events")
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("alert").wait_for()
    assert "line 2, column 3" in open_page.text("[role=alert]")
    assert page.evaluate("document.activeElement.selectionStart") == len("SELECT 1,\n  ")


def test_an_answer_that_is_cut_off_and_one_without_rows_say_so(visit: Visiting) -> None:
    open_page = visit("/sql")
    page = open_page.page
    page.get_by_label("Query", exact=True).fill("SELECT * FROM range(200)")
    page.get_by_label("Most rows").select_option("100")
    page.get_by_role("button", name="Run", exact=True).click()
    assert "There are more rows than these 100" in open_page.text("#result")
    page.get_by_label("Query", exact=True).fill("SELECT * FROM dim_events WHERE event_id = $id")
    page.get_by_text("Values for ?").click()
    page.get_by_label("As JSON").fill('{"id": "nothing"}')
    page.get_by_role("button", name="Run", exact=True).click()
    assert "No rows" in open_page.text("#result")


def test_a_plan_is_shown(visit: Visiting) -> None:
    open_page = visit("/sql")
    open_page.page.get_by_label("Query", exact=True).fill("SELECT count(*) FROM dim_events")
    open_page.page.get_by_role("button", name="Show the plan").click()
    open_page.page.locator(".plan").wait_for()
    assert "SCAN" in open_page.text(".plan")


def test_a_query_is_saved_opened_changed_and_deleted(visit: Visiting) -> None:
    open_page = visit("/sql")
    page = open_page.page
    page.get_by_label("Query", exact=True).fill(WEEKS)
    page.get_by_label("Name", exact=True).fill("Weeks")
    page.get_by_role("button", name="Save").click()
    assert "“Weeks” is saved." in open_page.text(".notice.good")
    page.goto(f"{open_page.site.url}/sql")
    page.get_by_role("link", name="Weeks", exact=True).click()
    assert page.get_by_label("Query", exact=True).input_value() == WEEKS
    page.get_by_label("Query", exact=True).fill(f"{WEEKS} LIMIT 3")
    page.get_by_role("button", name="Save").click()
    assert open_page.site.services.saved_queries.page(10, None)[0].sql == f"{WEEKS} LIMIT 3"
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete Weeks").click()
    assert "“Weeks” is deleted." in open_page.text(".notice.good")
    assert open_page.site.services.saved_queries.page(10, None) == []


def test_the_answer_is_taken_away_as_a_file(visit: Visiting, site: Site, tmp_path: Path) -> None:
    page = visit("/sql").page
    page.get_by_label("Query", exact=True).fill("SELECT event_id FROM dim_events ORDER BY 1")
    files = (("CSV", "csv", b"\xef\xbb\xbf"), ("Excel", "xlsx", b"PK"), ("Parquet", "parquet", b"PAR1"))
    for name, suffix, begin in files:
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        assert download.value.suggested_filename == f"query.{suffix}"
        download.value.save_as(tmp_path / suffix)
        assert (tmp_path / suffix).read_bytes().startswith(begin)
    assert site.services.audit.entries(1)[0].action == "export_query"


def test_no_file_is_made_of_a_part_of_an_answer_nor_of_a_wrong_query(visit: Visiting, site: Site) -> None:
    open_page = visit("/sql")
    page = open_page.page
    for sql, said in (
        (f"FROM range({site.settings.sql.rows + 1})", "longer than a file made here may be"),
        ("SELECT titel FROM dim_events", "titel"),
    ):
        page.get_by_label("Query", exact=True).fill(sql)
        page.get_by_role("button", name="CSV").click()
        page.get_by_role("alert").wait_for()
        assert said in open_page.text("[role=alert]")
        assert page.get_by_label("Query", exact=True).input_value() == sql
        page.goto(page.url)
        assert page.url == f"{site.url}/sql"


def test_tables_are_found_and_their_names_inserted(visit: Visiting) -> None:
    page = visit("/sql").page
    page.get_by_label("Find a table or column").fill("club_name")
    shown = [item for item in page.locator(".schema > li").all() if item.is_visible()]
    assert [item.locator("summary").inner_text() for item in shown] == ["core.dim_clubs"]
    shown[0].locator("summary").click()
    assert "Name" in shown[0].inner_text() or "name" in shown[0].inner_text()
    page.get_by_label("Query", exact=True).fill("SELECT * FROM")
    page.get_by_role("button", name="Insert the name").locator("visible=true").click()
    assert page.get_by_label("Query", exact=True).input_value() == "SELECT * FROM core.dim_clubs"


def test_without_the_scope_it_is_neither_shown_nor_answered(visit: Visiting, site: Site) -> None:
    assert visit("/", "read").page.get_by_role("link", name="SQL", exact=True).count() == 0
    page = visit("/sql", "sql").page
    assert page.get_by_role("group", name="Download the answer").count() == 0
    token = page.locator("input[name=token]").first.input_value()
    sent = page.request.post(f"{site.url}/sql/file", form={"token": token, "sql": "SELECT 1", "form": "csv"})
    assert sent.status == 403
    forged = page.request.post(f"{site.url}/sql/run", form={"token": "x", "sql": "SELECT 1"})
    assert forged.status == 403


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("is_phone", [False, True], ids=["desktop", "phone"])
def test_nothing_is_in_the_way_of_anyone(visit: Visiting, scheme: Scheme, is_phone: bool) -> None:
    open_page = visit("/sql", scheme=scheme, is_phone=is_phone)
    open_page.check_accessible()
    open_page.page.get_by_label("Query", exact=True).fill(WEEKS)
    open_page.page.get_by_role("button", name="Run", exact=True).click()
    open_page.page.locator("figure[data-drawn]").wait_for()
    open_page.check_accessible()

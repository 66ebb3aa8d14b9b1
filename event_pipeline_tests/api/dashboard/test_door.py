"""The door in a browser: large answers at once, and scans that wait on the device while there is no connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from event_pipeline_tests.api.dashboard.conftest import Visiting
from event_pipeline_tests.api.dashboard.site import Scheme, Site, visiting
from event_pipeline_tests.api.organisation import ask

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def codes(site: Site) -> list[str]:
    """Codes of people who have not come to a free event, none of which is near the day of the test's clock."""
    rows = ask(
        site.settings, "SELECT json_extract_string(payload, '$.qr_code_data') AS code "
        "FROM warehouse.core.fact_registrations f "
        "JOIN lake.raw.firebase_registrations ON document_id = registration_id "
        "JOIN warehouse.core.dim_events e ON e.event_id = f.event_id "
        "WHERE f.is_counted AND NOT is_attended AND NOT e.is_paid AND code IS NOT NULL "
        "AND abs(e.start_date - ?::DATE) > 7 ORDER BY 1", (site.services.today,),
    )  # fmt: skip
    return [code for (code,) in rows]


def scan(page: Page, text: str) -> None:
    """As a scanner that types does."""
    page.locator("#scan-text").fill(text)
    page.keyboard.press("Enter")


def told(page: Page, tone: str, word: str) -> None:
    """Waits until the answer has that colour and those large letters."""
    page.locator(f"#scan-answer.{tone} .scan-word", has_text=word).wait_for(timeout=_PATIENCE_MS)


def test_a_phone_is_told_in_large_letters(visit: Visiting, codes: list[str]) -> None:
    page = visit("/door", "scan", is_phone=True).page
    for text, tone, word in (
        (codes[0], "good", "Come in"),
        (codes[0], "warn", "Already in"),
        ("https://example.org/menu.pdf", "bad", "Scan again"),
        (codes[1], "good", "Come in"),
    ):
        scan(page, text)
        told(page, tone, word)
    assert page.locator("#scan-list li").count() == 4
    assert page.evaluate("document.activeElement.id") == "scan-text"
    assert page.locator(".side a").all_inner_texts() == ["Door"]


def test_scans_wait_on_the_device_until_there_is_a_connection(visit: Visiting, codes: list[str]) -> None:
    open_page = visit("/door", "scan")
    page = open_page.page
    page.context.set_offline(True)
    scan(page, codes[2])
    told(page, "none", "Kept")
    assert "1 scan waits on this device" in open_page.text("#scan-waiting")
    assert codes[2] in page.evaluate("JSON.parse(localStorage.getItem('door-scans'))[0].qr_code_data")
    open_page.complaints.clear()  # the browser's own, that it is offline
    page.context.set_offline(False)
    told(page, "good", "Come in")
    assert page.locator("#scan-waiting").is_hidden()
    assert page.evaluate("localStorage.getItem('door-scans')") == "[]"
    open_page.complaints.clear()


def test_names_are_shown_to_keys_that_may_know_them(visit: Visiting, site: Site, codes: list[str]) -> None:
    ((name,),) = ask(
        site.settings, "SELECT person_name FROM lake.people.people p "
        "JOIN warehouse.core.fact_registrations f USING (user_id) "
        "JOIN lake.raw.firebase_registrations ON document_id = f.registration_id "
        "WHERE json_extract_string(payload, '$.qr_code_data') = ?", [codes[3]]
    )  # fmt: skip
    page = visit("/door", "scan", "pii").page
    scan(page, codes[3])
    told(page, "good", "Come in")
    assert name in page.locator("#scan-answer").inner_text()


def test_without_scripts_the_form_answers_too(browser: Browser, site: Site, codes: list[str]) -> None:
    with visiting(browser, site, site.session("scan"), has_scripts=False) as open_page:
        page = open_page.page
        page.goto(f"{site.url}/door")
        scan(page, codes[4])
        told(page, "bad", "Another day")
        page.get_by_role("button", name="Admit anyway").click()
        told(page, "good", "Come in")
        assert page.locator("#scan-list li").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_door_is_accessible_to_everyone(visit: Visiting, codes: list[str], scheme: Scheme) -> None:
    open_page = visit("/door", "scan", is_phone=scheme == "dark", scheme=scheme)
    open_page.check_accessible()
    scan(open_page.page, "menu")
    told(open_page.page, "bad", "Scan again")
    open_page.check_accessible()

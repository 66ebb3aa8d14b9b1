"""The page of files in a browser: one is made, followed, downloaded and deleted."""

from __future__ import annotations

from pathlib import Path

import pytest

from event_pipeline.api.dashboard.pages.files import GROUPS
from event_pipeline.contracts.core import CORE
from event_pipeline.contracts.marts import MARTS
from event_pipeline_tests.api.dashboard.conftest import Visiting
from event_pipeline_tests.api.dashboard.site import Scheme, Site, Visit
from event_pipeline_tests.api.organisation import ask
from event_pipeline_tests.exports.written import read


def _make(opened: Visit, what: str, kind: str, first: str = "", last: str = "") -> None:
    page = opened.page
    page.get_by_label("What it holds").select_option(label=what)
    page.get_by_label("Kind of file").select_option(label=kind)
    page.get_by_label("From this day on").fill(first)
    page.get_by_label("Until this day").fill(last)
    page.get_by_role("button", name="Make it").click()


def test_a_table_is_made_into_a_file_and_taken_away(visit: Visiting, site: Site, tmp_path: Path) -> None:
    opened = visit("/files")
    assert opened.page.get_by_text("No files yet").is_visible()
    _make(opened, "Registrations", "Excel")
    link = opened.page.get_by_role("link", name="Download Registrations")
    link.wait_for()
    with opened.page.expect_download() as download:
        link.click()
    download.value.save_as(tmp_path / "file.xlsx")
    assert download.value.suggested_filename.endswith(".xlsx")
    ids = {row["registration_id"] for row in read("xlsx", (tmp_path / "file.xlsx").read_bytes())}
    assert ids == {i for (i,) in ask(site.settings, "SELECT registration_id FROM warehouse.core.fact_registrations")}
    done = [entry.action for entry in site.services.audit.entries(3)]
    assert done == ["download_export", "export_made", "export"]
    opened.page.get_by_role("button", name="Delete Registrations").click()
    opened.page.get_by_text("No files yet").wait_for()


def test_only_some_days_of_it_and_csv_as_spreadsheets_read_it(visit: Visiting, site: Site, tmp_path: Path) -> None:
    (((first, rows),),) = [
        ask(site.settings, "SELECT registered_date::VARCHAR, count(*) FROM warehouse.core.fact_registrations "
            "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1")
    ]  # fmt: skip
    opened = visit("/files")
    _make(opened, "Registrations", "CSV, for any spreadsheet", first, first)
    link = opened.page.get_by_role("link", name="Download Registrations")
    link.wait_for()
    with opened.page.expect_download() as download:
        link.click()
    download.value.save_as(tmp_path / "file.csv")
    content = (tmp_path / "file.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == rows + 1


def test_every_table_has_a_name_for_people() -> None:
    named = [name for group in GROUPS.values() for name in group]
    assert sorted(named) == sorted(contract.name for contract in (*CORE.values(), *MARTS.values()))


def test_what_cannot_be_made_is_said(visit: Visiting) -> None:
    opened = visit("/files")
    _make(opened, "Categories", "Excel", "2026-06-01", "2026-06-02")
    assert "No file is made: " in opened.page.get_by_role("alert").inner_text()
    assert opened.page.get_by_text("No files yet").is_visible()


def test_files_are_of_their_key_alone(visit: Visiting, site: Site) -> None:
    opened = visit("/files")
    _make(opened, "Events", "JSON, for programs")
    opened.page.get_by_role("link", name="Download Events").wait_for()
    other = visit("/files")
    assert other.page.get_by_text("No files yet").is_visible()
    assert not visit("/", "read").page.get_by_role("link", name="Files", exact=True).count()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("is_phone", [False, True], ids=["desktop", "phone"])
def test_nothing_is_in_the_way_of_anyone(visit: Visiting, scheme: Scheme, is_phone: bool) -> None:
    opened = visit("/files", scheme=scheme, is_phone=is_phone)
    opened.check_accessible()
    _make(opened, "Pace of registrations", "Parquet, for analysts")
    opened.page.get_by_role("link", name="Download Pace of registrations").wait_for()
    opened.check_accessible()

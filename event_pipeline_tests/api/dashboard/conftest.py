"""One site for the tests of a module, and one browser: starting them costs seconds."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from event_pipeline_tests.api.dashboard.site import Scheme, Site, Visit, launched_browser, served, visiting
from event_pipeline_tests.api.organisation import settings_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Visiting = Callable[..., Visit]


@pytest.fixture(scope="module")
def site(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The dashboard over a copy of the organisation, so that tests may commit."""
    copy = tmp_path_factory.mktemp("site") / "data"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("api"))
    settings = settings_for(copy, refresh_seconds=0.05)
    quick = settings.dashboard.model_copy(update={"live_seconds": 0.05})
    with served(settings.model_copy(update={"dashboard": quick})) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched_browser() as launched:
        yield launched


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Visiting]:
    """``visit(path, *scopes)`` opens a page, signed in with a key of these scopes, all by default."""
    with ExitStack() as open_pages:

        def open_page(path: str, *scopes: str, is_phone: bool = False, scheme: Scheme = "light") -> Visit:
            opened = visiting(browser, site, site.session(*scopes), is_phone=is_phone, scheme=scheme)
            visit = open_pages.enter_context(opened)
            visit.open(path)
            return visit

        yield open_page

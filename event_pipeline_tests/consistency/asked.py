"""Where figures stand: tables, the API's answers, pages, the workbook and files, each asked once."""

from __future__ import annotations

import csv
import html
import io
import re
from functools import cached_property
from typing import Any

from event_pipeline.api.sessions import COOKIE
from event_pipeline_tests.api.organisation import Api, ask
from event_pipeline_tests.exports.written import excel_sheets

ROOT = "/api/pipeline"


class Asked:
    """Everything that is told of one event."""

    def __init__(self, api: Api, headers: dict[str, str], session: str, event_id: str) -> None:
        self._api, self._headers, self._session = api, headers, session
        self.event_id = event_id

    def sql(self, query: str) -> Any:
        """The one value of a query in which ``$event`` stands for the event's id."""
        ((value,),) = ask(self._api.services.settings, query.replace("$event", "?"), [self.event_id])
        return value

    @cached_property
    def analytics(self) -> dict[str, Any]:
        """``GET events/{event_id}/analytics``."""
        return self._get(f"{ROOT}/events/{self.event_id}/analytics").json()

    @cached_property
    def listed(self) -> dict[str, Any]:
        """The event in ``GET events``."""
        (found,) = [item for item in self._pages(f"{ROOT}/events") if item["event_id"] == self.event_id]
        return found

    @cached_property
    def participants(self) -> list[dict[str, Any]]:
        """All pages of ``GET events/{event_id}/participants``."""
        return self._pages(f"{ROOT}/events/{self.event_id}/participants")

    @cached_property
    def page(self) -> str:
        """The event's page."""
        return self._page(f"/events/{self.event_id}")

    @cached_property
    def list_line(self) -> str:
        """The event in the list of events."""
        place = f"/events?q={self.listed['title'] or ''}"
        while True:
            found = self._page(place)
            for line in re.findall(r'<li class="event-line.*?</li>', found, re.DOTALL):
                if f'href="/events/{self.event_id}"' in line:
                    return line
            more = re.search(r'href="(/events\?[^"]*)">Earlier events', found)
            assert more, "the list of events does not have it"
            place = html.unescape(more[1])

    @cached_property
    def workbook(self) -> dict[str, list[list[Any]]]:
        """Worksheets by name, as rows of cells."""
        return excel_sheets(self._get(f"{ROOT}/events/{self.event_id}/workbook").content)

    def dashboard(self, label: str) -> Any:
        """The workbook's figure beside that label."""
        found = [
            row[1] for row in self.workbook["Dashboard"] if len(row) > 1 and row[0] == label and row[1] is not None
        ]
        assert len(found) == 1, f"the workbook's dashboard has {len(found)} figures named {label}"
        return found[0]

    def in_sheet(self, column: str) -> list[Any]:
        """The values of a column of the workbook's registrations."""
        rows = self.workbook["Registrations"]
        at = rows[2].index(column)
        return [row[at] for row in rows[3:]]

    def table(self, name: str) -> list[dict[str, str]]:
        """Rows of a table about the event, exported as CSV."""
        return self._csv(f"{ROOT}/exports/tables/{name}?event_id={self.event_id}&format=csv")

    def exported(self, part: str) -> list[dict[str, str]]:
        """Rows of a part of the event's analytics, exported as CSV."""
        return self._csv(f"{ROOT}/exports/analytics/{part}?event_id={self.event_id}&format=csv")

    def card(self, title: str) -> str:
        """The figure of a card of the event's page."""
        found = re.search(rf'<dt>{title}</dt>\s*<dd class="figure">([^<]*)</dd>', self.page)
        assert found, f"the page has no card {title}"
        return html.unescape(found[1])

    def said(self, pattern: str) -> str:
        """What the page says where the pattern's one group stands."""
        found = re.search(pattern, self.page)
        assert found, f"the page does not say {pattern}"
        return html.unescape(found[1])

    def _csv(self, place: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self._get(place).content.decode("utf-8-sig"))))

    def _pages(self, place: str) -> list[dict[str, Any]]:
        found, cursor = [], None
        while True:
            answer = self._get(place + (f"?cursor={cursor}" if cursor else "")).json()
            found += answer["items"]
            cursor = answer["next_cursor"]
            if cursor is None:
                return found

    def _get(self, place: str) -> Any:
        answer = self._api.http.get(place, headers=self._headers)
        assert answer.status_code == 200, f"{place}: {answer.text}"
        return answer

    def _page(self, place: str) -> str:
        answer = self._api.http.get(place, headers={"Cookie": f"{COOKIE}={self._session}", "Accept": "text/html"})
        assert answer.status_code == 200, f"{place}: {answer.text[:500]}"
        return answer.text


def number(text: str) -> int:
    """1,23,456 as the pages write it."""
    return int(text.replace(",", "").replace("−", "-").replace("–", "0"))


def rupees(text: str) -> int:
    """₹1,234.50 as the pages write it, in paise."""
    sign = -1 if text.startswith("−") else 1
    whole, _, paise = re.sub(r"[^\d.]", "", text).partition(".")
    return sign * (int(whole) * 100 + int((paise or "0").ljust(2, "0")))

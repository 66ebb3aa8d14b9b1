"""Where figures stand: tables, the API's answers, pages, the workbook, files, metrics and alerts, each asked once."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import cached_property
from typing import Any, Literal

import duckdb

from event_pipeline.alerts.alert import Condition
from event_pipeline.alerts.rules import RULES
from event_pipeline.alerts.scene import Scene, Tables
from event_pipeline.api.sessions import COOKIE
from event_pipeline_tests.alerts.situation import WELL
from event_pipeline_tests.api.organisation import NOW, Api
from event_pipeline_tests.exports.written import excel_sheets

ROOT = "/api/pipeline"
Form = Literal["csv", "json"]
FORMS: tuple[Form, ...] = ("csv", "json")


class Organisation:
    """Everything that is told of the organisation; each place is asked once."""

    def __init__(self, api: Api, headers: dict[str, str], session: str, connection: duckdb.DuckDBPyConnection) -> None:
        self.api, self._headers, self._session, self._connection = api, headers, session, connection
        self._alerts = Tables(api.services.settings)
        self._answers: dict[str, Any] = {}
        self._shown: dict[str, str] = {}

    def sql(self, query: str, *parameters: Any) -> Any:
        """The one value of a query."""
        ((value,),) = self._connection.execute(query, list(parameters)).fetchall()
        return value

    @property
    def today(self) -> date:
        """The organisation's day."""
        return self.api.services.today

    def get(self, place: str) -> Any:
        """The answer of the API."""
        if place not in self._answers:
            answer = self.api.http.get(place, headers=self._headers)
            assert answer.status_code == 200, f"{place}: {answer.text}"
            self._answers[place] = answer
        return self._answers[place]

    def pages(self, place: str) -> list[dict[str, Any]]:
        """The items of all pages of an answer."""
        found, cursor = [], None
        while True:
            answer = self.get(place + (f"?cursor={cursor}" if cursor else "")).json()
            found += answer["items"]
            cursor = answer["next_cursor"]
            if cursor is None:
                return found

    def page(self, place: str) -> str:
        """A page of the dashboard."""
        if place not in self._shown:
            cookie = {"Cookie": f"{COOKIE}={self._session}", "Accept": "text/html"}
            answer = self.api.http.get(place, headers=cookie)
            assert answer.status_code == 200, f"{place}: {answer.text[:500]}"
            self._shown[place] = answer.text
        return self._shown[place]

    def file(self, place: str, form: Form) -> list[dict[str, str]]:
        """Rows of an exported file, all values as texts: numbers as they are, true and false, nothing as empty."""
        content = self.get(f"{place}{'&' if '?' in place else '?'}format={form}").content.decode("utf-8-sig")
        if form == "csv":
            return list(csv.DictReader(io.StringIO(content)))
        return [{name: _text(value) for name, value in row.items()} for row in json.loads(content)]

    def metrics(self, name: str) -> dict[str, float]:
        """Values of a metric of Prometheus by its labels, as they are written."""
        found = re.findall(rf"^{name}(?:\{{(.*)\}})? (\S+)$", self.get("/metrics").text, re.MULTILINE)
        return {labels: float(value) for labels, value in found}

    def conditions(self, rule: str, now: datetime = NOW, **thresholds: Any) -> list[Condition]:
        """What a rule of the alerts finds at that instant by these thresholds."""
        settings = self.api.services.settings
        self._alerts.begin()
        scene = Scene(settings, now, self.api.services.alerts, self._alerts, None, WELL)
        wanted = getattr(settings.alerts.rules, rule).model_copy(update=thresholds)
        return list(RULES[rule].judge(scene, wanted))

    def close(self) -> None:
        """Gives the tables of the alerts back."""
        self._alerts.close()


class Asked:
    """Everything that is told of one event."""

    def __init__(self, organisation: Organisation, event_id: str) -> None:
        self._organisation, self.event_id = organisation, event_id

    def sql(self, query: str) -> Any:
        """The one value of a query in which ``$event`` stands for the event's id."""
        return self._organisation.sql(query.replace("$event", "?"), self.event_id)

    @cached_property
    def analytics(self) -> dict[str, Any]:
        """``GET events/{event_id}/analytics``."""
        return self._organisation.get(f"{ROOT}/events/{self.event_id}/analytics").json()

    @cached_property
    def listed(self) -> dict[str, Any]:
        """The event in ``GET events``."""
        events = self._organisation.pages(f"{ROOT}/events")
        (found,) = [item for item in events if item["event_id"] == self.event_id]
        return found

    @cached_property
    def participants(self) -> list[dict[str, Any]]:
        """All pages of ``GET events/{event_id}/participants``."""
        return self._organisation.pages(f"{ROOT}/events/{self.event_id}/participants")

    @cached_property
    def payments(self) -> list[dict[str, Any]]:
        """All pages of ``GET events/{event_id}/payments``."""
        return self._organisation.pages(f"{ROOT}/events/{self.event_id}/payments")

    @cached_property
    def page(self) -> str:
        """The event's page."""
        return self._organisation.page(f"/events/{self.event_id}")

    @cached_property
    def list_line(self) -> str:
        """The event in the list of events."""
        place = f"/events?q={self.listed['title'] or ''}"
        while True:
            found = self._organisation.page(place)
            for line in re.findall(r'<li class="event-line.*?</li>', found, re.DOTALL):
                if f'href="/events/{self.event_id}"' in line:
                    return line
            more = re.search(r'href="(/events\?[^"]*)">Earlier events', found)
            assert more, "the list of events does not have it"
            place = html.unescape(more[1])

    @cached_property
    def workbook(self) -> dict[str, list[list[Any]]]:
        """Worksheets by name, as rows of cells."""
        return excel_sheets(self._organisation.get(f"{ROOT}/events/{self.event_id}/workbook").content)

    def dashboard(self, label: str) -> Any:
        """The workbook's figure beside that label."""
        found = [
            row[1] for row in self.workbook["Dashboard"] if len(row) > 1 and row[0] == label and row[1] is not None
        ]
        assert len(found) == 1, f"the workbook's dashboard has {len(found)} figures named {label}"
        return found[0]

    def in_sheet(self, column: str, sheet: str = "Registrations") -> list[Any]:
        """The values of a column of one of the workbook's sheets."""
        rows = self.workbook[sheet]
        at = rows[2].index(column)
        return [row[at] for row in rows[3:]]

    def table(self, name: str, form: Form) -> list[dict[str, str]]:
        """Rows of a table about the event, as an exported file."""
        return self._organisation.file(f"{ROOT}/exports/tables/{name}?event_id={self.event_id}", form)

    def exported(self, part: str, form: Form) -> list[dict[str, str]]:
        """Rows of a part of the event's analytics, as an exported file."""
        return self._organisation.file(f"{ROOT}/exports/analytics/{part}?event_id={self.event_id}", form)

    def alerts(self, rule: str, now: datetime = NOW, **thresholds: Any) -> list[str]:
        """What alerts of a rule say of the event."""
        found = self._organisation.conditions(rule, now, **thresholds)
        return [condition.summary for condition in found if self.event_id in (condition.subject, *_events(condition))]

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


def _events(condition: Condition) -> list[str]:
    labels: Mapping[str, str] = condition.labels
    return [labels["event_id"]] if "event_id" in labels else []


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    return str(value)


def number(text: str) -> int:
    """1,23,456 as the pages write it."""
    return int(text.replace(",", "").replace("−", "-").replace("–", "0"))


def rupees(text: str) -> int:
    """₹1,234.50 as the pages write it, in paise."""
    sign = -1 if text.startswith("−") else 1
    whole, _, paise = re.sub(r"[^\d.]", "", text).partition(".")
    return sign * (int(whole) * 100 + int((paise or "0").ljust(2, "0")))

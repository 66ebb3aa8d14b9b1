"""Each figure of an event has one value, wherever it is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

import pytest

from event_pipeline.alerts.evaluator import Evaluator
from event_pipeline.api.keys import SCOPES
from event_pipeline.warehouse.connection import connect
from event_pipeline_tests.alerts.situation import WELL
from event_pipeline_tests.api.organisation import NOW, Api, running_api, settings_for
from event_pipeline_tests.consistency.asked import Asked, Organisation
from event_pipeline_tests.consistency.organisation import HARD, make_difficult_organisation
from event_pipeline_tests.consistency.organisation_places import FIGURES as OF_ORGANISATION
from event_pipeline_tests.consistency.places import FIGURES

RIGHT = {
    "registrations": 9,
    "people": 11,
    "attended": 4,
    "revenue": 120_000,
    "revenue in another currency": 2_000,
    "amounts of open and verified payments": 135_000,
    "reasons to check a payment": 10,
    "cancelled": 1,
    "mail sent": 3,
    "mail delivered": 2,
    "mail opened": 1,
    "mail clicked": 0,
    "mail bounced": 1,
}
"""What the difficult event's documents come to, worked out by hand."""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("difficult")
    make_difficult_organisation(folder)
    with running_api(settings_for(folder)) as running:
        yield running


@pytest.fixture(scope="module")
def organisation(api: Api) -> Iterator[Organisation]:
    settings = api.services.settings
    key, _ = api.services.keys.create("a test's", SCOPES)
    session = api.services.sessions.begin(key, 1).secret
    for now in (NOW - timedelta(hours=2), NOW):
        evaluator = Evaluator(settings, api.services.alerts, lambda: None, lambda: WELL, partial(_same, now))
        evaluator.evaluate()
        evaluator.close()
    with connect(settings, read_only=True) as connection:
        found = Organisation(api, api.headers(), session, connection)
        yield found
        found.close()


def _same(now: datetime) -> datetime:
    return now


@pytest.fixture(scope="module")
def asked(organisation: Organisation) -> dict[str, Asked]:
    """The difficult event, and the demo's event with a fee whose doors most have passed."""
    busiest = organisation.sql(
        "SELECT event_id FROM warehouse.core.dim_events JOIN warehouse.marts.agg_email_funnel USING (event_id) "
        f"WHERE is_paid AND event_status = 'completed' AND event_id NOT IN ('unknown', '{HARD}') "
        "ORDER BY attended DESC, event_id LIMIT 1",
    )
    return {"difficult": Asked(organisation, HARD), "demo": Asked(organisation, busiest)}


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("which", ["difficult", "demo"])
def test_a_figure_has_one_value_everywhere(asked: dict[str, Asked], which: str, figure: str) -> None:
    told = {place: read(asked[which]) for place, read in FIGURES[figure].items()}
    silent = {place for place, value in told.items() if value is None}
    assert not silent or which == "demo", f"these say nothing of it: {silent}"
    first = next(iter(told.values()))
    assert {place: value for place, value in told.items() if value not in (first, None)} == {}, told


@pytest.mark.parametrize("figure", OF_ORGANISATION)
def test_a_figure_of_the_organisation_has_one_value_everywhere(organisation: Organisation, figure: str) -> None:
    told = {place: read(organisation) for place, read in OF_ORGANISATION[figure].items()}
    assert len(set(told.values())) == 1, told


def test_the_organisation_has_something_of_each_to_compare(organisation: Organisation) -> None:
    """A figure that is nothing everywhere compares nothing."""
    always = [name for name in OF_ORGANISATION if "of today" not in name and "of yesterday" not in name]
    assert [name for name in always if not next(iter(OF_ORGANISATION[name].values()))(organisation)] == []


@pytest.mark.parametrize("figure", RIGHT)
def test_the_difficult_event_comes_to_what_it_should(asked: dict[str, Asked], figure: str) -> None:
    first = next(iter(FIGURES[figure].values()))
    assert first(asked["difficult"]) == RIGHT[figure]

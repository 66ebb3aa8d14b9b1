"""Each figure of an event has one value, wherever it is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from event_pipeline.api.keys import SCOPES
from event_pipeline_tests.api.organisation import Api, ask, running_api, settings_for
from event_pipeline_tests.consistency.asked import Asked
from event_pipeline_tests.consistency.organisation import HARD, make_difficult_organisation
from event_pipeline_tests.consistency.places import FIGURES

RIGHT = {
    "registrations": 9,
    "people": 11,
    "attended": 4,
    "revenue": 120_000,
    "revenue in another currency": 2_000,
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
def asked(api: Api) -> dict[str, Asked]:
    """The difficult event, and the demo's event with a fee whose doors most have passed."""
    headers = api.headers()
    key, _ = api.services.keys.create("a test's", SCOPES)
    session = api.services.sessions.begin(key, 1).secret
    ((busiest,),) = ask(
        api.services.settings,
        "SELECT event_id FROM warehouse.core.dim_events JOIN warehouse.marts.agg_email_funnel USING (event_id) "
        f"WHERE is_paid AND event_status = 'completed' AND event_id NOT IN ('unknown', '{HARD}') "
        "ORDER BY attended DESC, event_id LIMIT 1",
    )
    return {"difficult": Asked(api, headers, session, HARD), "demo": Asked(api, headers, session, busiest)}


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("which", ["difficult", "demo"])
def test_a_figure_has_one_value_everywhere(asked: dict[str, Asked], which: str, figure: str) -> None:
    told = {place: read(asked[which]) for place, read in FIGURES[figure].items()}
    first = next(iter(told.values()))
    assert {place: value for place, value in told.items() if value != first} == {}, told


@pytest.mark.parametrize("figure", RIGHT)
def test_the_difficult_event_comes_to_what_it_should(asked: dict[str, Asked], figure: str) -> None:
    first = next(iter(FIGURES[figure].values()))
    assert first(asked["difficult"]) == RIGHT[figure]

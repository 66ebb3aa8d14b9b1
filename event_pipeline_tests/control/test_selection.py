"""What asset selections mean, over a graph as a server reports it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_pipeline.control.errors import WrongRequestError
from event_pipeline.control.selection import select_assets
from event_pipeline.control.workspace import Asset, Location
from event_pipeline_tests.effort import scaled


def _asset(key: str, *depends_on: str, can_run: bool = True, **fields) -> Asset:
    group = key.split("/")[0]
    fields = {"kinds": (), "owners": (), "tags": {}, **fields}
    return Asset(key, group, depends_on=depends_on, jobs=(), is_partitioned=False, can_run=can_run, **fields)


LOCATION = Location(
    name="event_pipeline",
    repository="__repository__",
    jobs=(),
    assets=(
        _asset("app/registrations", can_run=False),
        _asset("raw/registrations", "app/registrations", kinds=("duckdb",)),
        _asset("staging/registrations", "raw/registrations", owners=("team:data",)),
        _asset("core/fact_registrations", "staging/registrations", tags={"cost": "high"}),
        _asset("marts/agg_daily_metrics", "core/fact_registrations"),
    ),
    automations=(),
    partition_sets={},
)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("marts/agg_daily_metrics", ["marts/agg_daily_metrics"]),
        (" core/fact_registrations ", ["core/fact_registrations"]),
        ("group:staging", ["staging/registrations"]),
        ('key:"raw/*"', ["raw/registrations"]),
        ("+core/fact_registrations", ["staging/registrations", "core/fact_registrations"]),
        ('key:"core/fact_registrations"+', ["core/fact_registrations", "marts/agg_daily_metrics"]),
        ("kind:duckdb", ["raw/registrations"]),
        ("tag:cost=high", ["core/fact_registrations"]),
        ('owner:"team:data"', ["staging/registrations"]),
        ("group:raw or group:marts", ["raw/registrations", "marts/agg_daily_metrics"]),
    ],
)
def test_selection_means(selection: str, expected: list[str]) -> None:
    assert [asset.key for asset in select_assets(LOCATION, [selection])] == expected


def test_selections_add_up_in_the_order_of_the_graph() -> None:
    chosen = select_assets(LOCATION, ["marts/agg_daily_metrics", "raw/registrations", "group:raw"])
    assert [asset.key for asset in chosen] == ["raw/registrations", "marts/agg_daily_metrics"]


def test_unknown_asset_suggests_the_one_with_the_same_table() -> None:
    with pytest.raises(WrongRequestError, match="did you mean core/fact_registrations"):
        select_assets(LOCATION, ["marts/fact_registrations"])


def test_asset_that_cannot_run_is_unknown_to_launching() -> None:
    with pytest.raises(WrongRequestError, match="there is no asset 'app/registrations'"):
        select_assets(LOCATION, ["app/registrations"])


def test_empty_selection_names_the_groups() -> None:
    with pytest.raises(WrongRequestError, match="groups are: core, marts, raw, staging"):
        select_assets(LOCATION, ["group:mart"])


@settings(deadline=None, max_examples=scaled(60))
@given(st.text(max_size=30) | st.text(alphabet='+*():" /ab', max_size=20))
def test_hostile_selection_is_a_wrong_request_or_selects(text: str) -> None:
    try:
        chosen = select_assets(LOCATION, [text])
    except WrongRequestError as error:
        chosen = [str(error)]
    assert chosen

"""Which assets a selection means: keys such as ``marts/agg_daily_metrics``, or Dagster's own selection syntax.

Dagster's GraphQL API takes keys only, so ``group:marts``, ``key:"core/*"`` or ``+core/fact_registrations`` are resolved
here, by Dagster's parser over the graph that the server reports.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence

from event_pipeline.control.errors import WrongRequestError
from event_pipeline.control.workspace import Asset, Location, listed, unknown

_PLAIN_KEY = re.compile(r"[\w.-]+(/[\w.-]+)*")


def select_assets(location: Location, selections: Sequence[str]) -> list[Asset]:
    """The assets that the selections mean together; WrongRequestError for a selection that means none."""
    by_key = {asset.key: asset for asset in location.assets if asset.can_run}
    chosen: set[str] = set()
    for selection in selections:
        text = selection.strip()
        if text in by_key:
            chosen.add(text)
        elif _PLAIN_KEY.fullmatch(text):
            raise WrongRequestError(unknown("asset", text, by_key))
        else:
            chosen |= _resolve(text, list(by_key.values()))
    return [asset for asset in by_key.values() if asset.key in chosen]


def _resolve(text: str, assets: list[Asset]) -> set[str]:
    # Dagster takes a second to import, which plain keys need not pay.
    import dagster as dg

    with warnings.catch_warnings():
        # Dagster warns that its own parser uses a beta parameter, which is nothing to whoever typed the selection.
        warnings.simplefilter("ignore", dg.BetaWarning)
        try:
            keys = dg.AssetSelection.from_string(text).resolve([_graph_of(assets)])
        except dg.DagsterInvalidSubsetError:
            raise WrongRequestError(
                f"{text!r} names an asset that is not there; assets are: {listed([asset.key for asset in assets])}"
            ) from None
        except dg.DagsterError:
            raise WrongRequestError(
                f"{text!r} is not an asset selection; write keys such as marts/agg_daily_metrics or Dagster's syntax "
                'such as group:marts, key:"core/*", +core/fact_registrations'
            ) from None
        except NotImplementedError:
            raise WrongRequestError(
                f"{text!r} selects by something that only the Dagster UI knows; use key, group, tag, kind or owner"
            ) from None
    if not keys:
        raise WrongRequestError(
            f"{text!r} selects no asset; groups are: {', '.join(sorted({a.group for a in assets}))}"
        )
    return {key.to_user_string() for key in keys}


def _graph_of(assets: list[Asset]):
    import dagster as dg

    known = {asset.key for asset in assets}
    specs = [
        dg.AssetSpec(
            asset.key.split("/"),
            deps=[key.split("/") for key in asset.depends_on if key in known],
            group_name=asset.group,
            owners=asset.owners,
            tags=asset.tags,
            kinds=set(asset.kinds),
        )
        for asset in assets
    ]

    @dg.multi_asset(specs=specs, name="as_reported_by_the_server")
    def stand_in():
        raise AssertionError("never runs: it stands in for the server's graph while a selection is resolved")

    return stand_in

"""Driving a running Dagster instance through its GraphQL API: launch, follow, cancel, switch, look.

Nothing here imports Dagster to talk to it, so that a command answers at once; only selection syntax needs its parser.
"""

from event_pipeline.control.automation import Switched
from event_pipeline.control.errors import FollowTimeoutError, RunFailedError, ServerAwayError, WrongRequestError
from event_pipeline.control.follow import RunProgress, RunResult
from event_pipeline.control.instance import DagsterControl
from event_pipeline.control.overview import Overview
from event_pipeline.control.runs import Launched

__all__ = [
    "DagsterControl",
    "FollowTimeoutError",
    "Launched",
    "Overview",
    "RunFailedError",
    "RunProgress",
    "RunResult",
    "ServerAwayError",
    "Switched",
    "WrongRequestError",
]

"""How driving a running Dagster can go wrong; the command line gives each its own exit code."""

from __future__ import annotations

from event_pipeline.errors import ControlError


class ServerAwayError(ControlError):
    """No Dagster webserver answers at the address."""


class UnansweredError(ServerAwayError):
    """A request that changes something was sent and not answered: it may have been done."""


class WrongRequestError(ControlError):
    """What was asked for is not there or does not go together: unknown names, missing or backward partitions."""


class RunFailedError(ControlError):
    """The run that was followed ended without success; the message names the step and its error."""


class FollowTimeoutError(ControlError):
    """The run did not end within the time that the follower was given; it goes on."""

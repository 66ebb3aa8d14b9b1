"""The few typed errors that cross layers; each message says what was wrong, where, and what to do."""

from __future__ import annotations


class PipelineError(Exception):
    """Base of every error the pipeline raises on purpose; its message is fit to show to an operator."""


class SettingsError(PipelineError):
    """A setting has a value that is not allowed; the start stops with this one message."""


class TransientError(PipelineError):
    """Something outside failed in a way that may pass (timeouts, quotas, 5xx); retried with backoff.

    ``retry_after_seconds`` is what the other side asked for, when it asked.
    """

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class PermanentError(PipelineError):
    """Something outside failed in a way that no retry mends (permission, not found); stops that source only."""


class ContractError(PipelineError):
    """A frame does not fit the contract of the table it was to be written to; nothing was written."""


class BrokenTableError(ContractError):
    """New rows of ``table`` break its contract, as ``problems`` say; it keeps the rows that it had."""

    def __init__(self, table: str, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.table, self.problems = table, problems


class ControlError(PipelineError):
    """The running Dagster instance could not be driven: away, refused, or the name is unknown to it."""

"""The sections of the settings, each a table of ``event_pipeline.toml``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from event_pipeline.settings.section import Section
from event_pipeline.settings.values import Country, Cron, Currency, TimeZone


class Organisation(Section):
    """Whose events these are: decides days, money and phone numbers."""

    name: str = Field(
        default="My organisation", description="Shown in dashboards and reports.", min_length=1, max_length=200
    )
    time_zone: TimeZone = Field(
        default="Asia/Kolkata",
        description="IANA time zone; a day in every table is a day there, and times without a zone are read in it (the "
        "later one where its clocks showed a time twice).",
    )
    currency: Currency = Field(default="INR", description="ISO 4217 code of amounts written without a currency.")
    country: Country = Field(
        default="IN", description="ISO 3166 code; phone numbers without a country code are read there."
    )


class Stream(Section):
    """The stream worker, which follows the sources live."""

    is_enabled: bool = Field(default=True, description="`make up` starts the stream worker too.")
    niceness: int = Field(
        default=5,
        description="How far the worker stands back while others want the processor, such as who answers people.",
        ge=0,
        le=19,
    )
    batch_milliseconds: int = Field(
        default=500, description="A batch is committed at the latest so long after its first change.", ge=10, le=60_000
    )
    batch_changes: int = Field(
        default=500, description="A batch is committed as soon as it holds so many changes.", ge=1, le=100_000
    )
    silent_seconds: float = Field(
        default=60,
        description="A Firebase connection that is silent for so long is closed and opened anew.",
        gt=0,
        le=3_600,
    )
    refused_seconds: float = Field(
        default=300, description="A source that refuses is tried again after so long.", gt=0, le=86_400
    )
    discovery_seconds: float = Field(
        default=300,
        description="How often Firestore is asked for new names of subcollections of live updates and chats.",
        gt=0,
        le=86_400,
    )
    sheets_seconds: float = Field(default=60, description="How often the spreadsheets are read.", gt=0, le=86_400)
    inbox_milliseconds: int = Field(
        default=200, description="How often the inbox is looked at for new files.", ge=10, le=60_000
    )
    queue_changes: int = Field(
        default=20_000,
        description="Changes that may wait to be committed; sources are held back beyond it.",
        ge=1,
        le=1_000_000,
    )
    queue_megabytes: int = Field(
        default=256, description="Megabytes that may wait to be committed; as with changes.", ge=1, le=16_384
    )
    heartbeat_seconds: float = Field(
        default=15,
        description="Sensors take over a source when the worker has said nothing of it for so long.",
        ge=2,
        le=3_600,
    )
    report_seconds: float = Field(
        default=60, description="How often tables that changed are reported to Dagster.", ge=5, le=86_400
    )


class Api(Section):
    """The dashboard and the REST API, which `event-pipeline serve` runs."""

    is_enabled: bool = Field(default=True, description="`make up` starts the dashboard and the API too.")
    host: str = Field(
        default="127.0.0.1",
        description="Address it listens on; put a proxy with TLS before it where others than this machine reach it.",
        min_length=1,
        max_length=253,
    )
    port: int = Field(default=8080, description="Port it listens on.", ge=1, le=65_535)
    requests_per_minute: int = Field(
        default=600, description="Requests a minute of one key, unless the key has its own.", ge=1, le=1_000_000
    )
    query_seconds: float = Field(
        default=10, description="A request's reading of the warehouse is stopped after so long.", gt=0, le=3_600
    )
    readers: int = Field(default=4, description="Requests that read the warehouse at a time.", ge=1, le=64)
    refresh_seconds: float = Field(
        default=1, description="Answers follow the warehouse at most so often.", gt=0, le=3_600
    )
    stale_seconds: float = Field(
        default=60,
        description="/readyz says no when nobody could make sure for so long that answers are of the newest state.",
        gt=0,
        le=86_400,
    )
    dagster_seconds: float = Field(default=5, description="Dagster is waited for so long.", gt=0, le=300)
    body_kilobytes: int = Field(default=1_024, description="Largest body of a request.", ge=1, le=1_048_576)
    header_kilobytes: int = Field(
        default=32, description="Most that a request's line and headers may take together.", ge=4, le=1_024
    )
    headers: int = Field(default=100, description="Most headers of a request.", ge=20, le=10_000)
    header_seconds: float = Field(
        default=10, description="A request's headers must be there so long after its first byte.", gt=0, le=3_600
    )
    body_seconds: float = Field(default=60, description="And its body so long after its headers.", gt=0, le=86_400)
    send_seconds: float = Field(
        default=60, description="A client that has read nothing of its answer for so long is let go.", gt=0, le=86_400
    )
    idle_seconds: float = Field(
        default=15, description="A connection without a request is closed after so long.", gt=0, le=3_600
    )
    connections: int = Field(
        default=512,
        description="Most connections at a time, and no more than half of the files that the process may open; beyond "
        "it the one that has been idle the longest is closed.",
        ge=1,
        le=65_536,
    )


class Schedules(Section):
    """When things run by themselves, in the organisation's time zone."""

    sheets: Cron = Field(default="*/15 * * * *", description="Read the spreadsheets.")
    reconcile: Cron = Field(
        default="30 1 * * *",
        description="Compare with the source: missed updates, deletes, documents without updated_at.",
    )
    rebuild: Cron = Field(default="0 3 * * *", description="Recompute every table from the raw changes.")
    maintenance: Cron = Field(default="0 5 * * *", description="Merge small files and forget old snapshots.")


class Rule(Section):
    """How one validation rule of one table behaves."""

    enabled: bool = Field(default=True, description="Switch the rule off to let such rows through.")
    max_failing_fraction: float = Field(
        default=1.0,
        description="Share of rows quarantined by this rule above which the table's check fails.",
        ge=0,
        le=1,
    )


class Validation(Section):
    """What happens to rows that break a rule."""

    mode: Literal["strict", "lenient"] = Field(
        default="strict",
        description="strict quarantines rows with garbled values; lenient empties the value, keeps and notes them.",
    )
    rules: dict[str, dict[str, Rule]] = Field(
        default_factory=dict,
        description="By staging table, then by rule as quarantine names it, such as 'amount_minor.garbled'.",
    )
    max_quarantined_fraction: float = Field(
        default=0.2, description="Share of a table's rows in quarantine above which its check fails.", ge=0, le=1
    )
    freshness_hours: int = Field(
        default=48,
        description="A table whose source was not looked at for so long, and brought no change, fails its freshness "
        "check (warning).",
        ge=1,
    )
    volume_tolerance: float = Field(
        default=0.5,
        description="Share by which a row count may fall below its own history before the check warns.",
        gt=0,
        le=1,
    )


class Retention(Section):
    """How long things are kept."""

    snapshot_days: int = Field(default=7, description="Time travel reaches this far back.", ge=1, le=3_650)
    inbox_done_days: int = Field(default=30, description="Picked-up inbox files are kept this long.", ge=1, le=3_650)
    batches_days: int = Field(
        default=30, description="The stream worker's batches are listed for this long.", ge=1, le=3_650
    )


class Features(Section):
    """Switches for whole capabilities."""

    sensors: bool = Field(default=True, description="Sensors start switched on.")
    schedules: bool = Field(default=True, description="Schedules start switched on.")
    quality_checks: bool = Field(default=True, description="Run the Great Expectations suites after every refresh.")

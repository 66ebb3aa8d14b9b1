"""The one place that reads configuration: ``PIPELINE_*`` variables and an optional ``event_pipeline.toml``.

Nested settings take two underscores (``PIPELINE_ORGANISATION__TIME_ZONE``). Variables win over the file. Every other
module is handed a ``Settings`` or a part of one; none reads the environment.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as UnreadableVariable

from event_pipeline.errors import SettingsError
from event_pipeline.settings_messages import explain, explain_unreadable, reject_unknown_variables

COLLECTIONS = (
    "clubs",
    "categories",
    "events",
    "registrations",
    "tags",
    "event_tags",
    "club_requests",
    "event_live_updates",
    "event_chat",
)
"""The app's collections, in the order they are read: what others refer to comes first."""

Collection = Literal[
    "clubs", "categories", "events", "registrations", "tags", "event_tags",
    "club_requests", "event_live_updates", "event_chat",
]  # fmt: skip
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


def _known_time_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("must be an IANA time zone name such as Asia/Kolkata")
    return name


def _valid_cron(text: str) -> str:
    from dagster._utils.schedules import is_valid_cron_schedule

    if not is_valid_cron_schedule(text):
        raise ValueError("must be a cron expression of five fields such as '0 2 * * *'")
    return text


Cron = Annotated[str, AfterValidator(_valid_cron)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Organisation(_Section):
    """Whose events these are: decides days, money and phone numbers."""

    name: str = Field(
        default="My organisation", description="Shown in dashboards and reports.", min_length=1, max_length=200
    )
    time_zone: Annotated[str, AfterValidator(_known_time_zone)] = Field(
        default="Asia/Kolkata",
        description="IANA time zone; a day in every table is a day there, and times without a zone are read in it.",
    )
    currency: str = Field(
        default="INR", description="ISO 4217 code of amounts written without a currency.", pattern=r"^[A-Z]{3}$"
    )
    country: str = Field(
        default="IN",
        description="ISO 3166 code; phone numbers without a country code are read there.",
        pattern=r"^[A-Z]{2}$",
    )


class Firebase(_Section):
    """Where the app's documents live."""

    backend: Literal["none", "firestore", "realtime_database"] = Field(
        default="none", description="Which Firebase database to follow; none reads export files only."
    )
    project_id: str = Field(default="", description="Firebase project id; required for firestore.")
    database_url: str = Field(
        default="", description="Realtime Database URL; required for realtime_database.", pattern=r"^(https?://.+)?$"
    )
    credentials_path: Path | None = Field(
        default=None, description="Service account JSON file; default credentials when empty."
    )
    collections: tuple[Collection, ...] = Field(
        default=COLLECTIONS, description="Which of the app's collections to follow.", min_length=1
    )
    page_size: int = Field(default=500, description="Documents asked for in one request.", ge=1, le=10_000)
    sweep_overlap_seconds: int = Field(
        default=300,
        description="How far behind its watermark a sweep on updated_at starts, against clocks that disagree.",
        ge=0,
        le=86_400,
    )
    reconcile_reads_per_second: int = Field(
        default=1_000, description="Pace of reconciliation, which is billed one read a document.", ge=1, le=100_000
    )

    @model_validator(mode="after")
    def _address_is_given(self) -> Firebase:
        if self.backend == "firestore" and not self.project_id:
            raise ValueError("backend 'firestore' needs firebase.project_id")
        if self.backend == "realtime_database" and not self.database_url:
            raise ValueError("backend 'realtime_database' needs firebase.database_url")
        return self


class Spreadsheet(_Section):
    """One event's Google Sheet."""

    spreadsheet_id: str = Field(description="The id in the sheet's address.", min_length=10, max_length=200)
    event_id: str | None = Field(
        default=None, description="The event it belongs to; found by google_sheet_id of the events when empty."
    )


class Sheets(_Section):
    """Google Sheets that organisers edit."""

    spreadsheets: tuple[Spreadsheet, ...] = Field(default=(), description="Spreadsheets to read.")
    follow_events: bool = Field(
        default=False, description="Also read the google_sheet_id of every event that is not archived."
    )
    credentials_path: Path | None = Field(
        default=None, description="Service account JSON file; firebase.credentials_path when empty."
    )
    reads_per_minute: int = Field(
        default=50, description="Stay below Google's quota of reads a minute per user.", ge=1, le=1_000
    )


class Schedules(_Section):
    """When things run by themselves, in the organisation's time zone."""

    sheets: Cron = Field(default="*/15 * * * *", description="Read the spreadsheets.")
    reconcile: Cron = Field(
        default="30 1 * * *",
        description="Compare with the source: missed updates, deletes, documents without updated_at.",
    )
    rebuild: Cron = Field(default="0 3 * * *", description="Recompute every table from the raw changes.")
    maintenance: Cron = Field(default="0 5 * * *", description="Merge small files and forget old snapshots.")


class Rule(_Section):
    """How one validation rule of one table behaves."""

    enabled: bool = Field(default=True, description="Switch the rule off to let such rows through.")
    max_failing_fraction: float = Field(
        default=1.0,
        description="Share of rows quarantined by this rule above which the table's check fails.",
        ge=0,
        le=1,
    )


class Validation(_Section):
    """What happens to rows that break a rule."""

    mode: Literal["strict", "lenient"] = Field(
        default="strict",
        description="strict quarantines rows with garbled values; lenient empties the value, keeps and notes them.",
    )
    rules: dict[str, dict[str, Rule]] = Field(
        default_factory=dict, description="By table, then by rule name such as 'payment_amount.garbled'."
    )
    max_quarantined_fraction: float = Field(
        default=0.2, description="Share of a table's rows in quarantine above which its check fails.", ge=0, le=1
    )
    freshness_hours: int = Field(
        default=48,
        description="A table whose newest source change is older than this fails its freshness check (warning).",
        ge=1,
    )
    volume_tolerance: float = Field(
        default=0.5,
        description="Share by which a row count may fall below its own history before the check warns.",
        gt=0,
        le=1,
    )


class Retention(_Section):
    """How long things are kept."""

    snapshot_days: int = Field(default=7, description="Time travel reaches this far back.", ge=1, le=3_650)
    inbox_done_days: int = Field(default=30, description="Picked-up inbox files are kept this long.", ge=1, le=3_650)


class Features(_Section):
    """Switches for whole capabilities."""

    sensors: bool = Field(default=True, description="Sensors start switched on.")
    schedules: bool = Field(default=True, description="Schedules start switched on.")
    quality_checks: bool = Field(default=True, description="Run the Great Expectations suites after every refresh.")


class Settings(BaseSettings):
    """Every setting of the pipeline."""

    model_config = SettingsConfigDict(
        env_prefix="PIPELINE_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        toml_file="event_pipeline.toml",
    )

    environment: Literal["development", "staging", "production"] = Field(
        default="development", description="Production logs JSON and never loads the demo organisation."
    )
    data_dir: Path = Field(default=Path("data"), description="Folder of everything the pipeline keeps.")
    db_path: Path | None = Field(
        default=None, description="Folder of the two SQLite catalogs; catalog/ in the data folder when empty."
    )
    catalog_url: SecretStr | None = Field(
        default=None, description="postgresql:// URL of a shared catalog instead of SQLite files."
    )
    storage_url: str | None = Field(
        default=None,
        description="Folder or s3:// URL of the Parquet data; storage/ in the data folder when empty.",
    )
    storage_endpoint: str | None = Field(
        default=None,
        description="Host and port of an S3-compatible store other than Amazon's, such as minio.local:9000.",
    )
    storage_region: str = Field(default="us-east-1", description="Region of the object store.")
    storage_key_id: SecretStr | None = Field(default=None, description="Access key id of the object store.")
    storage_secret: SecretStr | None = Field(default=None, description="Secret access key of the object store.")
    is_storage_encrypted: bool = Field(default=True, description="Talk to the object store over TLS.")
    log_level: LogLevel = Field(default="INFO", description="Least important level that is logged.")
    log_format: Literal["auto", "console", "json"] = Field(
        default="auto", description="auto is json in production, console elsewhere."
    )
    batch_size: int = Field(default=50_000, description="Changes committed in one transaction.", ge=1, le=1_000_000)
    memory_limit: str = Field(
        default="2GB", description="Memory DuckDB may use before it spills to disk.", pattern=r"^\d+(\.\d+)?(MB|GB)$"
    )
    identity_key: SecretStr | None = Field(
        default=None,
        description="Key of the pseudonymous user ids; created in the data folder on first run when empty.",
    )
    dagster_url: str = Field(
        default="http://127.0.0.1:3000",
        description="Address of the running Dagster webserver.",
        pattern=r"^https?://.+",
    )
    organisation: Organisation = Organisation()
    firebase: Firebase = Firebase()
    sheets: Sheets = Sheets()
    schedules: Schedules = Schedules()
    validation: Validation = Validation()
    retention: Retention = Retention()
    features: Features = Features()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then variables, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_path())

    @property
    def catalog_dir(self) -> Path:
        """Folder of the SQLite catalogs and of the write lock."""
        return self.db_path or self.data_dir / "catalog"

    @property
    def storage(self) -> str:
        """Where Parquet files go; a folder or an object store prefix."""
        return self.storage_url or str(self.data_dir / "storage")

    @property
    def inbox_dir(self) -> Path:
        """NDJSON files dropped here are picked up once."""
        return self.data_dir / "inbox"

    @property
    def exports_dir(self) -> Path:
        """Database exports put here are loaded on ingest."""
        return self.data_dir / "exports"

    @property
    def uses_json_logs(self) -> bool:
        """Whether logs are JSON lines."""
        return self.log_format == "json" or (self.log_format == "auto" and self.environment == "production")


def toml_path() -> Path:
    """The settings file: ``PIPELINE_CONFIG_FILE`` or ``event_pipeline.toml`` in the working directory."""
    return Path(os.environ.get("PIPELINE_CONFIG_FILE", "event_pipeline.toml"))


@cache
def load_settings() -> Settings:
    """The settings of this process, read once. Raises SettingsError naming each wrong setting and what is allowed."""
    return read_settings()


def read_settings(**overrides: Any) -> Settings:
    """Settings read afresh; ``overrides`` win over variables and file."""
    reject_unknown_variables(Settings)
    if "PIPELINE_CONFIG_FILE" in os.environ and not toml_path().is_file():
        raise SettingsError(f"PIPELINE_CONFIG_FILE names {str(toml_path())!r}, which is not a file")
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsError(explain(error, Settings)) from None
    except UnreadableVariable as error:
        raise SettingsError(explain_unreadable(error)) from None
    except (OSError, ValueError) as error:
        raise SettingsError(f"{toml_path()} cannot be read: {error}") from None

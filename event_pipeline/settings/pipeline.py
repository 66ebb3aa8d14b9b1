"""``Settings``: what is set for the pipeline as a whole, and its sections."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from event_pipeline.settings.alerts import Alerts
from event_pipeline.settings.dashboard import Dashboard
from event_pipeline.settings.exports import Exports
from event_pipeline.settings.inbound import Inbound
from event_pipeline.settings.sections import (
    Api,
    Features,
    Organisation,
    Retention,
    Schedules,
    Stream,
    Validation,
)
from event_pipeline.settings.sources import Firebase, Sheets
from event_pipeline.settings.sql import Sql
from event_pipeline.settings.values import LogLevel, PostgresAddress, StoragePlace, WebAddress


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
    catalog_url: PostgresAddress | None = Field(
        default=None, description="postgresql:// URL of a shared catalog instead of SQLite files."
    )
    storage_url: StoragePlace | None = Field(
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
    dagster_url: WebAddress = Field(
        default="http://127.0.0.1:3000", description="Address of the running Dagster webserver."
    )
    organisation: Organisation = Organisation()
    firebase: Firebase = Firebase()
    sheets: Sheets = Sheets()
    stream: Stream = Stream()
    api: Api = Api()
    sql: Sql = Sql()
    dashboard: Dashboard = Dashboard()
    exports: Exports = Exports()
    inbound: Inbound = Inbound()
    schedules: Schedules = Schedules()
    validation: Validation = Validation()
    retention: Retention = Retention()
    features: Features = Features()
    alerts: Alerts = Alerts()

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

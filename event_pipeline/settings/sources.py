"""Settings of the sources that documents come from: Firebase and Google Sheets."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from event_pipeline.settings.section import Section
from event_pipeline.settings.values import COLLECTIONS, Collection


class Firebase(Section):
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


class Spreadsheet(Section):
    """One event's Google Sheet."""

    spreadsheet_id: str = Field(description="The id in the sheet's address.", min_length=10, max_length=200)
    event_id: str | None = Field(
        default=None, description="The event it belongs to; found by google_sheet_id of the events when empty."
    )


class Sheets(Section):
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

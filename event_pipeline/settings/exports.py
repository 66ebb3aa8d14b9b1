"""Settings of exports."""

from __future__ import annotations

from pydantic import Field

from event_pipeline.settings.section import Section


class Exports(Section):
    """Files that people take away, by `/api/pipeline/exports`."""

    stream_rows: int = Field(
        default=1_000_000,
        description="Most rows of an export that is answered at once; larger ones are made in the background.",
        ge=1,
        le=1_000_000_000,
    )
    stream_seconds: float = Field(
        default=600, description="An export that is answered at once is cut off after so long.", gt=0, le=86_400
    )
    streams: int = Field(default=4, description="Exports answered at a time; the next is refused.", ge=1, le=64)
    jobs: int = Field(default=1, description="Exports made in the background at a time.", ge=1, le=16)
    waiting: int = Field(
        default=20, description="Background exports that may wait for others; the next is refused.", ge=0, le=1_000
    )
    job_seconds: float = Field(
        default=3_600, description="An export in the background is stopped after so long.", gt=0, le=86_400
    )
    hours_kept: float = Field(
        default=24, description="Finished exports can be downloaded for so long, then they are deleted.", gt=0, le=8_760
    )
    folder_megabytes: int = Field(
        default=20_000,
        description="All files of exports together take at most so much; nothing is exported beyond it.",
        ge=1,
        le=10_000_000,
    )
    memory_megabytes: int = Field(
        default=512, description="Memory DuckDB may use for all exports together.", ge=64, le=1_048_576
    )

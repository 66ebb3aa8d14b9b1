"""Settings of people's own queries."""

from __future__ import annotations

from pydantic import Field

from event_pipeline.settings.section import Section


class Sql(Section):
    """What a query of somebody's own may cost, by `POST /api/pipeline/query` and in exports of queries."""

    seconds: float = Field(default=10, description="A query is killed after so long.", gt=0, le=3_600)
    rows: int = Field(default=100_000, description="An answer is cut off after so many rows.", ge=1, le=10_000_000)
    megabytes: int = Field(default=32, description="An answer is cut off after so many megabytes.", ge=1, le=4_096)
    characters: int = Field(default=50_000, description="Longest text of a query.", ge=100, le=1_000_000)
    memory_megabytes: int = Field(
        default=512, description="Memory a query may use; it fails beyond it and spills nothing.", ge=64, le=65_536
    )
    workers: int = Field(default=2, description="Queries that run at a time, each in a process.", ge=1, le=64)
    threads: int = Field(default=2, description="Processors that one query uses at most.", ge=1, le=64)
    waiting: int = Field(default=8, description="Queries that may wait for others; the next is refused.", ge=0, le=30)

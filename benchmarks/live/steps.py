"""The measured steps, each in its own process as ``python -m benchmarks.live.steps NAME ARGUMENTS``.

A step's working directory holds ``data/``, the pipeline's data folder.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.live.lake_size import compacted, lake_of, stored
from benchmarks.live.workload import Workload
from benchmarks.measure import Measured, cpu_seconds, measuring, report
from benchmarks.steps import DATA, SEED, settings_of

BATCHES = {1: 15, 100: 15, 10_000: 3}
"""Batches measured by their size, after two that warm up."""

_WARMING = 2

_HOURS = 24


def grow(registrations: int) -> Measured:
    """A demo organisation of that size, loaded and with every table made; rows are its registrations."""
    from event_pipeline.demo import generate_demo
    from event_pipeline.stream.committer import Committer
    from event_pipeline.warehouse.connection import connect, ibis_backend
    from event_pipeline.warehouse.ingest import ingest_exports, ingest_inbox
    from event_pipeline.warehouse.lake import Lake
    from event_pipeline.warehouse.maintenance import maintain

    settings, measured = settings_of(DATA), Measured(rows=registrations)
    generate_demo(DATA, registrations, SEED)
    with connect(settings) as connection:
        lake = Lake.prepared(connection, settings)
        ingest_exports(lake, settings)
        ingest_inbox(lake, settings)
        committer = Committer(ibis_backend(connection), settings)
        with measuring(measured):
            committer.catch_up()
        committer.close()
        maintain(connection, settings)
    shutil.rmtree(settings.exports_dir)
    return measured


def open_copy() -> Measured:
    """What starting a worker costs where its working copy is there already."""
    from event_pipeline.stream.committer import Committer
    from event_pipeline.warehouse.connection import connect, ibis_backend

    measured = Measured(rows=1)
    with connect(settings_of(DATA)) as connection:
        with measuring(measured):
            committer = Committer(ibis_backend(connection), settings_of(DATA))
            committer.catch_up()
        committer.close()
    return measured


def batches(size: int) -> Measured:
    """Batches of that many changes; details are medians of their seconds, and the CPU-seconds of each table."""
    from event_pipeline.stream.committer import Committer
    from event_pipeline.warehouse.connection import connect, ibis_backend

    measured, settings = Measured(), settings_of(DATA)
    walls: list[float] = []
    cpus: list[float] = []
    tables: dict[str, float] = {}
    with connect(settings) as connection:
        committer = Committer(ibis_backend(connection), settings)
        committer.catch_up()
        workload = Workload(connection, seed=size)
        for number, batch in enumerate(islice(workload.batches(size), _WARMING + BATCHES[size])):
            wall, cpu = perf_counter(), cpu_seconds()
            done = committer.commit(batch, [])
            if number < _WARMING:
                continue
            walls.append(perf_counter() - wall)
            cpus.append(cpu_seconds() - cpu)
            for increased in done.increased:
                tables[increased.table] = tables.get(increased.table, 0.0) + increased.seconds / BATCHES[size]
        committer.close()
    measured.rows = size * len(walls)
    measured.wall_seconds, measured.cpu_seconds = sum(walls), sum(cpus)
    measured.details = {"wall_median": median(walls), "cpu_median": median(cpus), "seconds_by_table": tables}
    return measured


def day(batches: int, size: int, inlined_rows: int) -> Measured:
    """A day of so many batches, and the night's rebuild and maintenance after them, on a copy of the organisation.

    Writes of up to ``inlined_rows`` rows wait in the catalog. Details are megabytes, and files, in the morning, after
    each hour and after the night, and what the rows that are left take when each table is written at once.
    """
    from event_pipeline.increments.progress import read_progress
    from event_pipeline.increments.rebuild import rebuild
    from event_pipeline.stream.committer import Committer
    from event_pipeline.warehouse.connection import connect, ibis_backend
    from event_pipeline.warehouse.maintenance import maintain

    measured, folder = Measured(rows=batches * size), Path("day")
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("catalog", "storage", "stream"):
        shutil.copytree(DATA / part, folder / part)
    settings = settings_of(folder)
    with connect(settings) as connection:
        connection.execute(f"SET ducklake_default_data_inlining_row_limit = {inlined_rows}")
        catalog_mb = stored(folder / "catalog").megabytes
        committer = Committer(ibis_backend(connection), settings)
        committer.catch_up()
        hours = [asdict(lake_of(folder))]
        workload = Workload(connection, seed=size)
        for number, batch in enumerate(islice(workload.batches(size), batches), start=1):
            with measuring(measured):
                committer.commit(batch, [])
            if number % (batches // _HOURS) == 0:
                hours.append(asdict(lake_of(folder)))
        committer.close()
    with connect(settings) as connection:
        progress = read_progress(connection, "warehouse")
        assert progress is not None
        rebuild(ibis_backend(connection), settings, progress.as_of)
        maintain(connection, settings)
        compacted_mb = catalog_mb + compacted(connection, folder / "compacted")
    measured.details = {"hours": hours, "night": asdict(lake_of(folder)), "compacted_mb": compacted_mb}
    shutil.rmtree(folder)
    return measured


STEPS = {"day": day, "grow": grow, "open_copy": open_copy, "batches": batches}

if __name__ == "__main__":
    report(STEPS[sys.argv[1]](**json.loads(sys.argv[2])))

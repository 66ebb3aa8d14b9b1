"""Where faults happen: a data folder over a scripted Firestore that honours tokens, or over Google's emulator."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from pydantic import SecretStr

from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect
from event_pipeline_tests.faults.kills import Killing
from event_pipeline_tests.faults.processes import Folder
from event_pipeline_tests.faults.truth import COLLECTIONS, App, EmulatedApp, ScriptedApp, Truth
from event_pipeline_tests.scripted_listen_server import PROJECT, scripted_listen_server
from event_pipeline_tests.warehouse.pipelines import KEY, MemoryPipeline


def folder_of(path: Path, address: str, project: str) -> Folder:
    """A data folder whose processes follow the Firestore that listens there."""
    settings = Settings(data_dir=path / "data", identity_key=SecretStr(KEY))
    environment = {
        "FIRESTORE_EMULATOR_HOST": address,
        "PIPELINE_FIREBASE__BACKEND": "firestore",
        "PIPELINE_FIREBASE__PROJECT_ID": project,
        "PIPELINE_FIREBASE__COLLECTIONS": json.dumps(COLLECTIONS),
    }
    return Folder(settings, path / "beside", environment)


def truth_of(folder: Folder, app: App, seed: int) -> Truth:
    """An organisation that is there before the pipeline is."""
    truth = Truth(app, folder.settings.inbox_dir, folder.beside / "kept", random.Random(seed))
    truth.begin()
    return truth


def write_rows_to_files(settings: Settings) -> None:
    """From the first on: few rows would wait in the catalog otherwise, and no file would ever be half written."""
    with connect(settings) as connection:
        for catalog in ("lake", "warehouse"):
            connection.execute(f"CALL {catalog}.set_option('data_inlining_row_limit', 0)")


@contextmanager
def scripted_scene(path: Path, seed: int, *, longest: float = 2.0, spared: float = 0.0) -> Iterator[Killing]:
    """Deltas and honoured tokens; every row goes to a file. Runs there read no Firestore: it answers no queries."""
    with scripted_listen_server() as script:
        folder = folder_of(path, script.address, PROJECT)
        write_rows_to_files(folder.settings)
        truth = truth_of(folder, ScriptedApp(script), seed)
        jobs = ("refresh", "rebuild", "maintain")
        yield from _scene(folder, truth, seed, jobs, longest, spared)


@contextmanager
def emulated_scene(
    path: Path, seed: int, address: str, *, longest: float = 2.0, spared: float = 0.0
) -> Iterator[Killing]:
    """Google's emulator, which lists everything again at each change, and runs that read it too. Few rows wait in the
    catalog."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.firestore import Client

    project = f"faults-{uuid4()}"
    folder = folder_of(path, address, project)
    client: Any = Client(project=project, credentials=AnonymousCredentials())
    client._emulator_host = address
    try:
        truth = truth_of(folder, EmulatedApp(client), seed)
        yield from _scene(folder, truth, seed, ("sync", "refresh", "rebuild"), longest, spared)
    finally:
        client.close()


def _scene(
    folder: Folder, truth: Truth, seed: int, jobs: tuple[str, ...], longest: float, spared: float
) -> Iterator[Killing]:
    oracle = MemoryPipeline(folder.beside / "oracle")
    killing = Killing(folder, truth, oracle, random.Random(seed + 1), jobs, longest, spared)
    try:
        yield killing
    finally:
        killing.close()

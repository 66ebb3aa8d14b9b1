"""The organisation that these tests share: loading one takes longer than what happens to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from uuid import uuid4

import pytest

from event_pipeline.settings import read_settings
from event_pipeline.sources.google_sheets import GoogleSheetsSource
from event_pipeline.warehouse import ingest
from event_pipeline_tests.definitions.daemon import running_daemon
from event_pipeline_tests.end_to_end.organisation import SHEET, Organisation
from event_pipeline_tests.sheets_server import SheetsServer


@pytest.fixture(scope="module")
def organisation(firestore_emulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Organisation]:
    """Loaded once, by the run that the first tick of a sensor starts. A test changes people of its own."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.firestore import Client

    folder, project = tmp_path_factory.mktemp("organisation"), f"test-{uuid4()}"
    (folder / "event_pipeline.toml").touch()
    with pytest.MonkeyPatch.context() as patch, SheetsServer() as sheets:
        patch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
        patch.setenv("PIPELINE_CONFIG_FILE", str(folder / "event_pipeline.toml"))
        patch.setenv("PIPELINE_DATA_DIR", str(folder / "data"))
        patch.setenv("PIPELINE_FIREBASE__BACKEND", "firestore")
        patch.setenv("PIPELINE_FIREBASE__PROJECT_ID", project)
        patch.setenv("PIPELINE_SHEETS__SPREADSHEETS", json.dumps([{"spreadsheet_id": SHEET, "event_id": "e1"}]))
        patch.setattr(ingest, "GoogleSheetsSource", partial(GoogleSheetsSource, endpoint=sheets.endpoint))
        client = Client(project=project, credentials=AnonymousCredentials())
        with running_daemon(folder / "dagster_home", executes=True) as daemon:
            loaded = Organisation(client, sheets, read_settings(), daemon)
            loaded.exist()
            loaded.follow("firestore")
            with loaded.read():
                yield loaded
        client.close()

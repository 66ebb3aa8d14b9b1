"""The change feed tells each change once, however a transaction went about it."""

from __future__ import annotations

from pathlib import Path

from event_pipeline.contracts.quarantine import QUARANTINE
from event_pipeline.increments.feed import changed_rows, current_snapshot
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect
from event_pipeline.warehouse.lock import write_transaction
from event_pipeline.warehouse.tables import create_tables

_ROWS = 100
_INSERT = f"""
INSERT INTO {QUARANTINE.qualified}
SELECT 'registrations', i::VARCHAR, 'export', 'v', 'f', 'f.r', 'rejected', NULL, 'correct it' FROM range({_ROWS}) t(i)
"""


def test_rows_of_a_file_that_one_transaction_empties_in_two_steps_went_once(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with connect(settings) as connection:
        with write_transaction(connection, settings):
            create_tables(connection, [QUARANTINE])
        with write_transaction(connection, settings):
            connection.execute(_INSERT)
        before = current_snapshot(connection)
        with write_transaction(connection, settings):
            connection.execute(f"DELETE FROM {QUARANTINE.qualified} WHERE document_id::INTEGER < 40")
            connection.execute(f"DELETE FROM {QUARANTINE.qualified}")
        told = connection.execute(
            "SELECT change_type, count(*), count(DISTINCT document_id) "
            f"FROM {changed_rows(QUARANTINE, before, current_snapshot(connection))} GROUP BY 1"
        ).fetchall()
    assert told == [("delete", _ROWS, _ROWS)]

"""Rules over the pipeline: each sees what it is for, and is quiet otherwise."""

from __future__ import annotations

import json
import shutil
from collections import namedtuple
from datetime import timedelta
from typing import Any

import pytest

from event_pipeline.alerts.results import CheckResult, RunResult, note_results
from event_pipeline.alerts.scene import CannotLook
from event_pipeline.alerts.signs import DagsterSign, SourceSign, WorkerSign
from event_pipeline.api.door.desk import Scan
from event_pipeline.contracts.inbox_records import WRITTEN_FIELDS
from event_pipeline.contracts.marts import AGG_DAILY_METRICS
from event_pipeline.contracts.progress import LAKE_PROGRESS
from event_pipeline.contracts.quarantine import QUARANTINE
from event_pipeline.contracts.raw import RAW_TABLES
from event_pipeline.contracts.source_state import SOURCE_STATE
from event_pipeline.contracts.stream import BATCHES
from event_pipeline.inbound.delivery import Delivery
from event_pipeline.inbound.records import email_events, payment_event
from event_pipeline_tests.alerts.situation import NOW, TODAY, Situation

Usage = namedtuple("Usage", "total used free")
EVENTS, SCANS = RAW_TABLES["events"], RAW_TABLES["scans"]


def run(number: int, succeeded: bool, minutes_ago: float = 0) -> RunResult:
    return RunResult(number, "refresh", f"run{number}", succeeded, NOW - timedelta(minutes=minutes_ago))


def check(number: int, passed: bool, is_error: bool = True) -> CheckResult:
    return CheckResult(number, "core.dim_events", "contract", "run1", passed, is_error, NOW, "2 rows are not unique")


def noted(situation: Situation, *results: RunResult | CheckResult) -> None:
    runs = [item for item in results if isinstance(item, RunResult)]
    checks = [item for item in results if isinstance(item, CheckResult)]
    note_results(situation.database, runs, checks, NOW)


class TestRunFailed:
    def test_one_failure_that_the_next_run_mends_is_quiet(self, situation: Situation) -> None:
        noted(situation, run(1, False, 5))
        assert situation.find("run_failed") == []
        noted(situation, run(2, True, 3), run(3, False, 1))
        assert situation.find("run_failed") == []

    def test_failures_in_a_row_are_found_with_the_latest_run(self, situation: Situation) -> None:
        noted(situation, run(1, False, 5), run(2, False, 3))
        (found,) = situation.find("run_failed")
        assert (found.subject, found.value) == ("refresh", 2)
        assert found.link.endswith("/runs/run2")

    def test_a_lone_failure_is_found_when_nothing_has_succeeded_since(self, situation: Situation) -> None:
        noted(situation, run(1, False, 5))
        situation.wait(minutes=60)
        assert situation.subjects("run_failed") == ["refresh"]

    def test_noting_a_run_again_or_an_older_one_changes_nothing(self, situation: Situation) -> None:
        noted(situation, run(2, True), run(2, True), run(1, False), run(1, False))
        assert situation.find("run_failed", consecutive=1) == []


class TestCheckFailed:
    def test_a_failed_check_is_found_until_it_passes(self, situation: Situation) -> None:
        noted(situation, check(1, False))
        (found,) = situation.find("check_failed")
        assert found.subject == "core.dim_events:contract"
        assert "2 rows are not unique" in found.summary
        noted(situation, check(2, True))
        assert situation.find("check_failed") == []

    def test_warnings_count_when_they_are_to(self, situation: Situation) -> None:
        noted(situation, check(1, False, is_error=False))
        assert situation.find("check_failed") == []
        assert situation.subjects("check_failed", warnings=True) == ["core.dim_events:contract"]

    def test_evaluations_in_a_row_are_counted(self, situation: Situation) -> None:
        noted(situation, check(1, False))
        assert situation.find("check_failed", consecutive=2) == []
        noted(situation, check(2, False))
        assert len(situation.find("check_failed", consecutive=2)) == 1


def source(name: str, state: str, hours_ago: float = 0) -> dict[str, object]:
    message = None if state == "ok" else "share the sheet"
    read = NOW - timedelta(hours=hours_ago)
    return {"source": name, "collection": "*", "state": state, "message": message, "changed_at": read, "read_at": read}


def worker(*sources: str, fresh: bool = True, failure: str = "", waiting: int = 0, state: str = "live") -> WorkerSign:
    signs = {name: SourceSign(state, "") for name in sources}
    return WorkerSign(NOW - timedelta(minutes=7), fresh, failure, waiting, signs)


class TestSources:
    def test_a_source_that_refuses_is_found_unless_it_is_followed_live(self, situation: Situation) -> None:
        situation.put(SOURCE_STATE, source("google_sheets", "refused"), source("inbox", "ok"))
        (found,) = situation.find("source_failing")
        assert found.subject == "google_sheets"
        assert "share the sheet" in found.summary
        situation.worker = worker("google_sheets")
        assert situation.find("source_failing") == []

    def test_what_the_stream_worker_cannot_follow_is_found(self, situation: Situation) -> None:
        situation.worker = worker("firestore/events", state="silent")
        assert situation.subjects("source_failing") == ["firestore/events"]

    def test_a_polled_source_that_nobody_reads_is_stale_but_files_are_not(self, situation: Situation) -> None:
        situation.put(SOURCE_STATE, source("firestore", "ok", 27), source("inbox", "ok", 2_000))
        assert situation.subjects("source_stale") == ["firestore"]
        assert situation.find("source_stale", hours=28) == []
        situation.worker = worker("firestore")
        assert situation.find("source_stale") == []

    def test_changes_that_pile_up_are_found(self, situation: Situation) -> None:
        situation.worker = worker(waiting=5_000)
        assert situation.subjects("source_lagging") == ["stream"]
        situation.worker = worker(waiting=4_999)
        assert situation.find("source_lagging") == []

    def test_a_worker_that_hangs_or_cannot_commit_is_down_but_none_is_not(self, situation: Situation) -> None:
        assert situation.find("stream_down") == []
        situation.worker = worker()
        assert situation.find("stream_down") == []
        situation.worker = worker(failure="the disk is full")
        assert "the disk is full" in situation.find("stream_down")[0].summary
        situation.worker = worker(fresh=False)
        assert "7 minutes ago" in situation.find("stream_down")[0].summary


class TestMachine:
    def test_dagster_that_is_away_is_found(self, situation: Situation) -> None:
        noted(situation)
        assert situation.find("dagster_down") == []
        situation.dagster = DagsterSign(False, "nothing answers")
        assert "nothing answers" in situation.find("dagster_down")[0].summary

    def test_that_nobody_reports_results_is_found(self, situation: Situation) -> None:
        assert situation.subjects("dagster_down") == ["results"]
        noted(situation)
        situation.wait(minutes=16)
        assert situation.subjects("dagster_down") == ["results"]
        situation.dagster = DagsterSign(True, "", is_paused=True)
        assert situation.find("dagster_down") == []

    def test_a_warehouse_that_cannot_be_read_is_found_and_seen_again(self, situation: Situation) -> None:
        assert situation.find("warehouse_down") == []
        situation.tables.close()
        catalog = situation.settings.catalog_dir
        catalog.rename(catalog.with_name("away"))
        catalog.mkdir()
        (catalog / "lake.sqlite").write_bytes(b"this is no database" * 100)
        assert situation.subjects("warehouse_down") == ["warehouse"]
        with pytest.raises(CannotLook):
            situation.find("error_rate")
        shutil.rmtree(catalog)
        catalog.with_name("away").rename(catalog)
        assert situation.find("warehouse_down") == []

    def test_little_room_on_the_disk_is_found(self, situation: Situation, monkeypatch: pytest.MonkeyPatch) -> None:
        def left(gigabytes: float) -> None:
            sizes = Usage(100 * 10**9, 0, gigabytes * 10**9)
            monkeypatch.setattr(shutil, "disk_usage", lambda _: sizes)

        left(50)
        assert situation.find("disk") == []
        left(4)
        assert situation.subjects("disk") == ["data"]
        assert situation.find("disk", free_share=0.03) == []
        assert situation.subjects("disk", free_share=0.03, free_gigabytes=5) == ["data"]


def batch(number: int, quarantined: int = 0, lag: float = 1, minutes_ago: float = 5) -> dict[str, object]:
    return {
        "batch_id": f"b{number}", "source": "firestore", "committed_at": NOW - timedelta(minutes=minutes_ago),
        "rows_in": 10, "rows_new": 10, "rows_quarantined": quarantined, "lag_seconds": float(lag),
    }  # fmt: skip


class TestLive:
    def test_many_quarantined_changes_are_found(self, situation: Situation) -> None:
        situation.put(BATCHES, *(batch(n, quarantined=1) for n in range(4)))
        assert situation.find("error_rate") == []
        situation.put(BATCHES, batch(4, quarantined=1), batch(5, quarantined=9, minutes_ago=61))
        (found,) = situation.find("error_rate")
        assert (found.subject, found.value) == ("firestore", 0.1)
        assert situation.find("error_rate", share=0.11) == []

    def test_slow_batches_are_found(self, situation: Situation) -> None:
        situation.put(BATCHES, *(batch(n, lag=61) for n in range(9)), batch(99, lag=61, minutes_ago=31))
        assert situation.find("latency") == []
        situation.put(BATCHES, batch(10, lag=61))
        assert situation.subjects("latency") == ["firestore"]
        assert situation.find("latency", p95_seconds=61) == []


def document(number: int, minutes: float = 0, **fields: object) -> dict[str, object]:
    return {
        "source": "export", "collection": "events", "document_id": f"e{number}", "operation": "upsert",
        "payload": json.dumps({"title": "x", **fields}), "observed_at": NOW, "version": f"{number:08}",
        "ingested_at": NOW + timedelta(minutes=minutes),
    }  # fmt: skip


class TestTables:
    def test_changes_that_wait_for_the_tables_are_found(self, situation: Situation) -> None:
        with pytest.raises(CannotLook):
            situation.find("freshness")
        progress = {"consumed_snapshot": 0, "fingerprint": "f", "as_of": NOW, "committed_at": NOW}
        situation.put(LAKE_PROGRESS, progress)
        situation.put(EVENTS, document(1))
        situation.tables.begin()
        (row,) = situation.tables.rows(
            "SELECT snapshot_id, snapshot_time FROM ducklake_snapshots('lake') ORDER BY 1 DESC LIMIT 1"
        )
        situation.now = row["snapshot_time"] + timedelta(minutes=59)
        assert situation.find("freshness") == []
        situation.wait(minutes=2)
        assert situation.subjects("freshness") == ["tables"]
        situation.put(LAKE_PROGRESS, progress | {"consumed_snapshot": row["snapshot_id"], "fingerprint": "g"})
        assert situation.find("freshness") == []

    def test_a_growing_quarantine_is_found_and_a_large_one_is_not(self, situation: Situation) -> None:
        def refuse(first: int, last: int, table: str = "events") -> None:
            row = {"table_name": table, "rule": "title.missing", "consequence": "rejected"}
            situation.put(QUARANTINE, *(row | {"document_id": f"d{n}"} for n in range(first, last)))

        refuse(0, 100)
        assert situation.find("quarantine_growth") == []
        situation.wait(hours=1)
        refuse(100, 119)
        assert situation.find("quarantine_growth") == []
        refuse(119, 120)
        refuse(0, 20, "clubs")
        assert situation.subjects("quarantine_growth") == ["clubs", "events"]
        assert situation.subjects("quarantine_growth", share=0.3) == ["clubs"]
        situation.wait(hours=24)
        situation.find("quarantine_growth")
        situation.wait(hours=24)
        assert situation.find("quarantine_growth") == []

    def test_a_day_unlike_such_days_is_found(self, situation: Situation) -> None:
        yesterday = TODAY - timedelta(days=1)
        days = [{"date": yesterday - timedelta(days=n), "registrations": 30} for n in range(1, 60)]
        situation.put(AGG_DAILY_METRICS, *days)
        (found,) = situation.find("volume_anomaly")
        assert found.value == 0
        situation.put(AGG_DAILY_METRICS, {"date": yesterday, "registrations": 6})
        assert situation.find("volume_anomaly") == []
        assert situation.find("volume_anomaly", low=0.21)[0].value == 6
        assert situation.find("volume_anomaly", low=0.21, least=31) == []


class TestSchemaDrift:
    def test_a_new_field_is_found_for_some_days(self, situation: Situation) -> None:
        situation.put(EVENTS, *(document(n) for n in range(60)))
        assert situation.find("schema_drift") == []
        situation.put(EVENTS, *(document(n, 1, dress_code="black") for n in range(2)))
        assert situation.find("schema_drift") == []
        situation.put(EVENTS, document(9, 2, dress_code="black"))
        assert situation.subjects("schema_drift") == ["events.dress_code:new"]
        situation.wait(days=3)
        assert situation.find("schema_drift") == []

    def test_a_field_that_is_missing_is_found_until_it_is_back(self, situation: Situation) -> None:
        situation.put(EVENTS, *(document(n, capacity=10) for n in range(60)))
        assert situation.find("schema_drift") == []
        situation.put(EVENTS, *(document(n, 1) for n in range(49)))
        assert situation.find("schema_drift") == []
        situation.put(EVENTS, document(49, 2))
        assert situation.subjects("schema_drift") == ["events.capacity:missing"]
        situation.put(EVENTS, *(document(n, 3, capacity=10) for n in range(90)))
        assert situation.find("schema_drift") == []

    def test_what_the_platform_writes_itself_is_no_drift(self, situation: Situation) -> None:
        """A file of scans says no event and no time of receipt; then phones scan by way of the API."""
        scanned: dict[str, Any] = Scan("code", NOW, "gate-1", event_id="e1").record(NOW)
        dropped = {name: scanned[name] for name in ("type", "qr_code_data", "scanned_at", "scanner_id")}
        situation.put(SCANS, *(document(n, **dropped) for n in range(60)))
        assert situation.find("schema_drift") == []
        situation.put(SCANS, *(document(n, 1, **scanned) for n in range(60)))
        assert situation.find("schema_drift") == []
        situation.put(SCANS, *(document(n, 2, **dropped) for n in range(100)))
        assert situation.find("schema_drift") == []
        situation.put(SCANS, *(document(n, 3, **dropped, phone_model="x") for n in range(5)))
        assert situation.subjects("schema_drift") == ["scans.phone_model:new"]

    def test_every_field_that_a_writer_writes_is_known(self) -> None:
        delivery = Delivery(b"", {}, NOW)
        (mail,) = email_events(
            delivery, "p", "1", "open", occurred_at=None, emails=["a"], message_id="m", about={}, raw="{}"
        )
        state = {
            "object": "charge", "object_id": "c", "captured_minor": 1, "refunded_minor": 0, "returned_minor": 0,
            "state_order": 1, "paid_at": None, "object_created_at": None,
        }  # fmt: skip
        payment = payment_event(
            delivery, "p", "1", "pending", payment_id="p", amount_minor=1, currency="INR", occurred_at=None, about={},
            raw="{}", state=state,
        )  # fmt: skip
        assert Scan("code", NOW, "gate-1", event_id="e1").record(NOW).keys() <= WRITTEN_FIELDS["scans"]
        assert mail.keys() <= WRITTEN_FIELDS["email_events"]
        assert payment.keys() <= WRITTEN_FIELDS["payment_events"]

    def test_documents_are_looked_at_once(self, situation: Situation) -> None:
        situation.put(EVENTS, *(document(n) for n in range(60)))
        for _ in range(3):
            situation.find("schema_drift")
        rows = situation.database.execute("SELECT documents FROM document_fields WHERE field = 'title'")
        assert [row["documents"] for row in rows] == [60]

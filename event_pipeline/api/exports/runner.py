"""Makes exports in the background, a few at a time, and deletes their files when their time has come."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import structlog

from event_pipeline.api.audit import Audit
from event_pipeline.api.exports.folder import ExportFolder
from event_pipeline.api.exports.making import Making, StoppedError
from event_pipeline.api.exports.source import OnStop, OpenSource
from event_pipeline.api.exports.store import CUT_SHORT, Export, ExportStore
from event_pipeline.api.problems import Problem
from event_pipeline.background_task import BackgroundTask, TaskStates
from event_pipeline.errors import PipelineError
from event_pipeline.exports.formats import FormatName
from event_pipeline.settings import Settings

_SWEEP_SECONDS = 60.0

Opened = Callable[[Export, OnStop], OpenSource]
"""Gives what an export reads."""

log = structlog.get_logger(__name__)


class ExportRunner:
    """Threads that take exports in the order they came; each file is written by a process of its own."""

    def __init__(self, settings: Settings, store: ExportStore, audit: Audit, states: TaskStates | None = None) -> None:
        self._settings = settings.exports
        self.store, self._audit = store, audit
        self._states = states or TaskStates()
        self.folder = ExportFolder(settings)
        self._waiting: queue.Queue[str | None] = queue.Queue()
        self._lock = threading.Lock()
        self._under_way: dict[str, Making] = {}
        self._threads: list[threading.Thread] = []
        self._is_closing = False

    def start(self, opened: Opened) -> None:
        """Fail what an earlier process left unfinished, and begin to work; ``opened`` gives what to read."""
        for export_id in self.store.fail_abandoned():
            self.folder.remove(export_id)
        self.sweep()
        self.folder.keep_only(self.store.with_files())
        for number in range(self._settings.jobs):
            ended = threading.Event()
            turn = partial(self._turn, opened, ended)
            thread = BackgroundTask(f"export-{number}", turn, self._states, ended)
            thread.start()
            self._threads.append(thread)

    def submit(self, key_id: str, request: Mapping[str, Any], label: str, name: FormatName) -> Export:
        """Take in an export. Raises Problem busy when as many as may are waiting."""
        with self._lock:
            unfinished = len(self._under_way) + self._waiting.qsize()
            if unfinished >= self._settings.jobs + self._settings.waiting:
                detail = f"{unfinished} exports are under way or waiting; ask again when some are done"
                raise Problem("busy", detail, {"Retry-After": "30"})
            export = self.store.add(key_id, request, label, name)
            self._waiting.put(export.export_id)
        return export

    def delete(self, export: Export) -> None:
        """Stop it when it is being made, and forget it with its file."""
        self.store.delete(export.export_id)
        with self._lock:
            making = self._under_way.get(export.export_id)
        if making is not None:
            making.stop()
        self.folder.remove(export.export_id)

    def sweep(self) -> None:
        """Delete the files whose time has come."""
        for export_id in self.store.expire(datetime.now(UTC)):
            self.folder.remove(export_id)

    def close(self) -> None:
        """Stop what is being made and wait for the threads."""
        with self._lock:
            self._is_closing = True
            under_way = list(self._under_way.values())
        for making in under_way:
            making.stop()
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _turn(self, opened: Opened, ended: threading.Event) -> float:
        try:
            export_id = self._waiting.get(timeout=_SWEEP_SECONDS)
        except queue.Empty:
            self.sweep()
            return 0.0
        if export_id is None:
            ended.set()
            return 0.0
        try:
            export = self.store.begin(export_id)
        except Exception:
            # It was not begun, and is for the next turn, of whichever thread.
            self._waiting.put(export_id)
            raise
        if export is not None:
            self._make(export, opened)
        self.sweep()
        return 0.0

    def _make(self, export: Export, opened: Opened) -> None:
        export_id = export.export_id
        making = Making(export, self.folder, self.store, self._settings.job_seconds)
        with self._lock:
            if self._is_closing:
                self.store.fail(export_id, CUT_SHORT)
                return
            self._under_way[export_id] = making
        try:
            size = making.run(opened(export, making.on_stop))
        except StoppedError:
            self._ended(export, CUT_SHORT)
        except (Problem, PipelineError) as error:
            self._ended(export, str(error))
        except Exception:
            log.exception("export_failed", export_id=export_id)
            self._ended(export, f"something went wrong here; the log has the reason under {export_id}")
        else:
            self._finished(export, making.rows, size)
        finally:
            with self._lock:
                del self._under_way[export_id]
            self.folder.remove_unfinished(export_id)

    def _finished(self, export: Export, rows: int, size: int) -> None:
        expires_at = datetime.now(UTC) + timedelta(hours=self._settings.hours_kept)
        if not self.store.finish(export.export_id, rows, size, expires_at):
            # It was deleted in this moment.
            self.folder.remove(export.export_id)
        details = {"what": export.label, "format": export.format, "rows": rows, "bytes": size}
        self._audit.record(export.key_id, "export_made", export.export_id, details=details)

    def _ended(self, export: Export, problem: str) -> None:
        self.store.fail(export.export_id, problem)
        log.warning("export_ended", export_id=export.export_id, what=export.label, problem=problem)

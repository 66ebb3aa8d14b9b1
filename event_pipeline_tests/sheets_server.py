"""A local server speaking the reads of Google's Sheets and Drive REST APIs that the pipeline uses, and failing."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

Rows = Sequence[Sequence[object]]


@dataclass(frozen=True)
class Number:
    """A cell with a number, and what its format shows of it."""

    shown: str
    value: float


@dataclass
class File:
    """One spreadsheet: worksheets by title, and the time Drive tells."""

    worksheets: dict[str, Rows]
    modified_time: str


@dataclass
class Fault:
    """What happens to the next ``times`` requests whose address contains ``match``.

    ``cut`` sends this share of the right body and hangs up; ``body`` replaces it; ``stall`` never answers.
    """

    match: str
    times: int = 1
    status: int = 200
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: float | None = None
    stall: bool = False


class SheetsServer:
    """Context manager; ``endpoint`` is its address. ``requests`` holds (when, address) of what was asked."""

    def __init__(self) -> None:
        self.files: dict[str, File] = {}
        self.faults: list[Fault] = []
        self.requests: list[tuple[datetime, str]] = []
        self.drive_is_permitted = True
        self._closing = threading.Event()
        server = self

        class Handler(_Handler):
            sheets = server

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def put(self, spreadsheet_id: str, modified_time: str, **worksheets: Rows) -> None:
        """Write a spreadsheet; worksheets by title, with _ for a space."""
        by_title = {title.replace("_", " "): rows for title, rows in worksheets.items()}
        self.files[spreadsheet_id] = File(by_title, modified_time)

    def fail(self, match: str, **what: Any) -> None:
        """Queue a ``Fault``."""
        self.faults.append(Fault(match, **what))

    def asked(self, part: str) -> int:
        """How many requests had ``part`` in their address."""
        return sum(part in address for _, address in self.requests)

    def fault_for(self, address: str) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and fault.match in address:
                fault.times -= 1
                return fault
        return None

    def stall(self) -> None:
        self._closing.wait()

    def answer(self, address: str) -> tuple[int, object]:
        """Status and body of a request that meets no fault."""
        parts = urlsplit(address)
        place = unquote(parts.path).split("/")
        if parts.path.startswith("/drive/v3/files/"):
            return self._drive(place[-1])
        spreadsheet_id = place[3]
        file = self.files.get(spreadsheet_id)
        if file is None:
            return _error(404, "Requested entity was not found.", "NOT_FOUND")
        if parts.path.endswith("/values:batchGet"):
            query = parse_qs(parts.query)
            is_formatted = query.get("valueRenderOption") != ["UNFORMATTED_VALUE"]
            return _batch_get(spreadsheet_id, file, query["ranges"], is_formatted)
        sheets = [{"properties": {"title": title, "index": at}} for at, title in enumerate(file.worksheets)]
        return 200, {"spreadsheetId": spreadsheet_id, "properties": {"title": "An event"}, "sheets": sheets}

    def _drive(self, file_id: str) -> tuple[int, object]:
        if not self.drive_is_permitted:
            return _error(403, "Drive API has not been used in this project", reason="accessNotConfigured")
        if file_id not in self.files:
            return _error(404, f"File not found: {file_id}.", reason="notFound")
        return 200, {"id": file_id, "name": "An event", "modifiedTime": self.files[file_id].modified_time}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement
    sheets: SheetsServer

    def do_GET(self) -> None:
        self.sheets.requests.append((datetime.now(UTC), self.path))
        fault = self.sheets.fault_for(self.path)
        if fault and fault.stall:
            self.sheets.stall()
            self.close_connection = True
            return
        status, body = self.sheets.answer(self.path)
        if fault:
            status, body = fault.status, body if fault.body is None else fault.body
        text = body if isinstance(body, str) else json.dumps(body)
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        for name, value in (fault.headers if fault else {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if fault and fault.cut is not None:
            data = data[: int(len(data) * fault.cut)]
            self.close_connection = True
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Tests read ``requests`` instead."""


def _batch_get(spreadsheet_id: str, file: File, ranges: Sequence[str], is_formatted: bool) -> tuple[int, object]:
    found = []
    for wanted in ranges:
        title = wanted.strip("'").replace("''", "'")
        if title not in file.worksheets:
            return _error(400, f"Unable to parse range: {wanted}", "INVALID_ARGUMENT")
        rows = [[_rendered(cell, is_formatted) for cell in row] for row in file.worksheets[title]]
        rows = _without_blank_ends(rows)
        value_range: dict[str, object] = {"range": f"'{title}'!A1:Z1000", "majorDimension": "ROWS"}
        found.append(value_range | ({"values": rows} if rows else {}))
    return 200, {"spreadsheetId": spreadsheet_id, "valueRanges": found}


def _rendered(cell: object, is_formatted: bool) -> object:
    if isinstance(cell, Number):
        return cell.shown if is_formatted else cell.value
    return cell


def _without_blank_ends(rows: Rows) -> list[list[object]]:
    """As Google answers: no blank cells at the end of a row, no blank rows at the end of the worksheet."""
    trimmed = []
    for row in rows:
        cells = list(row)
        while cells and cells[-1] in ("", None):
            cells.pop()
        trimmed.append(cells)
    while trimmed and not trimmed[-1]:
        trimmed.pop()
    return trimmed


def _error(code: int, message: str, status: str = "PERMISSION_DENIED", reason: str = "") -> tuple[int, object]:
    error: dict[str, object] = {"code": code, "message": message, "status": status}
    if reason:
        error["errors"] = [{"domain": "usageLimits", "reason": reason, "message": message}]
    return code, {"error": error}

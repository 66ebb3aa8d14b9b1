"""An evening at the doors of the demo organisation: guests, phones, and the API over a real socket."""

from __future__ import annotations

import json
import random
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from event_pipeline.api.app import create_app
from event_pipeline.api.services import Services
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect, ibis_backend
from event_pipeline.warehouse.ingest import ingest_exports, ingest_inbox
from event_pipeline.warehouse.lake import Lake
from event_pipeline.warehouse.refresh import refresh_tables
from event_pipeline_tests.api.organisation import NOW, ask, settings_for
from event_pipeline_tests.warehouse.documents import qr_code, registration

DEVICES, SCANS_A_DEVICE, GUESTS = 20, 50, 300


@dataclass(frozen=True)
class Told:
    """What a phone was told of a scan."""

    scanner_id: str
    scanned_at: datetime
    answer: str
    since: datetime | None
    name: str | None = None


@dataclass
class Evening:
    """The data folder afterwards, the codes by what is the matter with them, and what phones were told."""

    settings: Settings
    codes: dict[str, str] = field(default_factory=dict)
    live: list[Told] = field(default_factory=list)
    burst: list[Told] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)


def copy_of(folder: Path, into: Path) -> Settings:
    """The organisation in a folder of one's own."""
    shutil.copytree(folder, into / "data", ignore=shutil.ignore_patterns("api"))
    return settings_for(into / "data", refresh_seconds=0.2)


def hold_today(settings: Settings) -> None:
    """Every event begins at this moment and ends a day after the clock of this machine: each may be scanned."""
    rows = ask(
        settings, "SELECT document_id, arg_max(payload, version) FROM lake.raw.firebase_events "
        "WHERE payload LIKE '{%' GROUP BY 1"
    )  # fmt: skip
    on = {"start_date": NOW.isoformat(), "end_date": (datetime.now(UTC) + timedelta(days=1)).isoformat()}
    lines = (json.dumps({"id": name, "data": json.loads(payload) | on}) for name, payload in rows)
    (settings.exports_dir / "events-evening.ndjson").write_text("\n".join(lines) + "\n")
    bring_up_to_date(settings, "staging.events", "core.dim_events")


REGISTRATIONS = (
    "staging.registrations", "staging.attendance_reversals", "staging.registration_cancellations",
    "staging.resolved_registrations", "people.people", "staging.payment_verifications", "core.fact_registrations",
    "core.fact_payments", "core.fact_payment_entries",
)  # fmt: skip
ATTENDANCE = ("staging.scans", "core.fact_attendance")


def bring_up_to_date(settings: Settings, *tables: str) -> None:
    """What lies in the folders goes to these tables."""
    with connect(settings) as connection:
        lake = Lake.prepared(connection, settings)
        assert ingest_exports(lake, settings).failures == []
        assert ingest_inbox(lake, settings).failures == []
        refresh_tables(ibis_backend(connection), settings, NOW, tables)


def events_of(settings: Settings) -> tuple[str, str]:
    """A free event, and one that costs something."""
    rows = ask(
        settings, "SELECT is_paid, min(event_id) FROM warehouse.core.dim_events WHERE event_id <> 'unknown' GROUP BY 1"
    )
    found = dict(rows)
    return found[False], found[True]


def invite(settings: Settings) -> dict[str, str]:
    """Registrations of every kind, as the app exports them; their codes by kind, guests' as guest-0, guest-1, ..."""
    free, paid = events_of(settings)
    documents: dict[str, Any] = {}

    def invited(person: str, event: str = free, suffix: str = "", **more: Any) -> str:
        name = f"r-{person}{suffix}"
        documents[name] = registration(person, event_id=event, **more)
        return qr_code(name, person, event_id=event)

    codes = {f"guest-{number}": invited(f"guest-{number}") for number in range(GUESTS)}
    codes |= {
        "team": invited("lead", additional_info={"team_members": [{"name": "B"}, {"name": "C"}]}),
        "second registration": invited("guest-0", suffix="-b", registration_date="2025-06-03T00:00:00Z"),
        "cancelled": invited("gone", status="cancelled"),
        "paid": invited("payer", paid, payment_status="verified"),
        "pending": invited("debtor", paid, payment_status="pending"),
        "never paid": invited("forgetful", paid, payment_status=None),
        "rejected": invited("forger", paid, payment_status="rejected"),
        "unknown": qr_code("r-nobody", "nobody", event_id=free),
        "another event's": qr_code("r-guest-1", "guest-1", event_id=paid),
        "misread": invited("blurred").replace("blurred@", "blurted@"),
        "menu": "https://example.org/menu.pdf",
        "half": codes["guest-2"][:40],
    }
    (row,) = ask(
        settings, "SELECT document_id, payload FROM lake.raw.firebase_registrations "
        "JOIN warehouse.core.fact_registrations ON registration_id = document_id "
        "WHERE is_attended AND json_extract_string(payload, '$.attendance_status') = 'attended' "
        "AND json_extract_string(payload, '$.qr_code_data') IS NOT NULL ORDER BY 1 LIMIT 1"
    )  # fmt: skip
    undone = json.loads(row[1])
    codes["taken back"] = undone["qr_code_data"]
    documents[row[0]] = undone | {
        "status": "registered", "attendance_status": "not_attended",
    }  # fmt: skip
    lines = (json.dumps({"id": name, "data": data}) for name, data in documents.items())
    (settings.exports_dir / "registrations-evening.ndjson").write_text("\n".join(lines) + "\n")
    return codes


@contextmanager
def serving(settings: Settings) -> Iterator[tuple[Services, str]]:
    """The API behind a real socket, and its address."""
    services = Services.of(settings)
    services.now = lambda: NOW
    server = uvicorn.Server(uvicorn.Config(create_app(settings, services), "127.0.0.1", 0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server ended before it began"
            time.sleep(0.01)
        yield services, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


class Phone:
    """A device with a key of its own."""

    def __init__(self, services: Services, address: str, name: str, *scopes: str) -> None:
        self.name = name
        _, secret = services.keys.create(name, scopes or ("scan",))
        self._http = httpx.Client(base_url=address, headers={"X-API-Key": secret}, timeout=120)
        self.statuses: list[int] = []

    def close(self) -> None:
        """Give its connections back."""
        self._http.close()

    def send(self, scans: Sequence[tuple[str, datetime]], event_id: str | None = None) -> list[Told]:
        """Upload codes with their times; what each is answered."""
        items = [{"qr_code_data": text, "scanned_at": at.isoformat(), "scanner_id": self.name} for text, at in scans]
        answer = self._http.post("/scans", json={"scans": items, "event_id": event_id})
        self.statuses.append(answer.status_code)
        answer.raise_for_status()
        return [
            Told(self.name, at, item["answer"], _instant(item["since"]), item["person_name"])
            for (_, at), item in zip(scans, answer.json()["items"], strict=True)
        ]


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def burst(services: Services, address: str, codes: Sequence[str]) -> tuple[list[Told], set[int]]:
    """A thousand scans from twenty phones at once, each of one code; everybody is scanned several times."""

    def one_phone(number: int) -> tuple[list[Told], list[int]]:
        phone = Phone(services, address, f"burst-{number}")
        rng = random.Random(number)
        told = []
        for turn in range(SCANS_A_DEVICE):
            at = NOW + timedelta(seconds=60 + turn, milliseconds=number)
            told += phone.send([(rng.choice(codes), at)])
        phone.close()
        return told, phone.statuses

    with ThreadPoolExecutor(DEVICES) as pool:
        results = list(pool.map(one_phone, range(DEVICES)))
    return [told for found, _ in results for told in found], {status for _, found in results for status in found}

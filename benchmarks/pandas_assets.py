"""Peer (b): the core of the pipeline as pandas assets through the stock DuckDBPandasIOManager, as one would write it.

It covers: registrations parsed and tidied (text, e-mail, phone, amount, times, team size), a registration fact
(duplicates ranked, event joined, days and lead time in the organisation's zone) and three aggregates (event and day,
day, pace). It leaves out: quarantine, corrections, scans, mail, payments, people, dimensions, and the phone plan.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pandas as pd

ZONE = "Asia/Kolkata"
_FIELDS = {
    "event_id": "event_id",
    "participant_name": "participant_name",
    "participant_email": "participant_email",
    "participant_phone": "participant_phone",
    "registration_status": "status",
    "registration_type": "registration_type",
    "payment_status": "payment_status",
    "payment_amount": "payment_amount",
    "attendance_status": "attendance_status",
    "registration_date": "registration_date",
    "created_at": "created_at",
    "updated_at": "updated_at",
}
COVERED = (
    "staging.registrations", "staging.resolved_registrations", "core.fact_registrations", "marts.agg_event_metrics",
    "marts.agg_daily_metrics", "marts.agg_registration_pace",
)  # fmt: skip
"""The pipeline's tables that do this work (and more)."""


def read_documents(path: Path, limit: int) -> pd.DataFrame:
    """The first documents of an NDJSON file, one column a field; what is no object is left out."""
    import orjson

    rows = []
    with path.open("rb") as lines:
        for _, line in zip(range(limit), lines, strict=False):
            record = orjson.loads(line)
            document = record["data"]
            if not isinstance(document, dict):
                continue
            more = document.get("additional_info")
            more = more if isinstance(more, dict) else {}
            members = more.get("team_members")
            values = {name: document.get(field) for name, field in _FIELDS.items()}
            rows.append(
                {name: value if isinstance(value, str | None) else str(value) for name, value in values.items()}
                | {
                    "registration_id": record["id"],
                    "department": str(more.get("department") or ""),
                    "year_of_study": str(more.get("year") or ""),
                    "team_size": 1 + (len(members) if isinstance(members, list) else 0),
                }
            )
    return pd.DataFrame(rows)


def clean_registrations(documents: pd.DataFrame) -> pd.DataFrame:
    """Texts tidied, times and amounts read; rows without event or with a garbled address dropped."""
    clean = documents.copy()
    for name in ("event_id", "participant_name", "department", "year_of_study"):
        clean[name] = clean[name].str.strip()
    for name in ("registration_status", "registration_type", "payment_status", "attendance_status"):
        clean[name] = clean[name].str.strip().str.lower().str.replace(r"[\s-]+", "_", regex=True)
    clean["participant_email"] = clean["participant_email"].str.lower().str.replace(r"\s+", "", regex=True)
    is_address = clean["participant_email"].str.match(r"^[^\s@]{1,64}@[a-z0-9][a-z0-9.\-]*\.[a-z][a-z0-9\-]+$", na=True)
    digits = (
        clean["participant_phone"].str.replace(r"[^\d+]", "", regex=True).str.replace(r"^(\+?91|0)", "", regex=True)
    )
    clean["participant_phone"] = ("+91" + digits).where(digits.str.fullmatch(r"[6-9]\d{9}", na=False))
    amount = clean["payment_amount"].str.replace(r"₹|rs\.?|[,\s]|/-", "", regex=True, case=False)
    clean["amount_minor"] = (pd.to_numeric(amount, errors="coerce") * 100).round()
    for name in ("registration_date", "created_at", "updated_at"):
        clean[name] = pd.to_datetime(clean[name], utc=True, errors="coerce", format="ISO8601")
    clean["registered_at"] = clean["registration_date"].fillna(clean["created_at"])
    return clean[is_address & clean["event_id"].notna()].drop(columns=["payment_amount", "registration_date"])


def register_facts(registrations: pd.DataFrame, events: pd.DataFrame, key: str) -> pd.DataFrame:
    """One row per registration with event, person, duplicates, days and lead time."""
    facts = registrations.merge(events, on="event_id", how="left")
    facts["user_id"] = [
        hashlib.sha256(f"{key}|{email}".encode()).hexdigest()[:32] if isinstance(email, str) else "unknown"
        for email in facts["participant_email"]
    ]
    facts["is_cancelled"] = facts["registration_status"] == "cancelled"
    facts = facts.sort_values(["event_id", "user_id", "is_cancelled", "registered_at", "registration_id"])
    rank = facts.groupby(["event_id", "user_id"]).cumcount()
    facts["is_duplicate"] = (rank > 0) & ~facts["is_cancelled"] & (facts["user_id"] != "unknown")
    facts["is_counted"] = ~facts["is_cancelled"] & ~facts["is_duplicate"]
    local = facts["registered_at"].dt.tz_convert(ZONE)
    facts["registered_date"] = local.dt.tz_localize(None).dt.normalize()
    start = pd.to_datetime(facts["starts_at"], utc=True).dt.tz_convert(ZONE).dt.tz_localize(None).dt.normalize()
    facts["lead_time_days"] = (start - facts["registered_date"]).dt.days.clip(lower=0)
    columns = ["participant_name", "participant_email", "participant_phone", "created_at", "starts_at"]
    return facts.drop(columns=columns)


def event_metrics(facts: pd.DataFrame) -> pd.DataFrame:
    """One row per event and day."""
    counted = facts.assign(
        participants=facts["team_size"].where(facts["is_counted"], 0),
        revenue_minor=facts["amount_minor"].where(facts["is_counted"] & (facts["payment_status"] == "verified"), 0),
    )
    return counted.groupby(["event_id", "registered_date"], as_index=False).agg(
        registrations=("is_counted", "sum"),
        cancellations=("is_cancelled", "sum"),
        duplicates=("is_duplicate", "sum"),
        participants=("participants", "sum"),
        revenue_minor=("revenue_minor", "sum"),
    )


def daily_metrics(by_event: pd.DataFrame) -> pd.DataFrame:
    """One row per day."""
    return by_event.groupby("registered_date", as_index=False).sum(numeric_only=True)


def registration_pace(facts: pd.DataFrame) -> pd.DataFrame:
    """One row per event and days before its start, with what had come until then."""
    counted = facts[facts["is_counted"] & facts["lead_time_days"].notna()]
    daily = counted.groupby(["event_id", "lead_time_days"], as_index=False).agg(
        registrations=("registration_id", "count"), participants=("team_size", "sum")
    )
    daily = daily.sort_values(["event_id", "lead_time_days"], ascending=[True, False])
    running = daily.groupby("event_id")[["registrations", "participants"]].cumsum()
    return daily.join(running.add_prefix("cumulative_"))


def pandas_assets(documents: Path, events: pd.DataFrame, limit: int, key: str) -> list[Any]:
    """The Dagster assets, each handing its frame to the IO manager and reading its inputs back from it."""
    import dagster as dg

    def of(name: str, function: Any, **inputs: str) -> dg.AssetsDefinition:
        @dg.asset(name=name, ins={argument: dg.AssetIn(key=key) for argument, key in inputs.items()})
        def _asset(**frames: pd.DataFrame) -> pd.DataFrame:
            return function(**frames)

        return _asset

    return [
        of("documents", lambda: read_documents(documents, limit)),
        of("registrations", clean_registrations, documents="documents"),
        of("facts", lambda registrations: register_facts(registrations, events, key), registrations="registrations"),
        of("event_metrics", event_metrics, facts="facts"),
        of("daily_metrics", daily_metrics, by_event="event_metrics"),
        of("pace", registration_pace, facts="facts"),
    ]

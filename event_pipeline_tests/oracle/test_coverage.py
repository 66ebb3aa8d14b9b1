"""The oracle computes every declared column of people, core and marts: one that nobody recomputes may hold anything."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from event_pipeline.contracts.core import CORE
from event_pipeline.contracts.marts import MARTS
from event_pipeline.contracts.staging_derived import PEOPLE
from event_pipeline_tests.oracle.account import Account, reported
from event_pipeline_tests.oracle.history import document_of
from event_pipeline_tests.oracle.marts import Tables
from event_pipeline_tests.oracle.organisation import Organisation
from event_pipeline_tests.oracle.tables import recomputed
from event_pipeline_tests.warehouse.documents import (
    changed,
    club,
    email_event,
    event,
    qr_code,
    registration,
    scan,
)

NAMES_ONLY = {"core.fact_payment_entries": {"entry_id"}}
"""Columns that only name a row, by whoever first told of it; no figure depends on them."""


COMPARED = {contract.name: contract for contract in (*CORE.values(), *MARTS.values(), PEOPLE)}


@pytest.fixture(scope="module")
def tables() -> Tables:
    """A history with a row in every table."""
    account = Account(1, "r1", 15_000, "usd", datetime(2025, 6, 3, tzinfo=UTC))
    account.pay(None)
    account.wait(60)
    account.refund(5_000, "succeeded", is_told_by_charge=True)
    changes = [
        changed("events", "e1", event()),
        changed("clubs", "c1", club()),
        changed("categories", "k1", {"name": "Technical"}),
        changed("tags", "t1", {"name": "robots"}),
        changed("event_tags", "e1_t1", {"event_id": "e1", "tag_id": "t1"}),
        changed("registrations", "r1", registration(payment_status="verified")),
        changed("scans", "s1", scan(qr_code("r1"))),
        changed("email_events", "sendgrid:1", email_event("r1")),
        *(reported(told) for told in account.events),
    ]
    return recomputed(map(document_of, changes), Organisation(datetime(2025, 7, 1, tzinfo=UTC), "key"))


@pytest.mark.parametrize("name", sorted(COMPARED))
def test_every_column_is_recomputed(tables: Tables, name: str) -> None:
    assert tables[name], "the history has no row of it"
    computed = set(tables[name][0]) | NAMES_ONLY.get(name, set())
    assert computed == set(COMPARED[name].column_names)

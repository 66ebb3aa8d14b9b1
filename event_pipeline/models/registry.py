"""Every model, in an order in which each comes after what it reads."""

from __future__ import annotations

from collections.abc import Callable
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

from event_pipeline.contracts.contract import Contract
from event_pipeline.contracts.core import CORE
from event_pipeline.contracts.staging import STAGING_FIREBASE
from event_pipeline.contracts.staging_derived import PEOPLE, STAGING_DERIVED
from event_pipeline.contracts.staging_inbox import STAGING_PARSED
from event_pipeline.models.core import dimensions, facts, payments
from event_pipeline.models.marts import MART_MODELS
from event_pipeline.models.model import Model
from event_pipeline.models.staging import (
    cancellations,
    firebase,
    inbox,
    payment_marks,
    provider_payments,
    provider_refunds,
    registrations,
    sheets,
)

if TYPE_CHECKING:
    import ibis.expr.types as ir


def _parsed(contract: Contract, function: Callable[..., ir.Table]) -> Model:
    return Model(contract, function, contract.sources, ("locale",))


STAGING_MODELS = (
    *(_parsed(contract, getattr(firebase, table)) for table, contract in STAGING_FIREBASE.items()),
    _parsed(STAGING_PARSED["scans"], inbox.scans),
    _parsed(STAGING_PARSED["email_events"], inbox.email_events),
    _parsed(STAGING_PARSED["payment_events"], inbox.payment_events),
    _parsed(STAGING_PARSED["unreadable"], inbox.unreadable),
    _parsed(STAGING_PARSED["sheet_rows"], sheets.sheet_rows),
)
"""Tables parsed from raw documents; their bad rows go to quarantine."""

DERIVED_MODELS = (
    Model(
        STAGING_DERIVED["absent_registrations"],
        registrations.absent_registrations,
        ("raw.firebase_registrations", "staging.registrations"),
        ("locale",),
    ),
    Model(
        STAGING_DERIVED["sheet_corrections"],
        sheets.sheet_corrections,
        ("staging.sheet_rows", "staging.registrations", "staging.absent_registrations"),
    ),
    Model(STAGING_DERIVED["attendance_reversals"], registrations.attendance_reversals, ("raw.firebase_registrations",)),
    Model(
        STAGING_DERIVED["payment_verifications"],
        payment_marks.payment_verifications,
        ("raw.firebase_registrations", "raw.sheets_rows"),
        ("locale",),
    ),
    Model(STAGING_DERIVED["provider_refunds"], provider_refunds.provider_refunds, ("staging.payment_events",)),
    Model(
        STAGING_DERIVED["provider_payments"],
        provider_payments.provider_payments,
        ("staging.payment_events", "staging.provider_refunds"),
    ),
    Model(
        STAGING_DERIVED["registration_cancellations"],
        cancellations.registration_cancellations,
        ("raw.firebase_registrations", "staging.registrations"),
        ("locale",),
    ),
    Model(
        STAGING_DERIVED["resolved_registrations"],
        registrations.resolved_registrations,
        ("staging.registrations", "staging.sheet_corrections", "staging.sheet_rows", "staging.events"),
    ),
    Model(
        PEOPLE,
        registrations.people,
        ("staging.registrations", "staging.sheet_rows", "staging.email_events"),
    ),
)
"""Private tables made from staging: absent, cancelled and resolved registrations, corrections, reversals, payments,
people."""

CORE_MODELS = (
    Model(CORE["dim_clubs"], dimensions.dim_clubs, ("staging.clubs",)),
    Model(CORE["dim_categories"], dimensions.dim_categories, ("staging.categories",)),
    Model(
        CORE["dim_events"],
        dimensions.dim_events,
        ("staging.events", "staging.clubs", "staging.categories"),
        ("locale",),
    ),
    Model(
        CORE["bridge_event_tags"],
        dimensions.bridge_event_tags,
        ("staging.event_tags", "staging.tags", "staging.events"),
    ),
    Model(
        CORE["fact_attendance"],
        facts.fact_attendance,
        (
            "staging.scans",
            "staging.resolved_registrations",
            "staging.sheet_corrections",
            "staging.attendance_reversals",
            "core.dim_events",
        ),
        ("locale",),
    ),
    Model(
        CORE["fact_registrations"],
        facts.fact_registrations,
        (
            "staging.resolved_registrations",
            "staging.registration_cancellations",
            "core.fact_attendance",
            "core.fact_payments",
            "core.dim_events",
        ),
        ("locale",),
    ),
    Model(
        CORE["fact_payments"],
        payments.fact_payments,
        (
            "staging.resolved_registrations",
            "staging.provider_payments",
            "staging.sheet_corrections",
            "staging.payment_verifications",
            "staging.events",
        ),
        ("locale",),
    ),
    Model(
        CORE["fact_payment_entries"],
        payments.fact_payment_entries,
        ("core.fact_payments", "staging.provider_refunds"),
        ("locale",),
    ),
    Model(
        CORE["fact_email_events"],
        facts.fact_email_events,
        ("staging.email_events", "staging.resolved_registrations", "staging.events"),
        ("locale",),
    ),
    Model(CORE["dim_users"], dimensions.dim_users, ("people.people", "core.fact_registrations")),
    Model(
        CORE["dim_dates"],
        dimensions.dim_dates,
        (
            "core.dim_events",
            "core.fact_registrations",
            "core.fact_attendance",
            "core.fact_payments",
            "core.fact_payment_entries",
            "core.fact_email_events",
        ),
    ),
)
"""The star schema."""

MODELS: dict[str, Model] = {
    model.name: model for model in (*STAGING_MODELS, *DERIVED_MODELS, *CORE_MODELS, *MART_MODELS.values())
}
"""Every model by ``layer.table``."""


def in_order(names: set[str] | None = None) -> list[Model]:
    """The models (of these names, all when None), each after those it reads."""
    graph = {model.name: [name for name in model.inputs if name in MODELS] for model in MODELS.values()}
    return [MODELS[name] for name in TopologicalSorter(graph).static_order() if names is None or name in names]

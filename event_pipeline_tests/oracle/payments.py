"""Payments: hand marks and providers' reports reconciled, money by its own day, and what disagrees."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from event_pipeline_tests.oracle import fields, records, stripe_state, values
from event_pipeline_tests.oracle.documents import Document, last_run
from event_pipeline_tests.oracle.fields import Row
from event_pipeline_tests.oracle.organisation import UNKNOWN, Organisation
from event_pipeline_tests.oracle.records import Records
from event_pipeline_tests.oracle.registrations import PAID, Correction, Registration
from event_pipeline_tests.oracle.stripe_state import GivenBack, ProviderPayment


@dataclass(frozen=True)
class Mark:
    """What the app or a sheet says of a registration's payment; ``at`` is since when it has stood."""

    registration: Registration
    status: str
    method: str
    at: datetime | None
    typed_minor: int | None = None


class Payments:
    """Every payment of the organisation, and the movements of money."""

    def __init__(
        self,
        source: Records,
        known: Mapping[str, Registration],
        corrections: Iterable[Correction],
        organisation: Organisation,
    ) -> None:
        self._records, self._known, self._organisation = source, known, organisation
        self.provided = _provided(source, organisation)
        self.marks = {
            mark.registration.registration_id: mark for mark in _marks(source, known, corrections, organisation)
        }
        self.rows: list[Row] = []
        self.entries: list[Row] = []
        self._reconcile()

    def _reconcile(self) -> None:
        of_registration: defaultdict[str, list[ProviderPayment]] = defaultdict(list)
        for payment in self.provided:
            if payment.registration_id in self._known:
                of_registration[payment.registration_id or ""].append(payment)
        marked: dict[str, Mark] = {}
        for key, mark in self.marks.items():
            received = [payment for payment in of_registration[key] if payment.received_minor]
            attempts = of_registration[key]
            if received:
                marked[min(received, key=_paid_order).payment_id] = mark
            elif attempts and mark.status != "verified":
                marked[max(attempts, key=_last_order).payment_id] = mark
            else:
                latest = max(attempts, key=_last_order, default=None)
                self._add_mark(mark, None if latest is None else latest.status)
        for payment in self.provided:
            self._add_provided(payment, marked.get(payment.payment_id))

    def _add_mark(self, mark: Mark, provider_status: str | None) -> None:
        registration = mark.registration
        event = self._records.events.get(registration.event_id)
        fee = event["fee_minor"] if event else None
        said = mark.typed_minor if registration.amount_minor is None else registration.amount_minor
        amount = fee if said is None else said
        is_paid = mark.status == "verified"
        self._add(
            {
                "payment_id": f"{mark.method}:{registration.registration_id}",
                "registration_id": registration.registration_id,
                "event_id": registration.event_id,
                "user_id": self._organisation.user(registration.email),
                "method": mark.method,
                "app_status": mark.status,
                "provider_status": provider_status,
                "payment_status": mark.status,
                "amount_minor": amount,
                "currency": self._organisation.currency,
                "is_amount_from_event": said is None and fee is not None,
                "is_disputed": False,
                "paid_at": mark.at if is_paid else None,
                "occurred_at": mark.at,
            },
            amount or 0 if is_paid else 0,
            [],
        )

    def _add_provided(self, payment: ProviderPayment, mark: Mark | None) -> None:
        registration = self._known.get(payment.registration_id or "")
        named = payment.event_id if payment.event_id in self._records.events else UNKNOWN
        self._add(
            {
                "payment_id": payment.payment_id,
                "registration_id": registration.registration_id if registration else None,
                "event_id": registration.event_id if registration else named,
                "user_id": self._organisation.user(registration.email) if registration else UNKNOWN,
                "method": payment.provider,
                "app_status": _told_beside(mark, payment) if mark else None,
                "provider_status": "disputed" if payment.is_disputed else payment.status,
                "payment_status": payment.status,
                "amount_minor": payment.received_minor or payment.asked_minor,
                "currency": payment.currency or self._organisation.currency,
                "is_amount_from_event": False,
                "is_disputed": payment.is_disputed,
                "paid_at": payment.paid_at,
                "occurred_at": payment.paid_at or payment.last_at,
            },
            payment.received_minor,
            payment.given_back,
            payment.is_dispute_lost,
        )

    def _add(self, row: Row, received: int, given_back: list[GivenBack], is_lost: bool = False) -> None:
        refunded = min(sum(entry.amount_minor for entry in given_back), received)
        back_at = max((entry.at for entry in given_back), default=None)
        row |= {"refunded_minor": refunded, "revenue_minor": received - refunded, "refunded_at": back_at}
        row["not_counted_reason"] = _reason(row, is_lost, self._organisation)
        for name in ("paid", "refunded", "occurred"):
            row[f"{name}_date"] = self._organisation.day(row[f"{name}_at"])
        self.rows.append(row)
        moved = [GivenBack("payment", "payment", received, row["paid_at"])] if received else []
        left = received
        for entry in [*moved, *sorted(given_back, key=lambda entry: (entry.at, entry.object_id))]:
            amount = entry.amount_minor if entry.kind == "payment" else -min(entry.amount_minor, left)
            left += amount if entry.kind != "payment" else 0
            if amount:
                self.entries.append(self._entry(row, entry, amount))

    def _entry(self, row: Row, entry: GivenBack, amount: int) -> Row:
        names = ("payment_id", "registration_id", "event_id", "user_id", "currency")
        return {name: row[name] for name in names} | {
            "entry_id": f"{row['payment_id']}/{entry.object_id}",
            "entry_kind": entry.kind,
            "amount_minor": amount,
            "occurred_at": entry.at,
            "occurred_date": self._organisation.day(entry.at),
        }


def _paid_order(payment: ProviderPayment) -> tuple[Any, str]:
    return payment.paid_at, payment.payment_id


def _last_order(payment: ProviderPayment) -> tuple[Any, str]:
    return payment.last_at, payment.payment_id


def _reason(row: Row, is_lost: bool, organisation: Organisation) -> str | None:
    if row["payment_status"] in ("pending", "rejected", "failed"):
        return row["payment_status"]
    if is_lost and row["refunded_minor"]:
        return "dispute_lost"
    if row["payment_status"] == "refunded":
        return "refunded"
    if row["currency"] != organisation.currency:
        return "other_currency"
    if row["refunded_minor"]:
        return "partly_refunded"
    return "no_amount" if row["amount_minor"] is None else None


def _told_beside(mark: Mark, payment: ProviderPayment) -> str | None:
    """What is marked of a provider's payment; a sheet's word about money that the provider received is none."""
    return mark.registration.payment_status if payment.status in ("verified", "refunded") else mark.status


def _marks(
    source: Records, known: Mapping[str, Registration], corrections: Iterable[Correction], organisation: Organisation
) -> Iterable[Mark]:
    typed: dict[str, tuple[datetime, int | None]] = {}
    for correction in corrections:
        if correction.kind == "payment":
            typed[correction.registration_id] = (_typed_since(source, correction), correction.amount_minor)
    for key, registration in known.items():
        if key in typed:
            yield Mark(registration, "verified", "sheet", *typed[key])
        elif registration.payment_status is not None:
            method = "sheet" if registration.is_walk_in else "app"
            at = registration.updated_at or registration.registered_at
            if registration.payment_status == "verified" and not registration.is_walk_in:
                at = _verified_since(source.versions_of_registrations()[key], registration, organisation)
            yield Mark(registration, registration.payment_status, method, at)


def _typed_since(source: Records, correction: Correction) -> datetime:
    """When the first version of the row was seen since when it has said paid without a break."""
    return last_run(source.versions_of_sheet_rows()[correction.row_id], "fields.payment_verified", PAID)[0].version_at


def _verified_since(
    versions: list[Document], registration: Registration, organisation: Organisation
) -> datetime | None:
    """The time that the first version says since when the mark has stood without a break."""
    first = last_run(versions, "payment_status", ("verified",))[0]
    for name in ("updated_at", "registration_date", "created_at"):
        said = values.at_path(first.content, name)
        at = None if said is None else values.instant(said.strip(), organisation.time_zone)
        if at is not None:
            return at
    return first.version_at if len(versions) > 1 else registration.registered_at


def _provided(source: Records, organisation: Organisation) -> list[ProviderPayment]:
    """Payments of all providers: Stripe's from its own events, others' from the records."""
    of_stripe: dict[str, Mapping[str, Any]] = {}
    others: list[tuple[str, Row]] = []
    for key, document in source.payment_documents().items():
        content = document.content
        if isinstance(content, dict) and content.get("provider") == "stripe":
            event = json.loads(content["raw"])
            of_stripe[event["id"]] = event
            continue
        row = fields.read_record(content, records.PAYMENT_EVENTS, organisation)
        if row is not None:
            others.append((key, row))
    return [*stripe_state.payments(of_stripe.values()), *_reported(others)]


def _reported(events: list[tuple[str, Row]]) -> list[ProviderPayment]:
    """Payments without objects: the latest state that is no refund, and every refund one more."""
    grouped: defaultdict[tuple[str, str], list[tuple[str, Row]]] = defaultdict(list)
    for key, row in events:
        grouped[row["provider"], row["payment_id"]].append((key, row))
    found = []
    for (provider, payment_id), theirs in grouped.items():
        ordered = sorted(theirs, key=lambda pair: (pair[1]["occurred_at"], pair[0]))
        payment = ProviderPayment(f"{provider}:{payment_id}", provider)
        for key, row in ordered:
            payment.registration_id = row["registration_id"] or payment.registration_id
            payment.event_id = row["event_id"] or payment.event_id
            payment.currency = (row["currency"] or "").upper() or payment.currency
            payment.asked_minor = max(payment.asked_minor, row["amount_minor"])
            payment.last_at = row["occurred_at"]
            if row["status"] == "refunded":
                payment.given_back.append(GivenBack(key, "refund", row["amount_minor"], row["occurred_at"]))
                continue
            payment.status = "verified" if row["status"] == "succeeded" else row["status"]
            if row["status"] == "succeeded":
                payment.received_minor = row["amount_minor"]
                payment.paid_at = payment.paid_at or row["occurred_at"]
        if payment.received_minor:
            is_gone = payment.refunded_minor >= payment.received_minor
            payment.status = "refunded" if is_gone else "verified"
        found.append(payment)
    return found


def state_of(registration_id: str, payments: Iterable[Row]) -> str | None:
    """The state that counts of a registration's payments."""
    states = {row["payment_status"] for row in payments if row["registration_id"] == registration_id}
    order = ("verified", "refunded", "pending", "rejected", "failed")
    return next((state for state in order if state in states), None)


def revenue(entries: Iterable[Row]) -> list[Row]:
    """``marts.agg_event_revenue``."""
    sums: defaultdict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for entry in entries:
        found = sums[entry["event_id"], entry["occurred_date"], entry["currency"]]
        found["paid_minor" if entry["amount_minor"] > 0 else "refunded_minor"] += abs(entry["amount_minor"])
    return [
        {
            "event_id": event,
            "date": day,
            "currency": currency,
            "paid_minor": found["paid_minor"],
            "refunded_minor": found["refunded_minor"],
            "revenue_minor": found["paid_minor"] - found["refunded_minor"],
        }
        for (event, day, currency), found in sums.items()
    ]

"""The workbook of an event: its figures as the API gives them, its people as the lake knows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from event_pipeline.api.answers.event import (
    CurrencyRevenue,
    EmailFunnel,
    NoShows,
    PaymentDiscrepancy,
    PaymentState,
)
from event_pipeline.api.answers.events import Event
from event_pipeline.api.exports.payment_sheets import add_payments, money_cell
from event_pipeline.api.mirror import Mirrored
from event_pipeline.api.queries import event as queries
from event_pipeline.api.queries import workbook
from event_pipeline.api.queries.events import known_event
from event_pipeline.api.queries.payments import all_payments
from event_pipeline.api.services import Services
from event_pipeline.exports.event_workbook import EventHead, EventWorkbook, Written
from event_pipeline.models.locale import Locale

Figures = Mapping[str, Sequence[tuple[str, Any]]]


@dataclass(frozen=True, slots=True)
class EventFigures:
    """An event's figures at one snapshot of the warehouse."""

    event: Event
    funnel: EmailFunnel
    no_shows: NoShows | None
    payments: list[PaymentState]
    revenue_by_currency: list[CurrencyRevenue]
    discrepancies: list[PaymentDiscrepancy]
    state: Mirrored


def event_figures(services: Services, event_id: str) -> EventFigures:
    """The figures that ``GET events/{event_id}/analytics`` gives now. Raises Problem not-found."""
    state = services.mirror.refresh()
    copies, currency = state.events, services.settings.organisation.currency
    event, row = known_event(copies, event_id, currency)
    funnel = queries.email_funnel(copies, event_id)
    return EventFigures(
        event=event,
        funnel=funnel,
        no_shows=queries.no_shows(row, funnel),
        payments=queries.payments(copies, event_id),
        revenue_by_currency=queries.revenue_by_currency(copies, event_id, currency),
        discrepancies=queries.discrepancies(copies, event_id),
        state=state,
    )


def write_workbook(services: Services, event_id: str, path: Path) -> Written:
    """Write it to ``path``; how many people are in it. Raises Problem not-found and as sessions do."""
    figures = event_figures(services, event_id)
    organisation = services.settings.organisation
    with services.private.session(services.settings.exports.stream_seconds) as session:
        head = EventHead(
            title=figures.event.title or event_id,
            is_paid=figures.event.is_paid,
            custom_fields=workbook.form(session, event_id),
            time_zone=organisation.time_zone,
            currency=organisation.currency,
            minor_units=Locale.of(organisation).minor_units,
        )
        book = EventWorkbook(path, head)
        try:
            book.add(workbook.registrations(session, event_id, figures.state.snapshot))
            book.add_dashboard(_sections(figures, book.written))
            add_payments(book, all_payments(session, event_id, figures.state.snapshot))
        finally:
            book.close()
    return book.written


def _sections(figures: EventFigures, written: Written) -> Figures:
    event, funnel, no_shows = figures.event, figures.funnel, figures.no_shows
    attendance: list[tuple[str, Any]] = [
        ("Check-ins", event.check_ins), ("People checked in", event.attended_people),
    ]  # fmt: skip
    if no_shows is not None:
        came = None if no_shows.rate is None else round(1 - no_shows.rate, 4)
        people_came = None if no_shows.people_rate is None else round(1 - no_shows.people_rate, 4)
        attendance += [
            ("Expected", no_shows.expected), ("Attended", no_shows.attended),
            ("No-shows", no_shows.no_shows), ("Attendance rate", came),
            ("Expected people", no_shows.expected_people), ("Attended people", no_shows.attended_people),
            ("No-show people", no_shows.no_show_people), ("Attendance rate of people", people_came),
        ]  # fmt: skip
    return {
        "Event": [
            ("Club", event.club_name), ("Category", event.category_name), ("Location", event.location),
            ("Starts", event.starts_at), ("Ends", event.ends_at), ("Status", event.event_status),
            ("As of", figures.state.committed_at),
        ],
        "Registrations": [
            ("Registrations", event.registrations), ("Participants, teams included", event.participants),
            ("Capacity", "unlimited" if event.capacity is None else event.capacity),
            ("Fill rate", event.fill_rate),
            ("Rows in the sheet Registrations", written.rows), ("Of these cancelled", written.cancelled),
            ("Of these duplicates", written.duplicates),
        ],
        "Attendance": attendance,
        "Payments": _payment_figures(figures),
        "E-mail": [
            ("Registrations with a mail sent", funnel.sent), ("Delivered", funnel.delivered),
            ("Opened", funnel.opened), ("Clicked", funnel.clicked), ("Bounced", funnel.bounced),
        ],
    }  # fmt: skip


def _payment_figures(figures: EventFigures) -> list[tuple[str, Any]]:
    return [
        ("Revenue", money_cell(figures.event.revenue)),
        *((f"Revenue in {money.currency}", money_cell(money)) for money in figures.event.other_revenue),
        *((f"Received in {item.received.currency}", money_cell(item.received)) for item in figures.revenue_by_currency),
        *((f"Refunded in {item.refunded.currency}", money_cell(item.refunded)) for item in figures.revenue_by_currency),
        *(
            (f"{item.payment_status.capitalize()} ({item.payments} in {item.amount.currency})", money_cell(item.amount))
            for item in figures.payments
        ),
        *((f"To check: payments {item.summary}", item.payments) for item in figures.discrepancies),
    ]

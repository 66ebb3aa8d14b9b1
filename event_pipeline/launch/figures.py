"""The first numbers that a newcomer sees, and which sources failed: a run succeeds without them."""

from __future__ import annotations

from dataclasses import dataclass

from event_pipeline.contracts.currencies import major_units
from event_pipeline.settings import Settings
from event_pipeline.warehouse.rows import first_row


@dataclass(frozen=True)
class Figures:
    """Totals over the organisation, as the data dictionary defines them; a rate of nobody is None."""

    events: int
    registrations: int
    attendance_rate: float | None
    revenue_minor: int
    currency: str
    other_revenue: tuple[tuple[str, int], ...] = ()
    """Other currencies, each with its revenue in its own minor units."""

    def sentence(self) -> str:
        """'2,000 registrations for 41 events, 63.1% of those expected attended, INR 12,345.00 of revenue'."""
        parts = [f"{_counted(self.registrations, 'registration')} for {_counted(self.events, 'event')}"]
        if self.attendance_rate is not None:
            parts.append(f"{self.attendance_rate:.1%} of those expected attended")
        money = [_money(*amount) for amount in ((self.currency, self.revenue_minor), *self.other_revenue)]
        parts.append(f"{' + '.join(money)} of revenue")
        return ", ".join(parts)


def read_figures(settings: Settings) -> Figures:
    """The totals of ``marts.agg_club_metrics``, and of ``marts.agg_event_revenue`` what is in other currencies."""
    from event_pipeline.warehouse.connection import connect

    currency = settings.organisation.currency
    with connect(settings, ("warehouse",), read_only=True) as connection:
        row = first_row(
            connection.execute(
                """
            SELECT coalesce(sum(events), 0), coalesce(sum(registrations), 0),
                sum(expected_attended) / nullif(sum(expected), 0), coalesce(sum(revenue_minor), 0)
            FROM warehouse.marts.agg_club_metrics
            """
            )
        )
        others = connection.execute(
            "SELECT currency, sum(revenue_minor)::BIGINT AS revenue FROM warehouse.marts.agg_event_revenue "
            "WHERE currency <> $currency GROUP BY currency HAVING revenue <> 0 ORDER BY currency",
            {"currency": currency},
        ).fetchall()
    events, registrations, rate, revenue = row or (0, 0, None, 0)
    return Figures(int(events), int(registrations), rate, int(revenue), currency, tuple(others))


def source_failures(settings: Settings) -> list[str]:
    """What keeps sources from being read, as ``ops.source_state`` has it: 'export is refused: ...'."""
    from event_pipeline.contracts.source_state import SOURCE_STATE
    from event_pipeline.warehouse.connection import connect

    with connect(settings, ("lake",), read_only=True) as connection:
        rows = connection.execute(
            f"SELECT source, collection, state, message FROM {SOURCE_STATE.qualified} WHERE state <> 'ok' ORDER BY ALL"
        ).fetchall()
    return [
        f"{source}{'' if collection == '*' else f' {collection}'} is {state}: {message}"
        for source, collection, state, message in rows
    ]


def source_notes(settings: Settings) -> list[str]:
    """What a person should know of sources that were read: 'export: people.csv: was not read: ...'."""
    from event_pipeline.warehouse.source_states import source_states

    return [f"{item.source}: {item.message}" for item in source_states(settings) if item.state == "ok" and item.message]


def refusals(settings: Settings) -> str:
    """How many records wait in quarantine and where to look: '12 records wait to be corrected; see `...`'."""
    from event_pipeline.warehouse.quarantine import rejected_documents

    waiting = rejected_documents(settings)
    if not waiting:
        return "no record was refused"
    verb = "waits" if waiting == 1 else "wait"
    return f"{_counted(waiting, 'record')} {verb} to be corrected; see `.venv/bin/event-pipeline quarantine list`"


def _money(currency: str, amount_minor: int) -> str:
    whole, point, fraction = major_units(amount_minor, currency).partition(".")
    return f"{currency} {int(whole):,}{point}{fraction}" if int(whole) else f"{currency} {whole}{point}{fraction}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"

from __future__ import annotations

from pathlib import Path

from event_pipeline.contracts.marts import AGG_CLUB_METRICS, AGG_EVENT_REVENUE
from event_pipeline.contracts.quarantine import QUARANTINE
from event_pipeline.contracts.source_state import SOURCE_STATE
from event_pipeline.launch.figures import Figures, read_figures, refusals, source_failures, source_notes
from event_pipeline.settings import Organisation, Settings
from event_pipeline.warehouse.connection import connect
from event_pipeline.warehouse.tables import create_tables


def test_the_sentence_holds_every_number() -> None:
    figures = Figures(41, 2_000, 0.631, 1_234_550, "INR", (("JPY", 1_500), ("USD", -50)))
    assert figures.sentence() == (
        "2,000 registrations for 41 events, 63.1% of those expected attended, "
        "INR 12,345.50 + JPY 1,500 + USD -0.50 of revenue"
    )


def test_a_currency_without_minor_units_shows_no_decimals() -> None:
    assert Figures(1, 1, None, 1_200, "JPY").sentence() == "1 registration for 1 event, JPY 1,200 of revenue"


def _warehouse(tmp_path: Path, *rows: str) -> Settings:
    settings = Settings(data_dir=tmp_path, organisation=Organisation(currency="KWD"))
    with connect(settings, ("warehouse",)) as connection:
        create_tables(connection, [AGG_CLUB_METRICS, AGG_EVENT_REVENUE])
        for currency, revenue in (("KWD", 600), ("USD", 900), ("USD", -200), ("EUR", 50), ("EUR", -50)) if rows else ():
            moved = f"'{currency}' AS currency, {revenue} AS revenue_minor"
            connection.execute(f"INSERT INTO {AGG_EVENT_REVENUE.qualified} BY NAME SELECT {moved}")
        for row in rows:
            connection.execute(f"INSERT INTO {AGG_CLUB_METRICS.qualified} BY NAME SELECT {row}")
    return settings


def test_clubs_add_up_and_the_rate_is_of_all_expected_not_of_clubs(tmp_path: Path) -> None:
    settings = _warehouse(
        tmp_path,
        "'a' AS club_id, 2 AS events, 10 AS registrations, 8 AS expected, 2 AS expected_attended, 500 AS revenue_minor",
        "'b' AS club_id, 1 AS events, 3 AS registrations, 2 AS expected, 2 AS expected_attended, 100 AS revenue_minor",
    )
    assert read_figures(settings) == Figures(3, 13, 0.4, 600, "KWD", (("USD", 700),))


def test_an_empty_warehouse_has_no_rate_and_fails_nothing(tmp_path: Path) -> None:
    assert read_figures(_warehouse(tmp_path)) == Figures(0, 0, None, 0, "KWD")


def test_sources_that_failed_are_named_with_their_reason(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    now = "TIMESTAMPTZ '2026-06-30 00:00:00+00'"
    with connect(settings, ("lake",)) as connection:
        create_tables(connection, [SOURCE_STATE])
        for values in (
            f"'google_sheets', '*', 'ok', NULL, {now}, {now}",
            f"'inbox', '*', 'ok', 'a.csv: was not read', {now}, {now}",
            f"'export', '*', 'refused', 'demo.json is cut off', {now}, {now}",
            f"'firestore', 'events', 'unavailable', 'timed out', {now}, {now}",
        ):
            connection.execute(f"INSERT INTO {SOURCE_STATE.qualified} VALUES ({values})")
    assert source_failures(settings) == [
        "export is refused: demo.json is cut off",
        "firestore events is unavailable: timed out",
    ]
    assert source_notes(settings) == ["inbox: a.csv: was not read"]


def test_refused_records_are_counted_once_whatever_they_broke_and_noted_ones_are_not(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    assert refusals(settings) == "no record was refused"
    with connect(settings, ("lake",)) as connection:
        create_tables(connection, [QUARANTINE])

        def refuse(document_id: str, rule: str, consequence: str = "rejected") -> None:
            values = ("registrations", document_id, "export", "1", "f", rule, consequence, None, "mend it")
            connection.execute(f"INSERT INTO {QUARANTINE.qualified} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

        refuse("r1", "a")
        refuse("r1", "b")
        refuse("r3", "a", "noted")
    assert refusals(settings) == "1 record waits to be corrected; see `.venv/bin/event-pipeline quarantine list`"
    with connect(settings, ("lake",)) as connection:
        connection.execute(f"UPDATE {QUARANTINE.qualified} SET consequence = 'rejected'")
    assert refusals(settings).startswith("2 records wait to be corrected;")

"""The IO manager over a real lake: what a write replaces, what it refuses, and how inputs arrive."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pytest

from event_pipeline.definitions.session import Session
from event_pipeline.errors import ContractError
from event_pipeline.warehouse.table_contracts import CONTRACTS
from event_pipeline_tests.warehouse.stored_assets import Store, open_store

CATEGORIES = CONTRACTS["core.dim_categories"]
DAILY = CONTRACTS["marts.agg_daily_metrics"]
FIRST, SECOND, THIRD = "2025-06-07", "2025-06-08", "2025-06-09"
TWO_CATEGORIES = [("k1", "Technical", "#0000ff"), ("k2", "Cultural", "#ff0000")]


def categories(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(CATEGORIES.column_names))


def as_expression(frame: pd.DataFrame) -> ir.Table:
    """The frame's rows as an expression over nothing."""
    records = [{str(name): value for name, value in row.items()} for row in frame.to_dict(orient="records")]
    structs = ibis.array([ibis.struct(row) for row in records])
    row = structs.unnest().name("row").as_table().row
    return row.as_table().select(**{name: row[name] for name in frame.columns})


def days(**counts: int) -> pa.Table:
    """Rows of the daily metrics: by day (``d07`` is 2025-06-07), with so many registrations and otherwise zeros."""
    rows = []
    for name, count in counts.items():
        zeros = {column.name: 0 for column in DAILY.columns if column.type == "int64"}
        rows.append({**zeros, "date": date(2025, 6, int(name[1:])), "registrations": count, "currency": "INR"})
    return pa.Table.from_pylist(rows)


def registrations(store: Store) -> dict[int, int]:
    """Registrations by day of the month."""
    return dict(store.rows(DAILY, "day(date), registrations"))


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(tmp_path_factory.mktemp("lake")) as store:
        yield store


@pytest.fixture
def store(opened: Store) -> Store:
    """With the tables of these tests empty."""
    for contract in (CATEGORIES, DAILY):
        opened.session.backend.con.execute(f"TRUNCATE {contract.qualified}")
    return opened


class TestWholeTable:
    @pytest.mark.parametrize("as_stored", [pd.DataFrame, pa.Table, ir.Table])
    def test_columns_go_where_their_names_say_in_whatever_order_they_come(self, store: Store, as_stored: type) -> None:
        frame = categories(*TWO_CATEGORIES)[["color", "category_name", "category_id"]]
        values: dict[type, Any] = {
            pd.DataFrame: frame,
            pa.Table: pa.Table.from_pandas(frame),
            ir.Table: lambda _: as_expression(frame),
        }

        store.write(CATEGORIES, values[as_stored])

        assert store.rows(CATEGORIES) == TWO_CATEGORIES

    def test_a_first_empty_frame_makes_the_table_its_contract_declares(self, tmp_path: Path) -> None:
        with open_store(tmp_path / "data") as fresh:
            metadata = fresh.write(CATEGORIES, categories())
            rows, described = fresh.rows(CATEGORIES), fresh.fetch(f"DESCRIBE {CATEGORIES.qualified}")

        assert rows == []
        assert [(name, kind) for name, kind, *_ in described] == [(n, "VARCHAR") for n in CATEGORIES.column_names]
        assert metadata["dagster/row_count"] == 0

    def test_an_empty_frame_empties_the_table(self, store: Store) -> None:
        store.write(CATEGORIES, categories(*TWO_CATEGORIES))
        store.write(CATEGORIES, categories())

        assert store.rows(CATEGORIES) == []

    def test_a_run_repeated_replaces_the_rows(self, store: Store) -> None:
        for _ in range(2):
            store.write(CATEGORIES, categories(*TWO_CATEGORIES))

        assert store.rows(CATEGORIES) == TWO_CATEGORIES

    def test_an_insert_that_fails_half_way_leaves_the_old_rows(self, store: Store) -> None:
        store.write(CATEGORIES, categories(*TWO_CATEGORIES))

        def fails_at_the_last_row(session: Session) -> ir.Table:
            numbers = ibis.range(0, 100_000).unnest().name("number").as_table()
            text = numbers.number.cast("string").replace("99999", "no number")  # pyright: ignore[reportAttributeAccessIssue]
            return numbers.select(
                category_id=text.cast("int64").cast("string"), category_name=ibis.literal("new"), color=ibis.literal("")
            )

        with pytest.raises(Exception, match="Could not convert string 'no number'"):
            store.write(CATEGORIES, fails_at_the_last_row)

        assert store.rows(CATEGORIES) == TWO_CATEGORIES

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda frame: frame.drop(columns="color"), "core.dim_categories: the rows lack color"),
            (lambda frame: frame.assign(colour="red"), "core.dim_categories: the contract does not declare colour"),
        ],
        ids=["missing", "undeclared"],
    )
    def test_columns_other_than_the_contracts_are_refused(
        self, store: Store, change: Callable[[pd.DataFrame], pd.DataFrame], message: str
    ) -> None:
        store.write(CATEGORIES, categories(*TWO_CATEGORIES))

        with pytest.raises(ContractError, match=message):
            store.write(CATEGORIES, change(categories(("k3", "Sports", "#00ff00"))))

        assert store.rows(CATEGORIES) == TWO_CATEGORIES


class TestPartitions:
    def test_a_day_run_again_replaces_that_day_alone(self, store: Store) -> None:
        store.write(DAILY, days(d07=1, d08=2), FIRST, SECOND)
        for _ in range(2):
            store.write(DAILY, days(d08=5), SECOND)

        assert registrations(store) == {7: 1, 8: 5}

    def test_a_range_of_days_is_one_run(self, store: Store) -> None:
        store.write(DAILY, days(d07=1, d08=2, d09=3), FIRST, THIRD)
        metadata = store.write(DAILY, days(d08=7), SECOND, THIRD)

        assert registrations(store) == {7: 1, 8: 7}
        assert metadata["dagster/partition_row_count"] == 1

    def test_rows_outside_the_partition_are_refused_and_nothing_changes(self, store: Store) -> None:
        store.write(DAILY, days(d07=1, d08=2), FIRST, SECOND)

        with pytest.raises(ContractError, match=rf"1 rows have a date outside {SECOND}\.\.{SECOND}; nothing was"):
            store.write(DAILY, days(d07=9, d08=9), SECOND)

        assert registrations(store) == {7: 1, 8: 2}

    def test_rows_without_a_day_belong_to_no_partition(self, store: Store) -> None:
        undated = days(d08=1).drop_columns("date").append_column("date", pa.array([None], pa.date32()))

        with pytest.raises(ContractError, match="1 rows have a date outside"):
            store.write(DAILY, undated, SECOND)

        assert registrations(store) == {}

    def test_a_run_without_partitions_replaces_every_day(self, store: Store) -> None:
        store.write(DAILY, days(d07=1, d08=2), FIRST, SECOND)
        store.write(DAILY, days(d09=3))

        assert registrations(store) == {9: 3}


class TestInputs:
    @pytest.mark.parametrize(
        ("annotation", "kind"),
        [(ir.Table, ir.Table), (pd.DataFrame, pd.DataFrame), (pa.Table, pa.Table), (Any, ir.Table)],
        ids=["ibis", "pandas", "pyarrow", "unannotated"],
    )
    def test_arrive_as_annotated(self, store: Store, annotation: Any, kind: type) -> None:
        store.write(CATEGORIES, categories(*TWO_CATEGORIES))

        handed, table = store.load(CATEGORIES, annotation)

        assert issubclass(handed, kind)
        assert sorted(str(value) for value in table["category_id"]) == ["k1", "k2"]

    def test_of_a_run_for_one_day_hold_that_day(self, store: Store) -> None:
        store.write(DAILY, days(d07=1, d08=2, d09=3), FIRST, THIRD)

        _, one_day = store.load(DAILY, pa.Table, SECOND)
        _, every_day = store.load(DAILY, pa.Table)

        assert one_day["registrations"].to_pylist() == [2]
        assert sorted(every_day["registrations"].to_pylist()) == [1, 2, 3]


class TestMetadata:
    def test_of_a_whole_table(self, store: Store) -> None:
        metadata = store.write(CATEGORIES, categories(*TWO_CATEGORIES))

        columns = metadata["dagster/column_schema"].columns
        assert metadata["dagster/row_count"] == 2
        assert [column.name for column in columns] == list(CATEGORIES.column_names)
        assert columns[0].type == "VARCHAR"
        assert columns[0].description == CATEGORIES.column("category_id").description
        assert not columns[0].constraints.nullable

    def test_names_the_table_in_the_catalog_that_holds_it(self, store: Store) -> None:
        metadata = store.write(CATEGORIES, categories(*TWO_CATEGORIES))

        assert metadata["dagster/table_name"] == "warehouse.core.dim_categories"
        assert len(store.fetch(metadata["Query"])) == 2

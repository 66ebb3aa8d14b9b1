"""What a benchmark says it measured is what was used, and its targets are judged by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.measure import Measured, measuring, middle, run_step
from benchmarks.spine import write_results
from benchmarks.targets import targets_of

MODELLED = {
    "staging.registrations": 6.0, "staging.resolved_registrations": 1.0, "core.fact_registrations": 1.0,
    "marts.agg_event_metrics": 1.0, "marts.agg_daily_metrics": 0.5, "marts.agg_registration_pace": 0.5,
}  # fmt: skip
RESULTS = {
    "load": Measured(2_000, 2.0, 3.0, 900.0),
    "load_documents": Measured(1_000, 1.0, 2.0, 800.0),
    "dlt_load": Measured(100, 2.0, 2.0, 400.0),
    "dlt_json": Measured(100, 1.0, 1.0, 300.0),
    "refresh": Measured(1_000, 8.0, 13.0, 1_000.0, {"cpu_seconds_by_table": MODELLED}),
    "handwritten": Measured(1_000, 6.0, 10.0, 900.0, {"cpu_seconds_by_table": {"setup": 1.0}}),
    "agreement": Measured(36, details={"differing": []}),
    "checks": Measured(1_000, 5.0, 12.0, 600.0),
    "location": Measured(49, 2.0, 2.0, 140.0),
    "pandas_refresh": Measured(1_000, 30.0, 40.0, 3_000.0),
}


def _met(**changed: Measured) -> list[bool]:
    return [target.is_met for target in targets_of({**RESULTS, **changed})]


def test_targets_are_met_up_to_their_limits() -> None:
    assert _met() == [True] * 5


def test_each_target_is_missed_beyond_its_limit() -> None:
    assert _met(handwritten=Measured(1_000, 6.0, 9.9)) == [False, True, True, True, True]
    assert _met(load_documents=Measured(1_000, 1.01, 2.0)) == [True, False, True, True, True]
    assert _met(load=Measured(2_000, 2.0, 3.0, 4_096.0)) == [True, True, False, True, True]
    assert _met(checks=Measured(1_000, 5.0, 13.1)) == [True, True, True, False, True]
    assert _met(location=Measured(49, 2.0, 5.0)) == [True, True, True, True, False]


def test_the_median_of_each_figure_is_reported() -> None:
    runs = [Measured(10, wall, cpu, peak) for wall, cpu, peak in ((9.0, 2.0, 5.0), (1.0, 3.0, 6.0), (4.0, 1.0, 7.0))]
    assert middle(runs) == Measured(10, 4.0, 2.0, 6.0)


def test_work_of_all_threads_is_counted_as_cpu() -> None:
    import duckdb

    measured = Measured()
    with measuring(measured), duckdb.connect(config={"threads": 2}) as connection:
        connection.execute("SELECT sum(hash(range)) FROM range(30_000_000)").fetchall()
    assert measured.cpu_seconds > 0
    assert measured.wall_seconds > 0


def test_a_step_runs_in_a_process_of_its_own(tmp_path: Path) -> None:
    measured = run_step("demo", tmp_path, {"registrations": 100})
    assert measured.rows == 100
    assert measured.cpu_seconds > 0
    assert measured.peak_mb > 10
    assert list((tmp_path / "demo" / "exports").iterdir())


def test_a_step_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="a demo has 100 to 10000000 registrations; 5 were asked for"):
        run_step("demo", tmp_path, {"registrations": 5})


def test_results_are_written_for_people_and_programs(tmp_path: Path) -> None:
    machine = dict.fromkeys(("cores", "processor", "memory_gb", "system", "python", "load_average"), 1)
    write_results(tmp_path, {**machine, "versions": {"duckdb": "1.5.5"}}, {n: [m] for n, m in RESULTS.items()}, "bench")
    page = (tmp_path / "spine.md").read_text()
    assert "| CPU of the refresh, of the hand-written SQL's | at most 1.3 × | 1.30 × | yes |" in page
    assert "A million registrations cost pandas 40,000 CPU-seconds for that core; the refresh spends 10,000 " in page
    assert '"is_met": true' in (tmp_path / "spine.json").read_text()

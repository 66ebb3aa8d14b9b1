"""Live benchmarks measure what was committed until it is in sight, and judge their targets by that."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from benchmarks.live.databases import Registrations, Written
from benchmarks.live.lake_size import compacted, lake_of
from benchmarks.live.latency import Latencies, Sight
from benchmarks.live.results import write_results
from benchmarks.live.targets import growth_of_memory, targets_of
from benchmarks.load import watching_load


def test_a_state_is_in_sight_with_itself_or_a_later_one() -> None:
    sight = Sight()
    sight.wrote([Written("a", 1), Written("b", 2)])
    sight.wrote([Written("a", 3)])
    assert sight.oldest() == 1
    assert len(sight.saw([("a", 1), ("stranger", 9)])) == 1
    assert (sight.missing(), sight.oldest()) == (2, 2)
    assert len(sight.saw([("b", 2), ("a", 3)])) == 2
    assert (sight.missing(), sight.oldest()) == (0, None)


def test_a_later_state_brings_earlier_ones_in_sight() -> None:
    sight = Sight()
    for micros in (1, 2, 3):
        sight.wrote([Written("a", micros)])
    found = sight.saw([("a", 2)])
    assert len(found) == 2
    assert all(0 <= latency <= time.monotonic() - at for at, latency in found)
    assert sight.missing() == 1


def test_registrations_are_written_again_beyond_the_bound_each_time_as_a_new_state() -> None:
    registrations = Registrations([{"event_id": "e1"}, {"event_id": "e2"}], most_documents=3, prefix="-Z")
    made = [registrations.next() for _ in range(8)]
    ids = [document_id for (document_id, _), _ in made]
    assert len(set(ids)) == 3
    assert ids[3:6] == ids[:3]
    states = [state.registered_at for _, state in made]
    assert states == sorted(set(states))
    assert made[0][0][1]["event_id"] == made[3][0][1]["event_id"], "a registration stays with its event"
    assert len({payload["participant_email"] for (_, payload), _ in made}) == 3


def test_growth_tells_a_queue_that_builds_up_from_one_that_does_not() -> None:
    steady = Latencies(10, [(float(second), 1.0 + second % 2) for second in range(20)])
    falling_behind = Latencies(10, [(float(second), second / 2) for second in range(20)])
    assert abs(steady.growth) < 0.05
    assert falling_behind.growth == pytest.approx(0.5)
    assert falling_behind.figures()["p50_seconds"] == pytest.approx(4.75)


def test_memory_grows_from_the_second_quarter_to_the_last() -> None:
    assert growth_of_memory([100, 300, 400, 400, 400, 400, 440, 440]) == pytest.approx(1.1)
    assert growth_of_memory([500]) == 1.0


def test_sizes_count_catalogs_and_files_and_what_the_rows_take_at_once(tmp_path: Path) -> None:
    for part in ("catalog", "storage/deep", "stream"):
        (tmp_path / part).mkdir(parents=True)
        (tmp_path / part / "file").write_bytes(b"x" * 100_000)
    assert (lake_of(tmp_path).megabytes, lake_of(tmp_path).files) == (0.2, 1)
    with duckdb.connect() as connection:
        connection.execute("ATTACH ':memory:' AS lake; ATTACH ':memory:' AS warehouse; CREATE SCHEMA lake.raw")
        connection.execute("CREATE TABLE lake.raw.rows AS SELECT range AS number FROM range(100_000)")
        assert 0.1 < compacted(connection, tmp_path / "compacted") < 1


def test_the_load_is_told_when_measuring_has_ended() -> None:
    with watching_load() as load:
        assert load == {}
    assert load["load_average"] >= 0


def row(rate: float, p50: float, p95: float, **more: Any) -> dict[str, Any]:
    figures = {"changes_a_second": rate, "changes": 100, "lost": 0, "p50_seconds": p50, "p95_seconds": p95}
    return figures | {"p99_seconds": p95, "growth": 0.0, "worker_cpu_share": 0.5, "worker_mb": [500, 510]} | more


def sizes() -> dict[str, dict[str, Any]]:
    load = {"load": {"load_average": 0.5}, "measured_at": "2025-06-08T00:00+00:00"}
    cost = {"wall_median": 1.0, "cpu_median": 1.0, "peak_mb": 500.0}
    size = {"megabytes": 140.0, "files": 10}
    a_day = {"batches": 24, "size": 5, "hours": [size], "night": size, "compacted_mb": 100.0}
    days = dict.fromkeys(("0", "10", "1000"), a_day)
    rates = [row(1, 0.5, 1.0), row(50, 1.0, 2.0)]
    steps = [row(100, 1.0, 2.0), row(200, 4.0, 9.0, growth=0.4)]
    return {
        "5000000": {"batches": {"cost": {"100": cost | {"wall_median": 1.5, "cpu_median": 1.5}}, **load}},
        "100000": {
            "batches": {"cost": {"100": cost}, **load},
            "day": days | load,
        },
        "1000000": {
            "emulator": {"latency": rates, **load},
            "sensors": {"latency": [row(0, 2.5, 3.0, worker_mb=[])], **load},
            "server": {"latency": rates, "steps": steps, "soak": [row(60, 1.0, 2.0)], **load},
        },
    }


def test_targets_are_met_up_to_their_limits() -> None:
    assert [target.is_met for target in targets_of(sizes())] == [True] * 7


def test_each_target_is_missed_beyond_its_limit_or_when_changes_are_lost() -> None:
    found = sizes()
    found["1000000"]["emulator"]["latency"][1]["p95_seconds"] = 2.01
    found["1000000"]["server"]["latency"] = [row(1, 0.5, 1.0), row(50, 1.0, 2.0, lost=1)]
    found["1000000"]["server"]["soak"][0]["worker_mb"] = [500, 500, 500, 600]
    found["1000000"]["sensors"]["latency"][0]["p50_seconds"] = 2.4
    found["5000000"]["batches"]["cost"]["100"] |= {"wall_median": 1.51, "cpu_median": 1.51}
    found["100000"]["day"]["10"]["compacted_mb"] = 93.0
    assert [target.is_met for target in targets_of(found)] == [False] * 7


def test_results_are_written_for_people_and_programs_with_a_plot_of_each_figure(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="plots need the group bench")
    machine = dict.fromkeys(("cores", "processor", "memory_gb", "system", "python", "load_average"), 1)
    write_results(tmp_path, {"machine": {**machine, "versions": {"duckdb": "1.5.5"}}, "sizes": sizes()})
    page = (tmp_path / "live.md").read_text()
    assert "| 1,000,000 | stream worker, emulator | 50 | 100 | 0 | 1.00 | 2.00 | 2.00 | 50% | 500-510 |" in page
    assert "| CPU of a 100-change batch at 5 million, of that at 100,000 | at most 1.5 × | 1.50 × | yes |" in page
    assert "## Sustained rate at 1,000,000 registrations: 100 changes a second" in page
    assert "| up to 1,000 rows | 24 | 5 | 100.0 | 140.0 | 1.40 × | 10 | 10 |" in page
    plots = {path.name for path in tmp_path.glob("*.svg")}
    assert plots == {f"live-{name}.svg" for name in ("latency", "batches", "rates", "memory", "lake")}

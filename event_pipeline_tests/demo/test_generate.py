from __future__ import annotations

import hashlib
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_pipeline.demo import DEFAULT_AS_OF, generate_demo
from event_pipeline.demo.writer import AtomicFiles, LineWriter
from event_pipeline_tests.demo.reading import Demo
from event_pipeline_tests.effort import scaled


def _hashes(target: Path) -> dict[str, str]:
    return {
        str(path.relative_to(target)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(target.rglob("*"))
        if path.is_file()
    }


def test_same_seed_and_size_give_the_same_bytes(tmp_path: Path) -> None:
    # More than one chunk, so that their order matters too.
    summaries = [generate_demo(tmp_path / name, 20_000, 3) for name in ("one", "two")]
    assert _hashes(tmp_path / "one") == _hashes(tmp_path / "two")
    assert [path.name for path in summaries[0].files] == [path.name for path in summaries[1].files]


@pytest.mark.parametrize(("seed", "as_of"), [(4, DEFAULT_AS_OF), (3, datetime(2026, 7, 1, tzinfo=UTC))])
def test_another_seed_or_day_gives_another_organisation(tmp_path: Path, seed: int, as_of: datetime) -> None:
    generate_demo(tmp_path / "one", 100, 3)
    generate_demo(tmp_path / "other", 100, seed, as_of)
    one, other = _hashes(tmp_path / "one"), _hashes(tmp_path / "other")
    assert one.keys() == other.keys()
    assert all(one[name] != other[name] for name in one)


def test_a_date_means_its_midnight_in_utc(tmp_path: Path) -> None:
    generate_demo(tmp_path / "day", 100, 3, date(2026, 6, 30))
    generate_demo(tmp_path / "instant", 100, 3, datetime(2026, 6, 30, tzinfo=UTC))
    assert _hashes(tmp_path / "day") == _hashes(tmp_path / "instant")


@given(
    registrations=st.integers(100, 400), seed=st.integers(0, 2**40), day=st.dates(date(2005, 1, 1), date(2040, 12, 31))
)
@settings(deadline=None, max_examples=scaled(25))
def test_any_small_demo_is_complete(
    tmp_path_factory: pytest.TempPathFactory, registrations: int, seed: int, day: date
) -> None:
    target = tmp_path_factory.mktemp("any")
    summary = generate_demo(target, registrations, seed, day)
    demo = Demo(target, summary)
    assert len(demo.tree["registrations"]) == registrations
    for kind in ("duplicate", "dangling", "garbled", "hostile", "wrong_type", "cancelled", "attended"):
        assert getattr(summary, f"{kind}_registrations") >= 1, kind
    assert summary.past_events >= 1
    assert summary.upcoming_events >= 1
    assert sum(1 for _ in demo.records("scans")) == summary.scans >= 1
    assert sum(1 for _ in demo.records("email-events")) == summary.email_events >= 1
    assert sum(1 for _ in demo.records("payment-events")) == summary.payment_events >= 1


def test_progress_counts_up_to_the_total(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    generate_demo(tmp_path, 20_000, 3, progress=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert seen[-1] == (20_000, 20_000)


def test_export_takes_the_name_it_is_given(tmp_path: Path) -> None:
    summary = generate_demo(tmp_path, 100, 3, export_name="history.json")
    assert tmp_path / "exports" / "history.json" in summary.files
    assert all(path.is_file() for path in summary.files)


@pytest.mark.parametrize("registrations", [0, 99, 10_000_001])
def test_sizes_out_of_range_are_refused(tmp_path: Path, registrations: int) -> None:
    with pytest.raises(ValueError, match=f"100 to 10000000 registrations; {registrations} were"):
        generate_demo(tmp_path, registrations, 3)
    assert not list(tmp_path.iterdir())


def test_interrupted_demo_leaves_no_file_and_keeps_the_former_one(tmp_path: Path) -> None:
    generate_demo(tmp_path, 100, 3)
    before = _hashes(tmp_path)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate_demo(tmp_path, 200, 4, progress=stop)
    assert _hashes(tmp_path) == before


def _peak_megabytes(target: Path, registrations: int) -> float:
    """Peak memory of a fresh process that makes a demo; Arrow's share is invisible from inside Python."""
    script = (
        "import resource, sys; from pathlib import Path; from event_pipeline.demo import generate_demo\n"
        "generate_demo(Path(sys.argv[1]), int(sys.argv[2]), 3)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    command = [sys.executable, "-c", script, str(target), str(registrations)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_memory_does_not_grow_with_the_number_of_registrations(tmp_path: Path) -> None:
    small, large = (_peak_megabytes(tmp_path / str(rows), rows) for rows in (150_000, 600_000))
    assert large < small + 100


def test_records_are_split_over_files_without_loss(tmp_path: Path) -> None:
    with AtomicFiles(tmp_path) as files:
        writer = LineWriter(files, "scans", lines_per_file=4)
        for first in (0, 3, 9):
            writer.write(
                pa.array([f"{number}\n" for number in range(first, min(first + 6, 11))])[: 3 if first == 0 else 6]
            )
    written = sorted((tmp_path / "inbox").iterdir())
    assert [path.name for path in written] == ["scans-0001.ndjson", "scans-0002.ndjson", "scans-0003.ndjson"]
    assert [path.read_text().split() for path in written] == [
        ["0", "1", "2", "3"], ["4", "5", "6", "7"], ["8", "9", "10"],
    ]  # fmt: skip

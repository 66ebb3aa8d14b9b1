from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from event_pipeline.sources.change import Change, ChangeBatch
from event_pipeline.stream.sources.recent import RecentVersions
from event_pipeline_tests.effort import scaled
from event_pipeline_tests.sources.memory_lake import MemoryLake

START = datetime(2025, 6, 8, tzinfo=UTC)
BATCHES = st.lists(
    st.lists(st.tuples(st.sampled_from(["clubs", "tags"]), st.sampled_from("abcdé"), st.booleans()), max_size=6),
    max_size=6,
)


class CountingLake(MemoryLake):
    def count(self, collection: str) -> int:
        return len(self.ids(collection))


def batches_of(steps: list[list[tuple[str, str, bool]]]) -> list[ChangeBatch]:
    at, batches = START, []
    for step in steps:
        for name in ("clubs", "tags"):
            changes = []
            for _, key, is_delete in (item for item in step if item[0] == name):
                at += timedelta(seconds=1)
                payload = f'{{"at": "{at}"}}'
                is_upsert = not is_delete
                changes.append(
                    Change.upsert("s", name, key, payload, at) if is_upsert else Change.delete("s", name, key, at)
                )
            batches.append(ChangeBatch.of("s", name, changes))
    return batches


@settings(deadline=None, max_examples=scaled(100))
@given(steps=BATCHES, committed=st.integers(0, 12), low=st.sampled_from([None, "a", "c"]), is_counted=st.booleans())
def test_what_was_emitted_counts_as_committed_whether_it_is_or_not(
    steps: list[list[tuple[str, str, bool]]], committed: int, low: str | None, is_counted: bool
):
    truth, behind = MemoryLake(), CountingLake() if is_counted else MemoryLake()
    recent = RecentVersions(behind)
    for number, batch in enumerate(batches_of(steps)):
        truth.commit(batch)
        recent.record(batch)
        if number < committed:
            behind.commit(batch)

    for collection in ("clubs", "tags"):
        assert recent.of_ids(collection, "abcdé") == truth.of_ids(collection, "abcdé")
        assert recent.in_range(collection, low, "d") == truth.in_range(collection, low, "d")
        assert recent.count(collection) == len(truth.ids(collection))
        for (name, key), row in truth.latest.items():
            assert recent.newest(name, key) == row["version"]


def test_it_forgets_the_oldest_beyond_its_limit():
    recent = RecentVersions(MemoryLake(), limit=2)
    for key in "abca":
        recent.record(ChangeBatch.of("s", "clubs", [Change.upsert("s", "clubs", key, "{}", START)]))
    assert sorted(recent.in_range("clubs")) == ["a", "c"]

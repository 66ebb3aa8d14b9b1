from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from event_pipeline.sources.change import Change
from event_pipeline.sources.change import ChangeBatch as Batch
from event_pipeline.sources.firebase_cursor import utc_now
from event_pipeline.stream.sources.listing import Listing
from event_pipeline_tests.effort import scaled
from event_pipeline_tests.sources.memory_lake import MemoryLake

IDS = st.sets(st.text(min_size=1, max_size=4), max_size=60)


@settings(deadline=None, max_examples=scaled(100))
@given(known=IDS, listed=IDS, limit=st.integers(0, 60), sampled=st.integers(1, 10))
def test_missing_is_what_is_known_and_was_not_listed_however_many_there_are(
    known: set[str], listed: set[str], limit: int, sampled: int
):
    lake = MemoryLake()
    lake.commit(Batch.of("s", "clubs", [Change.upsert("s", "clubs", key, "{}", utc_now()) for key in known]))
    listing = Listing(limit, sampled)
    for micros, key in enumerate([*listed, *listed]):
        listing.add(key, micros)

    assert sorted(listing.missing(lake, "clubs")) == sorted(known - listed)
    assert (listing.versions is None) == (len(listed) > limit)


def test_a_document_that_was_discarded_is_missing():
    lake = MemoryLake()
    lake.commit(Batch.of("s", "clubs", [Change.upsert("s", "clubs", key, "{}", utc_now()) for key in "ab"]))
    listing = Listing()
    listing.add("a", 1)
    listing.add("b", 1)
    listing.discard("a")
    listing.discard("never listed")
    assert list(listing.missing(lake, "clubs")) == ["a"]

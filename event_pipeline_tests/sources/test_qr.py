from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_pipeline.sources.qr import qr_checksum, qr_checksums, signed_text
from event_pipeline_tests.effort import scaled


def _as_the_app_computes_it(text: str) -> int:
    """``h = ((h << 5) - h) + c; h = h & h`` step by step in signed 32 bits, over UTF-16 code units."""
    units = text.encode("utf-16-be", "surrogatepass")
    value = 0
    for high, low in zip(units[::2], units[1::2], strict=True):
        value = (((value << 5) - value) + (high << 8 | low)) & 0xFFFFFFFF
        value -= (value & 0x80000000) << 1
    return abs(value)


@pytest.mark.parametrize(
    ("text", "checksum"),
    [
        ("", "0"),
        ("a", "2p"),  # 97 = 2 * 36 + 25
        ("ab", "2e9"),  # 97 * 31 + 98 = 3105 = 2 * 1296 + 14 * 36 + 9
        ("hello", "1n1e4y"),
        ("polygenelubricants", "zik0zk"),  # -2 ** 31, whose absolute value no longer fits 32 bits
        ("😀", "11zz7"),  # two code units: 0xD83D * 31 + 0xDE00
        ("\ud83d", "16pp"),  # half a pair, as a garbled scan may hold
        ("आशा@example.org", "7a7ofi"),
        ("-N1:-E1:asha@example.org:1749351300000", "ybxq6b"),
    ],
)
def test_checksum_is_the_one_that_the_app_computes(text: str, checksum: str) -> None:
    assert qr_checksum(text) == checksum


@given(st.text(st.characters(exclude_categories=())))
@settings(deadline=None, max_examples=scaled(200))
def test_checksum_agrees_with_signed_32_bit_steps_on_any_text(text: str) -> None:
    assert int(qr_checksum(text), 36) == _as_the_app_computes_it(text)


@given(st.lists(st.text(), max_size=8), st.integers(0, 3))
@settings(deadline=None, max_examples=scaled(200))
def test_column_of_checksums_agrees_with_single_ones(texts: list[str], skipped: int) -> None:
    column = pa.array(texts, pa.string())[skipped:]
    assert qr_checksums(column).to_pylist() == [qr_checksum(text) for text in texts[skipped:]]


@given(st.lists(st.text(st.characters(max_codepoint=127), max_size=200), max_size=8))
@settings(deadline=None, max_examples=scaled(200))
def test_column_of_ascii_checksums_agrees_with_single_ones(texts: list[str]) -> None:
    assert qr_checksums(pa.array(texts, pa.string())).to_pylist() == [qr_checksum(text) for text in texts]


def test_signed_text_joins_the_four_parts_that_the_hash_covers() -> None:
    assert signed_text("-N1", "-E1", "asha@example.org", 1749351300000) == "-N1:-E1:asha@example.org:1749351300000"

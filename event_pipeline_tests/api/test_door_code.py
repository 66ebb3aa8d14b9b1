"""A phone is told garbled for exactly the codes that the tables call garbled or misread."""

from __future__ import annotations

import json

from event_pipeline.api.door.code import read_code
from event_pipeline_tests.warehouse.documents import changed, qr_code, scan
from event_pipeline_tests.warehouse.fixtures import memory_pipeline
from event_pipeline_tests.warehouse.pipelines import MemoryPipeline

__all__ = ["memory_pipeline"]

GOOD = qr_code("r-1", "asha")

CODES = (
    GOOD,
    f"  {GOOD}\n",
    *(f"{edge}{GOOD}" for edge in ("\ufeff", "\u200b\u00a0", "]Q1", "ï»¿", "\u2028", "x", "]C1", "\x00", "\x1d")),
    *(f"{GOOD}{edge}" for edge in ("\ufeff", "\u200b\u00a0", "\u00ad", "\r\n", "x", "]Q1", "\u3000", "\x1d")),
    qr_code("\ufeffr-1", "asha", "e1\u00a0"),
    qr_code(" r-1\u200b", "asha", "\u2003e1"),
    GOOD[:-1] + ', "registrationId": "r-2"}',
    json.dumps(json.loads(GOOD), indent=2),
    qr_code("r-1", "आशा"),
    qr_code("r-1", "a\u0000b"),
    qr_code("𝔯", "asha"),
    qr_code("r" * 900, "asha"),
    qr_code("r" * 1_200, "asha"),
    qr_code("r" * 6_000, "asha"),
    qr_code("r-1", "asha", made_at=0),
    qr_code("r-1", "asha", type="COUPON"),
    qr_code("r-1", "asha", type=None),
    qr_code("r-1", "asha", hash=None),
    qr_code("r-1", "asha", hash=json.loads(GOOD)["hash"].upper()),
    qr_code("r-1", "asha", hash=5),
    qr_code("r-1", "asha", email="asha@example.com"),
    qr_code("r-1", "asha", eventId=None),
    qr_code("r-1", "asha", timestamp=None),
    qr_code("r-1", "asha", timestamp="1748746500000"),
    qr_code("r-1", "asha", timestamp=1748746500000.5),
    qr_code("r-1", "asha", registrationId=None),
    qr_code("r-1", "asha", registrationId=""),
    qr_code("r-1", "asha", registrationId={"a": [1, "b"]}),
    GOOD.replace('"r-1"', "5"),
    GOOD.replace('"r-1"', "true"),
    GOOD[:-1],
    GOOD + "x",
    f"[{GOOD}]",
    f'"{GOOD}"',
    "null",
    "5",
    "",
    "{}",
    "https://example.org/menu.pdf",
    "x" * 6_000,
)


def test_codes_are_read_as_staging_reads_them(memory_pipeline: MemoryPipeline) -> None:
    memory_pipeline.clear()
    memory_pipeline.commit(*(changed("scans", f"s-{number}", scan(text)) for number, text in enumerate(CODES)))
    memory_pipeline.refresh({"staging.scans"})
    staged = memory_pipeline.by_key("staging.scans")
    read = {f"s-{number}": read_code(text) for number, text in enumerate(CODES)}
    assert {key: code is not None for key, code in read.items()} == {
        key: row["is_readable"] for key, row in staged.items()
    }
    assert {key: code is not None and code.is_whole for key, code in read.items()} == {
        key: row["is_readable"] and row["is_checksum_valid"] for key, row in staged.items()
    }
    assert {key: (code.registration_id, code.event_id) for key, code in read.items() if code and code.is_whole} == {
        key: (row["claimed_registration_id"], row["claimed_event_id"])
        for key, row in staged.items()
        if row["is_readable"] and row["is_checksum_valid"]
    }
    assert sum(code is not None and code.is_whole for code in read.values()) > 5

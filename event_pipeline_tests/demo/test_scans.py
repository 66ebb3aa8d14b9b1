from __future__ import annotations

from collections import Counter
from itertools import pairwise

import orjson

from event_pipeline.sources.qr import qr_checksum, signed_text
from event_pipeline_tests.demo.reading import Demo, fits_its_checksum, instant


def _verdict(demo: Demo, text: str) -> str:
    """What is wrong with a scanned text, decided from the export alone."""
    try:
        code = orjson.loads(text)
        signed = signed_text(code["registrationId"], code["eventId"], code["email"], code["timestamp"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return "garbled"
    if code["hash"] != qr_checksum(signed):
        return "wrong hash"
    document = demo.documents.get(code["registrationId"])
    if document is None:
        return "unknown"
    if document["event_id"] != code["eventId"]:
        return "other event"
    return "cancelled" if document["status"] == "cancelled" else "good"


def test_scans_are_of_the_kinds_that_the_summary_counts(large: Demo) -> None:
    found = Counter(_verdict(large, record["qr_code_data"]) for record in large.records("scans"))
    said = large.summary
    assert found["garbled"] == said.garbled_scans
    assert found["wrong hash"] == said.wrong_hash_scans
    assert found["unknown"] == said.unknown_scans
    assert found["other event"] == said.other_event_scans
    assert found["cancelled"] + found["good"] == said.first_scans + said.repeated_scans + said.scans_of_cancelled
    assert sum(found.values()) == said.scans


def test_smallest_demo_has_every_kind_of_scan(smallest: Demo) -> None:
    found = {_verdict(smallest, record["qr_code_data"]) for record in smallest.records("scans")}
    assert found == {"garbled", "wrong hash", "unknown", "other event", "cancelled", "good"}


def test_codes_in_documents_carry_their_own_ids_and_checksum(large: Demo) -> None:
    coded = {key: doc for key, doc in large.documents.items() if "qr_code_data" in doc}
    assert len(coded) > 0.97 * len(large.documents)
    for key, document in list(coded.items())[::20]:
        code = fits_its_checksum(document["qr_code_data"])
        assert code is not None
        assert (code["registrationId"], code["eventId"]) == (key, document["event_id"])
        assert code["email"] == document.get("participant_email", "")


def test_some_scans_arrive_late_out_of_order_and_from_two_gates(large: Demo) -> None:
    records = list(large.records("scans"))
    moments = [(instant(one["scanned_at"]), instant(one["received_at"])) for one in records]
    delays = [(received - scanned).total_seconds() for scanned, received in moments if scanned and received]
    late = sum(delay > 300 for delay in delays) / len(delays)
    assert 0.05 < late < 0.07
    assert min(delays) >= 0
    assert any(first[0] > second[0] for first, second in pairwise(moments))  # type: ignore[operator]
    gates: dict[str, set[str]] = {}
    for one in records:
        gates.setdefault(one["qr_code_data"], set()).add(one["scanner_id"])
    assert sum(len(seen) > 1 for seen in gates.values()) > 100


def test_some_people_came_by_scan_only_and_some_were_marked_by_hand(large: Demo) -> None:
    attended = {key for key, doc in large.documents.items() if doc["attendance_status"] == "attended"}
    scan_only, by_hand = large.scanned_ids - attended, attended - large.scanned_ids
    assert len(attended | large.scanned_ids) == large.summary.attended_registrations
    assert 0.01 < len(scan_only) / len(large.scanned_ids) < 0.03
    assert 0.11 < len(by_hand) / len(attended) < 0.17

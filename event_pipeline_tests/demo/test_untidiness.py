from __future__ import annotations

import re
from collections import Counter
from typing import Any

from event_pipeline.demo.untidiness import TIME_STYLE_RATES
from event_pipeline_tests.demo.reading import Demo, instant


def test_documents_that_are_no_objects_are_counted(large: Demo, smallest: Demo) -> None:
    for demo in (large, smallest):
        garbled = [
            value for collection in demo.tree.values() for value in collection.values() if not isinstance(value, dict)
        ]
        assert len(garbled) == demo.summary.garbled_documents >= 2


def test_dangling_registrations_are_of_deleted_events(large: Demo, smallest: Demo) -> None:
    for demo in (large, smallest):
        dangling = [doc for doc in demo.documents.values() if doc["event_id"] not in demo.tree["events"]]
        assert 0 < len(dangling) <= demo.summary.dangling_registrations
        assert len({doc["event_id"] for doc in dangling}) == demo.summary.deleted_events


def test_duplicates_share_person_and_event(smallest: Demo, large: Demo) -> None:
    for demo in (smallest, large):
        readable = Counter(
            (doc["event_id"], str(doc["participant_phone"])[-4:], doc["participant_id"], doc["participant_name"])
            for doc in demo.documents.values()
            if {"participant_phone", "participant_id"} <= doc.keys()
        )
        again = sum(count - 1 for count in readable.values())
        assert 0 < again <= demo.summary.duplicate_registrations
    assert 0.008 < large.summary.duplicate_registrations / large.summary.registrations < 0.012


def _time_style(value: Any) -> str:
    if isinstance(value, str):
        return "utc" if value.endswith("Z") else "local"
    return "epoch" if isinstance(value, int) else "native"


def test_times_are_written_in_four_ways_at_stated_rates(large: Demo) -> None:
    styles = Counter(_time_style(doc["registration_date"]) for doc in large.documents.values())
    for style, rate in zip(("utc", "epoch", "local", "native"), TIME_STYLE_RATES, strict=True):
        assert abs(styles[style] / styles.total() - rate) < 0.005


def test_all_ways_of_writing_a_time_mean_the_time_of_the_push_id(large: Demo) -> None:
    alphabet = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
    for key, document in list(large.documents.items())[::7]:
        milliseconds = 0
        for char in key[:8]:
            milliseconds = milliseconds * 64 + alphabet.index(char)
        moment = instant(document["registration_date"])
        assert moment is not None
        assert round(moment.timestamp() * 1000) == milliseconds


def test_phones_come_in_every_format_and_addresses_only_at_reserved_domains(large: Demo) -> None:
    phones = [doc["participant_phone"] for doc in large.documents.values() if "participant_phone" in doc]
    for pattern in (r"\+91 \d{5}-\d{5}", r"0\d{10}", r"9\d{9}", r"\+91\d{10}", r"\d{5} \d{5}"):
        assert any(isinstance(phone, str) and re.fullmatch(pattern, phone) for phone in phones), pattern
    assert any(isinstance(phone, list) for phone in phones)
    emails = [doc["participant_email"] for doc in large.documents.values() if "participant_email" in doc]
    assert all(re.search(r"example\.(org|com|net)$", email.strip().lower()) for email in emails)
    assert any(email != email.strip() for email in emails)
    assert any(email != email.lower() for email in emails)
    assert any("@" not in email for email in emails)


def test_amounts_of_paid_registrations_are_numbers_text_and_null(large: Demo) -> None:
    paid = [doc for doc in large.documents.values() if "payment_amount" in doc]
    kinds = Counter(
        "rupee text" if str(doc["payment_amount"]).startswith("₹") else type(doc["payment_amount"]).__name__
        for doc in paid
    )
    assert set(kinds) == {"int", "str", "rupee text", "NoneType"}
    assert {doc["payment_status"] for doc in paid} == {"verified", "pending", "rejected", None}


def test_fields_go_missing_and_types_go_wrong(large: Demo) -> None:
    documents = list(large.documents.values())
    for field, rate in (("updated_at", 0.05), ("participant_phone", 0.03), ("qr_code_data", 0.02)):
        missing = sum(field not in doc for doc in documents) / len(documents)
        assert abs(missing - rate) < 0.006, field
    assert any(isinstance(doc["participant_name"], int) for doc in documents)
    assert any(isinstance(doc["additional_info"], str) for doc in documents)
    assert any("\x00" in str(doc["participant_name"]) for doc in documents)
    assert any(len(str(doc["participant_name"])) > 10_000 for doc in documents)
    assert any("n" in doc["additional_info"] for doc in documents if isinstance(doc["additional_info"], dict))
    undone = [doc for doc in documents if doc["attendance_status"] != "attended" and "attendance_timestamp" in doc]
    assert undone


def test_teams_hold_members_and_forms_hold_answers(large: Demo) -> None:
    infos = [doc["additional_info"] for doc in large.documents.values() if isinstance(doc["additional_info"], dict)]
    members = [member for info in infos for member in info.get("team_members", [])]
    assert {type(member) for member in members} == {dict, str}
    answers = [answer for info in infos for answer in info.get("custom_fields", {}).values()]
    assert {type(answer) for answer in answers} == {str, list}

"""Row rules: which documents go to quarantine, which only lose a value, and what operators are shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from event_pipeline.contracts.contract import Contract
from event_pipeline.contracts.quarantine import QUARANTINE
from event_pipeline.contracts.row_rule_names import refuse_unknown_rules, row_rule_names
from event_pipeline.contracts.staging import STAGING_FIREBASE
from event_pipeline.contracts.staging_inbox import STAGING_PARSED
from event_pipeline.errors import SettingsError
from event_pipeline.models.rules import row_rules
from event_pipeline.settings import Rule, Validation
from event_pipeline_tests.models.one_document import quarantine, staged
from event_pipeline_tests.models.reading import INDIA
from event_pipeline_tests.warehouse.documents import ABSENT, changed, event, registration
from event_pipeline_tests.warehouse.pipelines import MemoryPipeline


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("participant_email", "asha.example.org", "participant_email.garbled"),
        ("status", "maybe", "registration_status.allowed"),
        ("payment_amount", "a lot", "amount_minor.garbled"),
        ("payment_amount", -1, "amount_minor.range"),
        ("payment_amount", 10**10, "amount_minor.range"),
        ("payment_amount", "9" * 30, "amount_minor.garbled"),
        ("event_id", None, "event_id.required"),
        ("event_id", "x" * 201, "event_id.too_long"),
        ("additional_info", {"team_members": [{}] * 1_000}, "team_size.range"),
    ],
)
def test_a_row_that_breaks_a_rule_goes_to_quarantine(
    pipeline: MemoryPipeline, field: str, value: Any, rule: str
) -> None:
    assert staged(pipeline, "registrations", registration(**{field: value})) is None
    ((found, consequence, _),) = quarantine(pipeline)
    assert (found, consequence) == (rule, "rejected")


@pytest.mark.parametrize(
    ("field", "value", "column", "rule"),
    [
        ("participant_phone", "12345", "participant_phone", "participant_phone.garbled"),
        ("participant_id", "x" * 101, "student_id", "student_id.too_long"),
        ("payment_screenshot_url", "h" * 4_001, "payment_screenshot_url", "payment_screenshot_url.too_long"),
        ("created_at", "once", "created_at", "created_at.garbled"),
        ("registration_date", "some day", "registered_at", "registered_at.garbled"),
        ("registration_type", "crew", "registration_type", "registration_type.allowed"),
        ("attendance_timestamp", "soon", "attended_at", "attended_at.garbled"),
        ("additional_info", {"team_members": "Ravi, Mina"}, "team_members", "team_members.garbled"),
        ("qr_code_data", "scribble", "qr_code_data", "qr_code_data.garbled"),
        ("additional_info", {"department": {"a": 1}}, "department", "department.garbled"),
    ],
)
def test_a_noted_value_is_emptied_and_the_row_goes_on(
    pipeline: MemoryPipeline, field: str, value: Any, column: str, rule: str
) -> None:
    row = staged(pipeline, "registrations", registration(**{field: value}))
    assert row is not None
    assert row[column] is None
    assert row["participant_email"] == "asha@example.org"
    ((found, consequence, _),) = quarantine(pipeline)
    assert (found, consequence) == (rule, "noted")


def test_quarantine_tells_why_an_amount_was_refused(pipeline: MemoryPipeline) -> None:
    refused = {
        "$12": "it names another currency than INR", "12 EUR": "it names another currency than INR",
        "Rs. 500 only": "it holds something else than a number", True: "it holds something else than a number",
        "500-600": "it holds more than one number, or a sign where none belongs",
        "1,00,00": "it has digits that are not grouped by thousands (`1,00,00`)",
        "1.005": "it has more decimals than INR, which has 2",
        12.505: "it has more decimals than INR, which has 2", "9" * 30: "it has more than 11 digits",
    }  # fmt: skip
    documents = {f"r{number}": value for number, value in enumerate(refused)}
    pipeline.commit(
        *(changed("registrations", name, registration(payment_amount=value)) for name, value in documents.items()),
        changed("registrations", "negative", registration(payment_amount="(12.50)")),
    )
    pipeline.refresh({"staging.registrations"})
    said = {row["document_id"]: row["what_to_do"] for row in pipeline.rows(QUARANTINE.name)}
    how = "; expected an amount in INR such as 150 or 1234.50"
    assert said == {
        **{name: f"correct `payment_amount`: {refused[value]}{how}" for name, value in documents.items()},
        "negative": "correct `payment_amount`: it must lie between 0.00 and 1000000000.00 INR",
    }


@pytest.mark.parametrize("contract", [*STAGING_FIREBASE.values(), *STAGING_PARSED.values()], ids=lambda c: c.table)
def test_settings_may_name_exactly_the_rules_there_are(contract: Contract) -> None:
    names = [rule.name for rule in row_rules(contract, Validation(), INDIA)]
    assert row_rule_names(contract) == names
    refuse_unknown_rules(Validation(rules={contract.table: dict.fromkeys(names, Rule(enabled=False))}))


@pytest.mark.parametrize(
    ("table", "rule", "said"),
    [
        ("registrations", "payment_amount.garbled", ["validation.rules.registrations", "'payment_amount.garbled'",
                                                     "amount_minor.garbled"]),
        ("registrations", "x", ["'x'", "(document).not_an_object", "event_id.required"]),
        ("registration", "event_id.required", ["the table 'registration'", "clubs, categories", "sheet_rows"]),
    ],
)  # fmt: skip
def test_a_rule_that_no_table_has_is_refused(table: str, rule: str, said: list[str]) -> None:
    with pytest.raises(SettingsError) as error:
        refuse_unknown_rules(Validation(rules={table: {rule: Rule(enabled=False)}}))
    assert [part for part in said if part not in str(error.value)] == []


def test_every_broken_rule_of_a_row_is_told_with_what_to_do(pipeline: MemoryPipeline) -> None:
    document = registration(status="maybe", payment_amount="a lot", participant_phone="1", event_id=ABSENT)
    assert staged(pipeline, "registrations", document) is None
    rows = {row["rule"]: row for row in pipeline.rows(QUARANTINE.name)}
    assert {rule: row["consequence"] for rule, row in rows.items()} == {
        "registration_status.allowed": "rejected",
        "amount_minor.garbled": "rejected",
        "participant_phone.garbled": "noted",
        "event_id.required": "rejected",
    }
    advice = rows["amount_minor.garbled"]["what_to_do"]
    expected = "it holds something else than a number; expected an amount in INR such as 150 or 1234.50"
    assert advice == f"correct `payment_amount`: {expected}"
    assert {row["table_name"] for row in rows.values()} == {"registrations"}
    assert {row["source"] for row in rows.values()} == {"firestore"}
    assert len({row["version"] for row in rows.values()}) == 1


def test_personal_values_are_masked_and_others_shortened(pipeline: MemoryPipeline) -> None:
    document = registration(
        participant_email="asha rao at home",
        participant_name={"first": "Asha", "last": "Rao"},
        participant_phone="call me",
        status="s" * 300,
    )
    assert staged(pipeline, "registrations", document) is None
    shown = {rule: value for rule, _, value in quarantine(pipeline)}
    assert shown == {
        "participant_email.garbled": "a*** (16 characters)",
        "participant_name.garbled": "{*** (29 characters)",
        "participant_phone.garbled": "c*** (7 characters)",
        "registration_status.allowed": "s" * 200,
    }


def test_a_document_that_is_no_object_is_quarantined_as_a_whole(pipeline: MemoryPipeline) -> None:
    for number, document in enumerate(["text", 42, True, [1, 2], [registration()], "", {"title": "one"}]):
        pipeline.commit(changed("events", f"d{number}", document))
    pipeline.refresh({"staging.events"})
    broken = pipeline.quarantined("events")
    assert all("(document).not_an_object" in broken[f"d{number}"] for number in range(6))
    assert set(pipeline.by_key("staging.events")) == {"d6"}


def test_lenient_mode_keeps_rows_with_bad_values_and_notes_them(
    with_validation: Callable[..., MemoryPipeline],
) -> None:
    pipeline = with_validation(mode="lenient")
    document = registration(payment_amount="a lot", status="maybe", participant_email="nobody", team_size="x")
    row = staged(pipeline, "registrations", document)
    assert row is not None
    assert (row["amount_minor"], row["registration_status"], row["participant_email"]) == (None, None, None)
    assert {(rule, consequence) for rule, consequence, _ in quarantine(pipeline)} == {
        ("amount_minor.garbled", "noted"),
        ("registration_status.allowed", "noted"),
        ("participant_email.garbled", "noted"),
    }


@pytest.mark.parametrize(
    "document",
    [
        registration(event_id=None),
        registration(event_id={"id": "e1"}),
        registration(event_id="x" * 201),
        registration(additional_info={"team_members": [{}] * 2_000}),
        ["not", "an", "object"],
    ],
    ids=["missing", "garbled", "too long", "team", "no object"],
)
def test_lenient_mode_still_rejects_what_no_table_can_hold(
    with_validation: Callable[..., MemoryPipeline], document: Any
) -> None:
    assert staged(with_validation(mode="lenient"), "registrations", document) is None


def test_a_rule_that_is_switched_off_lets_rows_through(with_validation: Callable[..., MemoryPipeline]) -> None:
    pipeline = with_validation(rules={"registrations": {"amount_minor.range": {"enabled": False}}})
    row = staged(pipeline, "registrations", registration(payment_amount=-5))
    assert row is not None
    assert row["amount_minor"] == -500
    assert staged(pipeline, "registrations", registration(payment_amount="a lot"), "d2") is None
    assert [rule for rule, _, _ in quarantine(pipeline)] == ["amount_minor.garbled"]


def test_a_corrected_document_leaves_quarantine_by_itself(pipeline: MemoryPipeline) -> None:
    assert staged(pipeline, "registrations", registration(status="maybe")) is None
    pipeline.commit(changed("registrations", "d1", registration(), after=60))
    pipeline.refresh({"staging.registrations"})
    assert quarantine(pipeline) == []
    assert set(pipeline.by_key("staging.registrations")) == {"d1"}


def test_a_document_that_became_bad_leaves_its_table(pipeline: MemoryPipeline) -> None:
    assert staged(pipeline, "registrations", registration()) is not None
    pipeline.commit(changed("registrations", "d1", registration(status="maybe"), after=60))
    pipeline.refresh({"staging.registrations"})
    assert pipeline.rows("staging.registrations") == []
    assert pipeline.rejected("registrations") == {"d1"}


def test_every_unreadable_line_is_in_quarantine(pipeline: MemoryPipeline) -> None:
    assert staged(pipeline, "unreadable", "half a lin", "scans.ndjson:7:abc") is None
    assert quarantine(pipeline) == [("(document).not_an_object", "rejected", "(not an object)")]


def test_a_document_id_longer_than_any_key_is_quarantined(pipeline: MemoryPipeline) -> None:
    assert staged(pipeline, "events", event(), "e" * 1_601) is None
    assert [rule for rule, _, _ in quarantine(pipeline)] == ["event_id.too_long"]

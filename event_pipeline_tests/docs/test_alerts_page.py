"""Every rule is on the page, with its thresholds, what its alerts mean and what to do."""

from __future__ import annotations

import re

import pytest

from event_pipeline.alerts.rules import RULES
from event_pipeline.settings import AlertRule, AlertRules, Alerts
from event_pipeline_tests.docs.pages import blocks, read

_PAGE = read("alerts.md")


def _part(rule: str) -> str:
    (part,) = re.findall(rf"^### {rule}\n(.*?)(?=^##|\Z)", _PAGE, re.MULTILINE | re.DOTALL)
    return part


def test_rules_are_those_of_the_settings() -> None:
    assert list(RULES) == list(AlertRules.model_fields)


def test_every_rule_and_no_other_is_described() -> None:
    assert re.findall(r"^### (\w+)$", _PAGE, re.MULTILINE) == list(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_says_what_to_do_and_names_its_thresholds(rule: str) -> None:
    part, settings = _part(rule), getattr(AlertRules(), rule)
    own = type(settings).model_fields.keys() - AlertRule.model_fields.keys()
    assert "**What to do.**" in part
    assert [name for name in own if f"`{name}`" not in part] == []
    assert re.search(rf"\b{settings.severity}\b", part, re.IGNORECASE)


def test_what_every_rule_has_is_described() -> None:
    assert [name for name in AlertRule.model_fields if f"`{name}`" not in _PAGE] == []


def test_the_settings_of_the_page_are_valid() -> None:
    import tomllib

    (block,) = blocks(_PAGE, "toml")
    alerts = Alerts.model_validate(tomllib.loads(block)["alerts"])
    assert alerts.receivers.keys() == {"organisers", "night", "tools"}

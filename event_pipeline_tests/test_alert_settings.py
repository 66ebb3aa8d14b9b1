"""The section ``alerts``: receivers that are whole, and secrets that stay secret in what is said of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from event_pipeline.effective import effective_settings
from event_pipeline.errors import SettingsError
from event_pipeline.masking import secrets_of
from event_pipeline.settings import Settings, read_settings

SLACK = "slack://T0K3NAAAAA/T0K3NBBBBB/T0K3NCCCCC/#ops"


@pytest.fixture(autouse=True)
def _no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def read(**alerts: object) -> Settings:
    return read_settings(alerts=alerts)


@pytest.mark.parametrize(
    ("alerts", "reason"),
    [
        ({"receivers": {"a": {"kind": "apprise"}}}, "needs url"),
        ({"receivers": {"a": {"kind": "pagerduty", "url": "http://x"}}}, "needs secret"),
        ({"receivers": {"a": {"kind": "fax", "url": SLACK}}}, "apprise"),
        ({"receivers": {"A!": {"kind": "apprise", "url": SLACK}}}, "pattern"),
        ({"receivers": {"a": {"kind": "apprise", "url": SLACK, "colour": SLACK}}}, "is not a setting"),
        ({"receivers": {"a": {"kind": "apprise", "url": SLACK}}, "rules": {"disk": {"receivers": ["b"]}}}, "b;"),
        ({"rules": {"disk": {"free_share": 2}}}, "less than or equal to 1"),
    ],
)
def test_what_is_wrong_is_said_without_its_secrets(alerts: dict[str, object], reason: str) -> None:
    with pytest.raises(SettingsError, match=reason) as raised:
        read(**alerts)
    assert "T0K3N" not in str(raised.value)


def test_json_that_is_none_is_not_shown_where_it_may_hold_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_ALERTS__RECEIVERS", f'{{"a": "{SLACK}"')
    with pytest.raises(SettingsError) as raised:
        read_settings()
    assert "T0K3N" not in str(raised.value)


def test_a_variable_sets_one_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_ALERTS__RULES__DISK__FREE_SHARE", "0.2")
    rules = read_settings().alerts.rules
    assert (rules.disk.free_share, rules.disk.severity) == (0.2, "critical")


def test_every_token_of_an_address_is_a_secret_and_a_server_is_not() -> None:
    receivers = {
        "a": {"kind": "apprise", "url": SLACK},
        "b": {"kind": "webhook", "url": "https://hooks.example.org/T0K3NDDDDD?key=T0K3NEEEEE"},
    }
    secrets = secrets_of(read(receivers=receivers))
    assert {"T0K3NAAAAA", "T0K3NBBBBB", "T0K3NCCCCC", "T0K3NDDDDD", "T0K3NEEEEE"} <= secrets
    assert "hooks.example.org" not in secrets


def test_the_settings_in_force_show_no_token() -> None:
    settings = read(receivers={"a": {"kind": "apprise", "url": SLACK}}, heartbeat_url="https://x.org/T0K3NFFFFF")
    shown = json.dumps([item.value for item in effective_settings(settings)], default=str)
    assert "T0K3N" not in shown

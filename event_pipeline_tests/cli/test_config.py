"""config check: every setting, its origin, and no secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

SECRET = "a-very-private-key"


def _row(text: str, name: str) -> list[str]:
    return next(line.split() for line in text.splitlines() if line.split()[:1] == [name])


def test_defaults_are_shown_with_their_origin(run) -> None:
    ended = run("config", "check")
    assert ended.code == 0
    assert "(there is none)" in ended.out.splitlines()[0]
    assert _row(ended.out, "log_level") == ["log_level", "INFO", "default"]
    assert _row(ended.out, "identity_key") == ["identity_key", "-", "default"]
    assert _row(ended.out, "features.sensors") == ["features.sensors", "true", "default"]


def test_variable_wins_over_file_and_both_are_named(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "event_pipeline.toml").write_text('batch_size = 10\n[organisation]\ncurrency = "EUR"\nname = "Club"\n')
    monkeypatch.setenv("PIPELINE_BATCH_SIZE", "20")
    monkeypatch.setenv("PIPELINE_ORGANISATION__NAME", "Society")
    shown = run("config", "check").out
    assert _row(shown, "batch_size") == ["batch_size", "20", "variable", "PIPELINE_BATCH_SIZE"]
    assert _row(shown, "organisation.name") == [
        "organisation.name",
        "Society",
        "variable",
        "PIPELINE_ORGANISATION__NAME",
    ]
    assert _row(shown, "organisation.currency") == ["organisation.currency", "EUR", "file"]
    assert _row(shown, "organisation.country") == ["organisation.country", "IN", "default"]


def test_section_given_as_json_in_a_variable_is_named(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_RETENTION", '{"snapshot_days": 3}')
    shown = run("config", "check").out
    assert _row(shown, "retention.snapshot_days") == [
        "retention.snapshot_days",
        "3",
        "variable",
        "PIPELINE_RETENTION",
    ]
    assert _row(shown, "retention.inbox_done_days") == ["retention.inbox_done_days", "30", "default"]


@pytest.mark.parametrize("arguments", [["config", "check"], ["config", "check", "--json"]])
def test_secrets_are_masked(run, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.setenv("PIPELINE_IDENTITY_KEY", SECRET)
    monkeypatch.setenv("PIPELINE_CATALOG_URL", f"postgresql://pipeline:{SECRET}@db/catalog")
    monkeypatch.setenv("PIPELINE_STORAGE_URL", f"s3://minio:{SECRET}@objects/bucket")
    monkeypatch.setenv("PIPELINE_DAGSTER_URL", f"https://admin:{SECRET}@dagster")
    ended = run(*arguments)
    assert ended.code == 0
    assert SECRET not in ended.out + ended.err
    assert "s3://****@objects/bucket" in ended.out


def test_json_holds_every_setting(run, tmp_path: Path) -> None:
    (tmp_path / "event_pipeline.toml").write_text(
        '[[sheets.spreadsheets]]\nspreadsheet_id = "1234567890abc"\n'
        '[validation.rules.registrations."amount_minor.garbled"]\nenabled = false\n'
    )
    found = {item["name"]: item for item in json.loads(run("config", "check", "--json").out)}
    assert found["sheets.spreadsheets"]["value"] == [{"spreadsheet_id": "1234567890abc", "event_id": None}]
    assert found["sheets.spreadsheets"]["source"] == "file"
    assert found["validation.rules"]["value"]["registrations"]["amount_minor.garbled"]["enabled"] is False
    assert found["batch_size"]["value"] == 50_000
    assert all(item["description"] for item in found.values())


def test_rule_that_no_table_has_is_a_wrong_value(run, tmp_path: Path) -> None:
    (tmp_path / "event_pipeline.toml").write_text("[validation.rules.registrations.email]\nenabled = false\n")
    ended = run("config", "check")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("error: setting validation.rules.registrations names the rule 'email': must be one of ")


def test_wrong_value_exits_with_2_and_one_message(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_LOG_LEVEL", "loud")
    ended = run("config", "check")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "error: setting log_level (PIPELINE_LOG_LEVEL) has the value 'loud': "
        "input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'\n"
    )

"""Settings: variables over file over defaults, and one message that says what is wrong without giving secrets away."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from event_pipeline.errors import SettingsError
from event_pipeline.settings import COLLECTIONS, load_settings, read_settings

SECRET = "a-very-private-key"


@pytest.fixture(autouse=True)
def only_this_tests_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PIPELINE_")]:
        monkeypatch.delenv(name)


def _message(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as error:
        read_settings()
    return str(error.value)


def _file(tmp_path: Path, text: str) -> None:
    (tmp_path / "event_pipeline.toml").write_text(text)


def test_defaults_need_no_configuration() -> None:
    settings = read_settings()
    assert settings.firebase.collections == COLLECTIONS
    assert (settings.organisation.time_zone, settings.organisation.currency) == ("Asia/Kolkata", "INR")
    assert settings.catalog_dir == Path("data/catalog")
    assert settings.storage == "data/storage"


def test_variables_win_over_the_file_and_the_file_over_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _file(tmp_path, 'batch_size = 10\nlog_level = "ERROR"\n[organisation]\ncurrency = "EUR"\ncountry = "DE"\n')
    monkeypatch.setenv("PIPELINE_BATCH_SIZE", "20")
    monkeypatch.setenv("PIPELINE_ORGANISATION__COUNTRY", "FR")
    settings = read_settings()
    assert (settings.batch_size, settings.log_level) == (20, "ERROR")
    assert (settings.organisation.currency, settings.organisation.country) == ("EUR", "FR")
    assert read_settings(batch_size=30).batch_size == 30


def test_the_three_named_variables_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_DB_PATH", "/srv/catalog")
    monkeypatch.setenv("PIPELINE_LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("PIPELINE_BATCH_SIZE", "7")
    settings = read_settings()
    assert (settings.catalog_dir, settings.log_level, settings.batch_size) == (Path("/srv/catalog"), "DEBUG", 7)


def test_file_elsewhere_is_named_by_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other.toml").write_text("batch_size = 11")
    monkeypatch.setenv("PIPELINE_CONFIG_FILE", str(tmp_path / "other.toml"))
    assert read_settings().batch_size == 11


def test_file_that_is_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = tmp_path / "missing.toml"
    message = _message(monkeypatch, PIPELINE_CONFIG_FILE=str(missing))
    assert message == f"PIPELINE_CONFIG_FILE names {str(missing)!r}, which is not a file"


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("PIPELINE_LOG_LEVEL", "loud", ["log_level", "'loud'", "'DEBUG', 'INFO', 'WARNING' or 'ERROR'"]),
        ("PIPELINE_BATCH_SIZE", "0", ["batch_size", "'0'", "greater than or equal to 1"]),
        ("PIPELINE_BATCH_SIZE", "many", ["batch_size", "'many'", "valid integer"]),
        ("PIPELINE_ENVIRONMENT", "prod", ["environment", "'prod'", "'development', 'staging' or 'production'"]),
        ("PIPELINE_ORGANISATION__TIME_ZONE", "IST", ["organisation.time_zone", "'IST'", "Asia/Kolkata"]),
        ("PIPELINE_ORGANISATION__CURRENCY", "RUP", ["organisation.currency", "'RUP'", "ISO 4217 code", "such as INR"]),
        ("PIPELINE_ORGANISATION__COUNTRY", "UK", ["organisation.country", "'UK'", "ISO 3166 code", "such as IN"]),
        ("PIPELINE_STORAGE_URL", "gs://bucket", ["storage_url", "'gs://bucket'", "a folder", "s3://bucket/prefix"]),
        ("PIPELINE_CATALOG_URL", "mysql://u:p@h/d", ["catalog_url", "(hidden)", "postgresql://user:password@host"]),
        ("PIPELINE_SCHEDULES__SHEETS", "hourly", ["schedules.sheets", "'hourly'", "cron expression of five fields"]),
        ("PIPELINE_VALIDATION__MODE", "loose", ["validation.mode", "'loose'", "'strict' or 'lenient'"]),
        ("PIPELINE_FIREBASE__BACKEND", "mongo", ["firebase.backend", "'mongo'", "'firestore'"]),
        ("PIPELINE_FIREBASE__BACKEND", "firestore", ["firebase", "needs firebase.project_id"]),
        ("PIPELINE_FIREBASE__BACKEND", "realtime_database", ["firebase", "needs firebase.database_url"]),
        ("PIPELINE_FIREBASE__COLLECTIONS", '["club"]', ["firebase.collections.0", "'club'", "'clubs'"]),
        ("PIPELINE_FIREBASE__COLLECTIONS", "clubs,events", ["firebase.collections", "'clubs,events'", "must be JSON"]),
        ("PIPELINE_FIREBASE", "yes", ["setting firebase ", "'yes'", "must be JSON"]),
        ("PIPELINE_MEMORY_LIMIT", "lots", ["memory_limit", "'lots'", "(MB|GB)"]),
        ("PIPELINE_DAGSTER_URL", "dagster:3000", ["dagster_url", "'dagster:3000'", "https?://"]),
        ("PIPELINE_DAGSTER_URL", "http://localhost:99999", ["dagster_url", "localhost:99999", "port from 1 to 65535"]),
        ("PIPELINE_DAGSTER_URL", "http://:3000", ["dagster_url", "'http://:3000'", "such as http://127.0.0.1:3000"]),
    ],
)
def test_wrong_value_names_setting_value_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, expected: list[str]
) -> None:
    message = _message(monkeypatch, **{variable: value})
    assert not [part for part in [*expected, variable.split("__")[0]] if part not in message]
    assert "\n" not in message


def test_wrong_value_in_the_file_is_named_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _file(tmp_path, "[validation.rules.registrations.email]\nmax_failing_fraction = 2\n")
    message = _message(monkeypatch)
    assert "setting validation.rules.registrations.email.max_failing_fraction" in message
    assert "has the value 2: input should be less than or equal to 1" in message


def test_every_wrong_value_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    message = _message(monkeypatch, PIPELINE_LOG_LEVEL="loud", PIPELINE_BATCH_SIZE="0", PIPELINE_DATA_DIR="x")
    assert [line.split()[1] for line in message.splitlines()] == ["log_level", "batch_size"]


def test_unknown_variable_stops_the_start_and_suggests(monkeypatch: pytest.MonkeyPatch) -> None:
    message = _message(monkeypatch, PIPELINE_BATCHSIZE="5")
    assert message == "PIPELINE_BATCHSIZE is not a setting; did you mean PIPELINE_BATCH_SIZE?"


def test_unknown_nested_name_lists_those_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    message = _message(monkeypatch, PIPELINE_ORGANISATION__TIMEZONE="Asia/Kolkata")
    assert "organisation.timezone (PIPELINE_ORGANISATION__TIMEZONE) is not a setting" in message
    assert "there are name, time_zone, currency, country" in message


@pytest.mark.parametrize(
    "text",
    ["batch_size = ", "\x00", '[organisation]\n[organisation]\nname = "twice"', "batch_size = 1\nbatch_size = 2"],
)
def test_file_that_is_no_toml_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    _file(tmp_path, text)
    assert _message(monkeypatch).startswith("event_pipeline.toml cannot be read: ")


def test_file_that_is_no_text_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "event_pipeline.toml").write_bytes(b"\xff\xfe\x00")
    assert _message(monkeypatch).startswith("event_pipeline.toml cannot be read: ")


@pytest.mark.parametrize(
    "text",
    [
        f'identity_key = ["{SECRET}"]',
        f'catalog_url = {{ url = "{SECRET}" }}',
        f'identity_kye = "{SECRET}"',
        f'dagster_url = "ftp://admin:{SECRET}@host"',
        f'[firebase]\ndatabase_url = "https://u:{SECRET}@h"\nbackend = "firestore"',
        f'[firebase]\npassword = "{SECRET}"',
        f'[inbound]\nstripe_secrets = "{SECRET}"',
        f'[inbound]\nstripe_secret = ["{SECRET}"]',
        f'[inbound]\nresend_secrets = ["{SECRET}"]',
        f'[[inbound.webhooks]]\nname = "{SECRET}"',
    ],
)
def test_secret_is_never_in_the_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    _file(tmp_path, text)
    assert SECRET not in _message(monkeypatch)


def test_a_secret_that_is_no_list_is_not_in_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_INBOUND__STRIPE_SECRETS", SECRET)
    said = _message(monkeypatch)
    assert SECRET not in said
    assert "inbound.stripe_secrets" in said


def test_secrets_are_not_shown_by_the_settings_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_IDENTITY_KEY", SECRET)
    monkeypatch.setenv("PIPELINE_CATALOG_URL", f"postgresql://u:{SECRET}@h/db")
    settings = read_settings()
    assert SECRET not in f"{settings!r} {settings} {settings.model_dump_json()}"
    assert settings.identity_key is not None
    assert settings.identity_key.get_secret_value() == SECRET


def test_settings_cannot_be_changed_after_reading() -> None:
    settings = read_settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.batch_size = 1
    with pytest.raises(ValueError, match="frozen"):
        settings.organisation.name = "x"


@pytest.mark.parametrize(
    ("environment", "log_format", "expected"),
    [
        ("production", "auto", True),
        ("development", "auto", False),
        ("production", "console", False),
        ("staging", "json", True),
    ],
)
def test_logs_are_json_in_production_unless_chosen(environment, log_format, expected: bool) -> None:
    assert read_settings(environment=environment, log_format=log_format).uses_json_logs is expected


def test_settings_of_a_process_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    load_settings.cache_clear()
    first = load_settings()
    monkeypatch.setenv("PIPELINE_BATCH_SIZE", "1")
    assert load_settings() is first
    load_settings.cache_clear()

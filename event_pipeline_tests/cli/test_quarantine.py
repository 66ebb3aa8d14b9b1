"""quarantine list, show and retry, over a lake that real documents were loaded into."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect, ibis_backend
from event_pipeline.warehouse.lake import Lake
from event_pipeline.warehouse.load import load_file
from event_pipeline.warehouse.refresh import refresh_tables
from event_pipeline_tests.warehouse.documents import event, registration

EMAIL, PHONE = "asha at example dot org", "call me at 98765"
DASHED = "-OIpvv2D5bQgrDnhjsonG"
"""An id as Firebase makes them, with the letters of the options."""


def _lake(folder: Path, registrations: dict[str, object], **validation: object) -> Settings:
    """Registrations of event e1, loaded and judged; nothing beyond staging is made."""
    export = folder / "history.json"
    export.write_text(json.dumps({"events": {"e1": event()}, "registrations": registrations}))
    settings = Settings.model_validate({"data_dir": folder / "data", "validation": validation})
    with connect(settings) as connection:
        assert load_file(Lake.prepared(connection, settings), settings, export).failure is None
        names = ["staging.events", "staging.registrations"]
        refresh_tables(ibis_backend(connection), settings, datetime(2025, 7, 1, tzinfo=UTC), names)
    return settings


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a lake with bad documents; tests only read it."""
    documents = {
        "r1": registration(),
        "r2": registration(participant_email=EMAIL, participant_phone=PHONE),
        "r3": registration(event_id=None, status="maybe"),
        DASHED: "garbled",
    }
    return _lake(tmp_path_factory.mktemp("judged"), documents).data_dir


@pytest.fixture
def in_judged(judged: Path, clean_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_DATA_DIR", str(judged))


@pytest.mark.usefixtures("in_judged")
def test_list_names_document_rule_and_remedy(run) -> None:
    ended = run("quarantine", "list", "--table", "registrations")
    assert ended.code == 0
    lines = ended.out.splitlines()
    at = lines.index("registrations r3 (rejected): event_id.required")
    assert lines[at + 1] == "  fill in `event_id`: it is required"
    assert lines[-1] == f"3 documents, {(len(lines) - 1) // 2} broken rules"
    assert not [line for line in lines if line.startswith("registrations r1 ")]


@pytest.mark.usefixtures("in_judged")
@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"], ["show", "registrations", "r2"]])
def test_personal_values_are_masked(run, arguments: list[str]) -> None:
    ended = run("quarantine", *arguments)
    assert ended.code == 0
    assert "r2" in ended.out
    assert "participant_email.garbled" in ended.out
    assert f"a*** ({len(EMAIL)} characters)" in ended.out
    assert not [part for part in (EMAIL, PHONE, "asha", "98765") if part in ended.out + ended.err]


@pytest.mark.usefixtures("in_judged")
def test_list_as_json_is_one_array_of_broken_rules(run) -> None:
    found = json.loads(run("quarantine", "list", "--table", "staging.registrations", "--json").out)
    assert {row["document_id"] for row in found} == {"r2", "r3", DASHED}
    required = next(row for row in found if row["document_id"] == "r3" and row["rule"] == "event_id.required")
    assert required.pop("version")
    assert required == {
        "table_name": "registrations",
        "document_id": "r3",
        "field": "event_id",
        "rule": "event_id.required",
        "consequence": "rejected",
        "offending_value": None,
        "what_to_do": "fill in `event_id`: it is required",
        "source": "export",
    }


@pytest.mark.usefixtures("in_judged")
def test_list_can_be_narrowed_and_says_when_there_is_more(run) -> None:
    rows = json.loads(run("quarantine", "list", "--json").out)
    documents = len({(row["table_name"], row["document_id"]) for row in rows})
    assert documents < len(rows)
    assert run("quarantine", "list", "--limit", "1").out.splitlines()[-1] == (
        f"{documents} documents, {len(rows)} broken rules; 1 shown, --limit shows more"
    )
    rule = run("quarantine", "list", "--rule", "participant_email.garbled").out.splitlines()
    assert [line.split()[1] for line in rule[:-1:2]] == ["r2"]
    assert rule[-1] == "1 document, 1 broken rule"
    assert run("quarantine", "list", "--table", "events").out == "nothing that fits is in quarantine\n"


@pytest.mark.usefixtures("in_judged")
def test_show_takes_an_id_that_begins_with_a_dash(run) -> None:
    shown = run("quarantine", "show", "registrations", DASHED)
    assert shown.code == 0
    assert f"registrations {DASHED} (rejected): (document).not_an_object" in shown.out
    found = json.loads(run("quarantine", "show", "registrations", DASHED, "--json").out)
    assert {row["document_id"] for row in found} == {DASHED}


@pytest.mark.usefixtures("in_judged")
def test_show_of_a_document_that_is_not_there_exits_with_1(run) -> None:
    ended = run("quarantine", "show", "registrations", "r1")
    assert (ended.code, ended.out, ended.err) == (1, "", "r1 of registrations is not in quarantine\n")


@pytest.mark.usefixtures("in_judged")
@pytest.mark.parametrize("arguments", [["list", "--table", "guests"], ["show", "guests", "r1"], ["retry", "guests"]])
def test_unknown_table_exits_with_2_and_names_those_there_are(run, arguments: list[str]) -> None:
    ended = run("quarantine", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("error: there is no staging table 'guests'; there are categories, ")
    assert "registrations" in ended.err


def test_empty_lake_has_nothing_in_quarantine(run) -> None:
    assert run("quarantine", "list").out == "nothing is in quarantine\n"
    assert json.loads(run("quarantine", "list", "--json").out) == []
    assert run("quarantine", "show", "registrations", "r1").code == 1


def test_lake_that_was_loaded_and_never_judged_has_nothing_in_quarantine(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "h.json").write_text(json.dumps({"registrations": {"r1": "garbled"}}))
    assert run("load", "h.json", "--no-refresh").code == 0
    assert run("quarantine", "list").out == "nothing is in quarantine\n"


def test_retry_lets_out_what_the_rules_now_allow(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _lake(tmp_path, {"r1": registration(participant_email=EMAIL), "r2": "garbled"})
    monkeypatch.setenv("PIPELINE_DATA_DIR", str(settings.data_dir))
    (tmp_path / "event_pipeline.toml").write_text(
        '[validation.rules.registrations."participant_email.garbled"]\nenabled = false\n'
    )
    ended = run("quarantine", "retry", "registrations")
    assert ended.code == 0, ended.err
    first, last = ended.out.splitlines()
    assert first.startswith("staging.registrations: 1 row, 1 in quarantine, ")
    assert last == "run `event-pipeline trigger refresh` to bring the warehouse up to date"
    assert {row["document_id"] for row in json.loads(run("quarantine", "list", "--json").out)} == {"r2"}

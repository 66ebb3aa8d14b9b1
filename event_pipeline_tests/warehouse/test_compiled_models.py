"""The SQL of models is kept for later runs, and only for runs in which it would be the same."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from event_pipeline.models.registry import MODELS
from event_pipeline.settings import Organisation, Settings
from event_pipeline.warehouse import compiled_models
from event_pipeline.warehouse.compiled_models import Compiler, keep_compiled
from event_pipeline.warehouse.connection import ibis_backend
from event_pipeline_tests.warehouse.pipelines import AS_OF

CLUBS, EVENTS, PACE = (MODELS[name] for name in ("core.dim_clubs", "core.dim_events", "marts.agg_registration_pace"))


class Process:
    """A process that compiles models, as often as ``compiled`` says; another one knows nothing of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch, self._backend = monkeypatch, ibis_backend(duckdb.connect())
        self.compiled: list[str] = []
        self.starts_anew()

    def starts_anew(self) -> None:
        self.compiled.clear()
        self._monkeypatch.setattr(compiled_models, "_kept", OrderedDict())
        self._monkeypatch.setattr(compiled_models, "_read", set())

    def sql(self, model: Any, settings: Settings, as_of: Any = AS_OF) -> str:
        compiler = Compiler(self._backend, settings, "stored")
        compile_one = compiler._compile
        self._monkeypatch.setattr(
            compiler, "_compile", lambda model, at: (self.compiled.append(model.name), compile_one(model, at))[1]
        )
        return compiler.compiled(model, as_of).query


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Process:
    return Process(monkeypatch)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "catalog").mkdir()
    return Settings(data_dir=tmp_path)


def test_a_later_process_takes_what_an_earlier_one_kept(process: Process, settings: Settings) -> None:
    earlier = process.sql(EVENTS, settings)
    keep_compiled(settings)
    process.starts_anew()
    assert process.sql(EVENTS, settings) == earlier
    assert process.compiled == []


def test_other_settings_or_another_hour_compile_what_depends_on_them(process: Process, settings: Settings) -> None:
    for model in (CLUBS, EVENTS, PACE):
        process.sql(model, settings)
    process.compiled.clear()
    elsewhere = settings.model_copy(update={"organisation": Organisation(time_zone="Europe/Berlin")})
    for model in (CLUBS, EVENTS):
        process.sql(model, elsewhere)
    process.sql(CLUBS, settings, AS_OF + timedelta(hours=1))
    process.sql(PACE, settings, AS_OF + timedelta(hours=1))
    assert process.compiled == [EVENTS.name, PACE.name]


def test_other_code_compiles_again(process: Process, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    process.sql(CLUBS, settings)
    keep_compiled(settings)
    process.starts_anew()
    monkeypatch.setattr(compiled_models, "_code", lambda: "another release")
    process.sql(CLUBS, settings)
    assert process.compiled == [CLUBS.name]


def test_a_model_that_is_not_of_this_package_is_not_kept_in_the_file(process: Process, settings: Settings) -> None:
    process.sql(replace(CLUBS), settings)
    keep_compiled(settings)
    assert (
        not (settings.catalog_dir / "compiled_models.json").exists()
        or json.loads((settings.catalog_dir / "compiled_models.json").read_text()) == {}
    )


@pytest.mark.parametrize("content", ["", "{", "[]", '{"x": 1}'])
def test_a_file_that_cannot_be_read_is_compiled_over(process: Process, settings: Settings, content: str) -> None:
    (settings.catalog_dir / "compiled_models.json").write_text(content)
    assert "SELECT" in process.sql(CLUBS, settings)
    keep_compiled(settings)
    process.starts_anew()
    process.sql(CLUBS, settings)
    assert process.compiled == []

"""Every setting as it is in force, secrets masked, with where its value comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, SecretStr
from pydantic_settings import EnvSettingsSource, TomlConfigSettingsSource

from event_pipeline.masking import MASK, mask_userinfo
from event_pipeline.settings import Settings, toml_path


@dataclass(frozen=True)
class EffectiveSetting:
    """One setting; ``where`` is the variable's or the file's name, None for a default."""

    name: str
    value: Any
    source: Literal["variable", "file", "default"]
    where: str | None
    description: str


def effective_settings(settings: Settings) -> list[EffectiveSetting]:
    """The settings in the order they are declared; nested ones have dotted names such as organisation.time_zone."""
    variables = EnvSettingsSource(Settings)
    from_variables, from_file = variables(), TomlConfigSettingsSource(Settings, toml_path())()
    found = []
    for path, value, description in _leaves(settings, ()):
        source, where = "default", None
        if _holds(from_variables, path):
            source, where = "variable", _variable_name(variables.env_vars, path)
        elif _holds(from_file, path):
            source, where = "file", str(toml_path())
        found.append(EffectiveSetting(".".join(path), _shown(value), source, where, description))
    return found


def _leaves(section: BaseModel, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any, str]]:
    for name, field in type(section).model_fields.items():
        value, path = getattr(section, name), (*above, name)
        if isinstance(value, BaseModel):
            yield from _leaves(value, path)
        else:
            yield path, value, field.description or ""


def _holds(values: Any, path: tuple[str, ...]) -> bool:
    for part in path:
        if not isinstance(values, Mapping) or part not in values:
            return False
        values = values[part]
    return True


def _variable_name(variables: Mapping[str, str | None], path: tuple[str, ...]) -> str:
    """The variable that gave the value: its own, or one that holds a whole section as JSON."""
    for length in range(len(path), 0, -1):
        name = "PIPELINE_" + "__".join(path[:length])
        if name.lower() in variables:
            return name.upper()
    return "PIPELINE_" + "__".join(path).upper()


def _shown(value: Any) -> Any:
    """The value as JSON has it, without secrets."""
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, BaseModel):
        return {name: _shown(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {key: _shown(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_shown(item) for item in value]
    return mask_userinfo(str(value)) if isinstance(value, str | Path) else value

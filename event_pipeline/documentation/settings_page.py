"""The page of settings, from the settings themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from event_pipeline.documentation.markdown import GENERATED, table
from event_pipeline.settings import Settings

_INTRODUCTION = """\
Settings come from variables of the environment and from an optional file `event_pipeline.toml` in the working directory
(`PIPELINE_CONFIG_FILE` names another); a variable wins over the file. In the file, the part before the dot is a table:
`organisation.time_zone` is `time_zone` under `[organisation]`. A variable holds lists and tables as JSON. A wrong or
misspelt setting stops every command with one message that names it, its value and what is allowed.

`event-pipeline config check` prints the settings in force and where each comes from, secrets masked."""

EXAMPLE = """\
environment = "production"
data_dir = "/srv/event-pipeline"

[organisation]
name = "Robotics and Arts Union"
time_zone = "Asia/Kolkata"
currency = "INR"
country = "IN"

[firebase]
backend = "firestore"
project_id = "events-of-the-union"
credentials_path = "/etc/event-pipeline/service-account.json"

[sheets]
follow_events = true

[[sheets.spreadsheets]]
spreadsheet_id = "1AbCdEfGhIjKlMnOpQrStUvWxYz"
event_id = "-NxExampleEvent"

[schedules]
sheets = "*/10 * * * *"

[validation]
mode = "lenient"

[validation.rules.registrations."amount_minor.garbled"]
max_failing_fraction = 0.05
"""
"""A whole file, kept valid by a test."""


def settings_page() -> str:
    """The page, in Markdown."""
    schema = Settings.model_json_schema()
    parts = [GENERATED, "# Settings", _INTRODUCTION, "## The pipeline", _rows(_fields(schema, schema, ()))]
    for name, field in schema["properties"].items():
        section = _resolve(schema, field)
        if "properties" in section:
            heading = f"## {name}\n\n{section.get('description', '')}".rstrip()
            parts += [heading, _rows(_fields(schema, section, (name,)))]
            parts += list(_items_of(schema, section, name))
            parts += list(_sections_of(schema, section, (name,)))
    parts += ["## An example", f"```toml\n{EXAMPLE}```"]
    return "\n\n".join(parts) + "\n"


def _rows(rows: Iterator[tuple[str, str, str, str, str]]) -> str:
    return table(("setting", "variable", "allowed", "default", "what it does"), rows)


def _fields(
    schema: Mapping[str, Any], section: Mapping[str, Any], path: tuple[str, ...]
) -> Iterator[tuple[str, str, str, str, str]]:
    for name, field in section["properties"].items():
        if "properties" in _resolve(schema, field):
            continue
        full = (*path, name)
        variable = "PIPELINE_" + "__".join(full).upper()
        default = "-" if field.get("default") in (None, "", [], {}) else f"`{_text(field['default'])}`"
        allowed = _allowed(schema, field)
        yield f"`{'.'.join(full)}`", f"`{variable}`", allowed, default, field.get("description", "")


def _sections_of(schema: Mapping[str, Any], section: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """The sections within a section, and those within them."""
    for name, field in section["properties"].items():
        inner = _resolve(schema, field)
        if "properties" not in inner:
            continue
        rows = list(_fields(schema, inner, (*path, name)))
        if rows:
            yield f"### {'.'.join((*path, name))}\n\n{inner.get('description', '')}\n\n{_rows(iter(rows))}"
        yield from _sections_of(schema, inner, (*path, name))


def _items_of(schema: Mapping[str, Any], section: Mapping[str, Any], name: str) -> Iterator[str]:
    """The fields of what a list or a table of this section holds."""
    for field_name, field in section["properties"].items():
        # A table whose names follow a pattern says so where others say what all their values are.
        patterned = next(iter(field.get("patternProperties", {}).values()), {})
        inner = field.get("items") or field.get("additionalProperties") or patterned
        inner = _resolve(schema, inner.get("additionalProperties") or inner)
        if "properties" in inner:
            about = inner.get("description", "").rstrip(".")
            rows = [
                (f"`{key}`", _allowed(schema, item), _default(item), item.get("description", ""))
                for key, item in inner["properties"].items()
            ]
            text = table(("field", "allowed", "default", "what it does"), rows)
            yield f"Each of `{name}.{field_name}`: {about[:1].lower()}{about[1:]}.\n\n{text}"


def _default(field: Mapping[str, Any]) -> str:
    return "-" if field.get("default") is None else f"`{_text(field['default'])}`"


def _allowed(schema: Mapping[str, Any], field: Mapping[str, Any]) -> str:
    found = _resolve(schema, field)
    if "anyOf" in found:
        return next(_allowed(schema, option) for option in found["anyOf"] if option.get("type") != "null")
    if "enum" in found:
        return ", ".join(f"`{word}`" for word in found["enum"])
    kind = found.get("type")
    if kind == "array":
        return f"list of {_allowed(schema, found['items'])}"
    if kind in ("integer", "number"):
        return _range(found)
    if kind == "object":
        return "table"
    if kind == "boolean":
        return "`true`, `false`"
    return _kind_of_text(found)


def _kind_of_text(found: Mapping[str, Any]) -> str:
    if found.get("format") == "path":
        return "path"
    if found.get("format") == "password":
        return "secret text"
    return f"text like `{found['pattern']}`" if "pattern" in found else "text"


def _range(found: Mapping[str, Any]) -> str:
    low, high = found.get("minimum"), found.get("maximum")
    if low is None and "exclusiveMinimum" in found:
        return f"above {found['exclusiveMinimum']:,}" + (f", at most {high:,}" if high is not None else "")
    if low is not None and high is not None:
        return f"{low:,} to {high:,}"
    return f"{low:,} or more" if low is not None else "number"


def _resolve(schema: Mapping[str, Any], field: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = field.get("$ref")
    return schema["$defs"][reference.rsplit("/", 1)[1]] if reference else field


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()

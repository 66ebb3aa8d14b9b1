"""What is said of a wrong setting: one message that names it, its value unless secret, and what is allowed."""

from __future__ import annotations

import os
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_settings import SettingsError as UnreadableVariable

from event_pipeline.errors import SettingsError
from event_pipeline.masking import mask_userinfo


def reject_unknown_variables(settings: type[BaseModel]) -> None:
    """A misspelt variable would be ignored in silence, so it stops the start."""
    known = {f"PIPELINE_{name.upper()}" for name in settings.model_fields} | {"PIPELINE_CONFIG_FILE"}
    for name in os.environ:
        if name.startswith("PIPELINE_") and name.split("__")[0] not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else "unset it, and `event-pipeline config check` lists those"
            raise SettingsError(f"{name} is not a setting; {hint}")


def explain(error: ValidationError, settings: type[BaseModel]) -> str:
    """A line for each wrong setting: its name, its value unless secret, and what is allowed."""
    lines = []
    wrong = [item["loc"] for item in error.errors()]
    for item in error.errors():
        # A list is 'too short' only because its elements were wrong: the elements say it better.
        if any(len(loc) > len(item["loc"]) and loc[: len(item["loc"])] == item["loc"] for loc in wrong):
            continue
        path = [str(part) for part in item["loc"]]
        name = f"{'.'.join(path)} ({_variable(path)})"
        if item["type"] == "extra_forbidden":
            # Its value is not shown: a misspelt identity_key holds a secret too.
            beside = _siblings(path, settings)
            lines.append(f"{name} is not a setting" + (f"; there are {', '.join(beside)}" if beside else ""))
            continue
        allowed = item["msg"].removeprefix("Value error, ")
        shown = "(hidden)" if _is_secret(path) else mask_userinfo(repr(item["input"]))[:200]
        lines.append(f"setting {name} has the value {shown}: {allowed[0].lower()}{allowed[1:]}")
    return "\n".join(lines)


def explain_unreadable(error: UnreadableVariable) -> str:
    """A list or a table in a variable is written as JSON; the parser's error holds the text that is not."""
    text = getattr(error.__cause__, "doc", None)
    names = [name for name, value in os.environ.items() if name.upper().startswith("PIPELINE_") and value == text]
    if not names:
        return str(error)
    shown = "(hidden)" if _may_hold_secret(names[0]) else mask_userinfo(repr(text))[:200]
    return (
        f"setting {names[0].upper().removeprefix('PIPELINE_').replace('__', '.').lower()} ({names[0]}) has the value "
        f"{shown}: must be JSON, such as "
        """["a", "b"] for a list or {"name": "value"} for a table"""
    )


def _variable(path: list[str]) -> str:
    return "PIPELINE_" + "__".join(path).upper()


def _siblings(path: list[str], settings: type[BaseModel]) -> list[str]:
    """The settings that there are beside a misspelt one."""
    model: Any = settings
    for part in path[:-1]:
        annotation = model.model_fields[part].annotation if part in model.model_fields else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)


def _is_secret(path: list[str]) -> bool:
    return (
        bool(path)
        and (
            path[0] in {"identity_key", "catalog_url", "storage_key_id", "storage_secret", "inbound"}
            # A wrong section is shown whole, with the addresses of receivers, which carry tokens.
            or path == ["alerts"]
            or path[:2] in (["alerts", "receivers"], ["alerts", "heartbeat_url"])
        )
    )


def _may_hold_secret(variable: str) -> bool:
    return _is_secret(variable.lower().removeprefix("pipeline_").split("__"))

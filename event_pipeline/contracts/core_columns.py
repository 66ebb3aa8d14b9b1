"""Short names for the kinds of columns that tables of the star schema have, and columns that several share."""

from __future__ import annotations

from typing import Any

from event_pipeline.contracts.contract import UNKNOWN, Column, Contract, Layer


def string(name: str, description: str, **more: Any) -> Column:
    """A text."""
    return Column(name, "string", description, **more)


def instant(name: str, description: str, **more: Any) -> Column:
    """A moment in UTC."""
    return Column(name, "timestamp", description, **more)


def day(name: str, description: str, **more: Any) -> Column:
    """A day of the organisation's time zone."""
    return Column(name, "date", description, **more)


def count(name: str, description: str, **more: Any) -> Column:
    """A number of things, never empty or below zero unless said otherwise."""
    return Column(name, "int64", description, **{"nullable": False, "minimum": 0, **more})


def money(name: str, description: str, **more: Any) -> Column:
    """An amount in minor units of the row's currency."""
    return Column(name, "int64", description, **more)


def flag(name: str, description: str) -> Column:
    """Yes or no, never empty."""
    return Column(name, "boolean", description, nullable=False)


EVENT_ID = string(
    "event_id",
    f"Event; '{UNKNOWN}' when it was deleted or never existed.",
    nullable=False,
    references="core.dim_events.event_id",
)
USER_ID = string(
    "user_id",
    f"Person, as a keyed hash; '{UNKNOWN}' without a valid e-mail.",
    nullable=False,
    references="core.dim_users.user_id",
)
CURRENCY = string("currency", "ISO 4217 code of the amounts.", nullable=False)


def core_table(table: str, grain: str, key: tuple[str, ...], description: str, sources: tuple[str, ...], *columns: Column, layer: Layer = "core") -> Contract:  # fmt: skip
    """Contract of a table of the star schema, whose rows are ordered by its key."""
    return Contract(
        layer=layer, table=table, grain=grain, key=key, description=description, columns=columns, sources=sources,
        order_by=key,
    )  # fmt: skip

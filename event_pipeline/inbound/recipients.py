"""Whom a mail event is about, as the providers write it: addresses, lists of them, names with addresses, headers."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import getaddresses
from typing import Any

from event_pipeline.inbound.delivery import text_of

_ADDRESS_FIELDS = ("emailAddress", "email", "Email", "address", "Address")
_RECIPIENT_HEADERS = ("to", "cc", "bcc")


def recipients(*places: Any) -> list[str | None]:
    """The addresses in the first of the places that has any, each once, in their order; ``[None]`` when none has.

    A place is a text (``a@b.org``, ``Name <a@b.org>``, several after commas), an object with an address, or a list of
    either. A text without an address stays as it is, so that quarantine shows it.
    """
    for place in places:
        found = list(dict.fromkeys(_addresses(place)))
        if found:
            return [*found]
    return [None]


def header_recipients(headers: Any) -> list[Any]:
    """What the recipients' headers of a message say; ``headers`` is an object, or a list of names with values."""
    pairs: list[tuple[Any, Any]] = []
    if isinstance(headers, dict):
        pairs = list(headers.items())
    elif isinstance(headers, list):
        pairs = [pair for item in headers if (pair := _pair(item))]
    return [value for name, value in pairs if str(name).lower() in _RECIPIENT_HEADERS]


def _pair(item: Any) -> tuple[Any, Any] | None:
    if isinstance(item, dict):
        return item.get("name") or item.get("Name"), item.get("value") or item.get("Value")
    return (item[0], item[1]) if isinstance(item, list) and len(item) == 2 else None


def _addresses(place: Any) -> Iterator[str]:
    if isinstance(place, list):
        for item in place:
            yield from _addresses(item)
    elif isinstance(place, dict):
        yield from _addresses(next((place[name] for name in _ADDRESS_FIELDS if place.get(name)), None))
    elif text := text_of(place):
        parsed = [address for _, address in getaddresses([text.replace(";", ",")]) if "@" in address]
        yield from parsed or [text]

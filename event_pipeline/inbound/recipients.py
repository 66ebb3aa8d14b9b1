"""Whom a mail event is about, as the providers write it: addresses, lists of them, names with addresses, headers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import getaddresses
from typing import Any

from event_pipeline.inbound.delivery import text_of

_ADDRESS_FIELDS = ("emailAddress", "email", "Email", "address", "Address")
_RECIPIENT_HEADERS = ("to", "cc", "bcc")

_SEPARATORS = re.compile(r'("[^"]*")|[;|\r\n]')
"""Quoted texts, which stay as they are, and what programs write between addresses beside the comma."""

_IN_BRACKETS = re.compile(r"<\s*([^<>\s]+@[^<>\s]+?)\s*>")
_ALONE = re.compile(r"[^\s,<>:;|\"'()]+@[^\s,<>:;|\"'()]+")
_LONGEST = 1_000
"""Characters between two commas that are looked through for addresses; longer ones are none."""

_EDGES = " \t'`"


def recipients(*places: Any) -> list[str | None]:
    """The addresses in the first of the places that has any, in their order; ``[None]`` when none has.

    A place is a text (``a@b.org``, ``Name <a@b.org>``, several after commas), an object with an address, or a list of
    either. Each address is there once, whatever its case. A text without an address stays as it is, so that quarantine
    shows it.
    """
    for place in places:
        found: dict[str, str] = {}
        for address in _addresses(place):
            found.setdefault(address.lower(), address)
        if found:
            return [*found.values()]
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
        yield from _in_text(text)


def _in_text(text: str) -> Iterator[str]:
    """The addresses of a text; the text itself where it has none that can be told for sure."""
    separated = _SEPARATORS.sub(lambda match: match[1] or ",", text)
    found = [address for part in _parts(separated) for address in _in_part(part)]
    yield from found or [text]


def _parts(text: str) -> list[str]:
    """The text at its commas, those inside quotes left alone."""
    return re.findall(r'(?:"[^"]*"|[^,"]|")+', text)


def _in_part(part: str) -> list[str]:
    """Addresses between two commas: what stands in brackets, beside which a name with an @ is a name."""
    if len(part) > _LONGEST:
        return []
    if bracketed := _IN_BRACKETS.findall(part):
        return bracketed
    alone = _ALONE.findall(part)
    if len(alone) > 1 and '"' not in part:
        return alone
    parsed = [address.strip(_EDGES) for _, address in getaddresses([part]) if "@" in address]
    return [address for address in parsed if address in part and not address.startswith("@")]

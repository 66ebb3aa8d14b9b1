"""Short names for the kinds of columns that staging tables take from documents."""

from __future__ import annotations

from typing import Any

from event_pipeline.contracts.contract import Column

MAX_AMOUNT_MINOR = 100_000_000_000
"""Ten crore rupees in paise: above this an amount is a typing mistake."""

PROVENANCE = (
    Column("source", "string", "Source of the version shown.", nullable=False),
    Column("version", "string", "Version of the document shown.", nullable=False),
    Column("version_at", "timestamp", "Instant that version is vouched for.", nullable=False),
)


def document_key(name: str, description: str) -> Column:
    """The id of the document."""
    return Column(name, "string", description, nullable=False, max_length=1_600)


def text(name: str, description: str, *, max_length: int = 1_000, **more: Any) -> Column:
    """Free text, trimmed."""
    return _parsed(name, "string", "text", description, max_length=max_length, **more)


def verbatim(name: str, description: str, **more: Any) -> Column:
    """Text kept as it is, whatever it holds."""
    return _parsed(name, "string", "verbatim", description, **more)


def email(name: str, description: str, **more: Any) -> Column:
    """An e-mail address."""
    return _parsed(name, "string", "email", description, personal=True, max_length=320, **more)


def phone(name: str, description: str, **more: Any) -> Column:
    """A phone number; a wrong one costs the number, not the row."""
    return _parsed(name, "string", "phone", description, personal=True, consequence="note", **more)


def url(name: str, description: str) -> Column:
    """An address of a page or image; too long ones are dropped, not the row."""
    return _parsed(name, "string", "text", description, max_length=4_000, consequence="note")


def timestamp(name: str, description: str, **more: Any) -> Column:
    """An instant."""
    return _parsed(name, "timestamp", "timestamp", description, **more)


def amount(name: str, description: str, **more: Any) -> Column:
    """Money in minor units."""
    return _parsed(name, "int64", "amount", description, minimum=0, maximum=MAX_AMOUNT_MINOR, **more)


def integer(name: str, description: str, **more: Any) -> Column:
    """A whole number."""
    return _parsed(name, "int64", "integer", description, **more)


def boolean(name: str, description: str, **more: Any) -> Column:
    """True or false."""
    return _parsed(name, "boolean", "boolean", description, **more)


def choice(name: str, description: str, allowed: tuple[str, ...], **more: Any) -> Column:
    """One of a few words."""
    return _parsed(name, "string", "choice", description, allowed=allowed, **more)


def json_text(name: str, description: str, **more: Any) -> Column:
    """A list or object kept as JSON text."""
    return _parsed(name, "string", "json", description, max_length=200_000, **more)


def _parsed(name: str, type_: str, parser: Any, description: str, *, path: str | None = None, **more: Any) -> Column:
    return Column(name, type_, description, path=path or name, parser=parser, **more)

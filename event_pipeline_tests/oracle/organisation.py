"""What the oracle must know besides the documents."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Organisation:
    """Whose documents they are, the key of the pseudonyms, and the instant the tables are made for."""

    as_of: datetime
    key: str
    time_zone: str = "Asia/Kolkata"
    currency: str = "INR"
    country: str = "IN"

    def day(self, instant: datetime | None) -> date | None:
        """The organisation's day of an instant."""
        return None if instant is None else instant.astimezone(ZoneInfo(self.time_zone)).date()

    def pseudonym(self, text: str) -> str:
        """The keyed hash that stands for the text: the envelope of HMAC over SHA-256, thirty-two digits."""
        inner = hashlib.sha256(f"{self.key}|inner|{text}".encode()).hexdigest()
        return hashlib.sha256(f"{self.key}|outer|{inner}".encode()).hexdigest()[:32]

    def user(self, email: str | None) -> str:
        """The person with this normalised address."""
        return UNKNOWN if email is None else self.pseudonym(email)

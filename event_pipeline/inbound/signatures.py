"""Proofs of who sent a request, over its raw bytes: shared secrets, public keys, and the time that was signed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr

from event_pipeline.inbound.delivery import Refused

_MOST_DIGITS = 15


def signed_time(text: str) -> datetime:
    """The instant of a signature, from whole seconds since 1970. Raises Refused when it is none."""
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise Refused("wrong-signature", "the signature's timestamp must be whole seconds since 1970")
    try:
        return datetime.fromtimestamp(int(text), UTC)
    except (OverflowError, ValueError, OSError):
        raise Refused("wrong-signature", "the signature's timestamp is beyond every calendar") from None


def require_recent(signed_at: datetime, now: datetime, past: timedelta, future: timedelta) -> None:
    """Raises Refused for what was signed longer ago than ``past``, or further ahead than ``future``."""
    if now - past <= signed_at <= now + future:
        return
    off = signed_at - now
    word = "behind" if off < timedelta(0) else "ahead of"
    raise Refused(
        "clock-off",
        f"it was signed {abs(off) // timedelta(seconds=1):,} s {word} our clock ({now:%Y-%m-%d %H:%M:%S} UTC); "
        "a delivery is retried with a new signature, a clock must be set right",
    )


def hmac_sha256(secret: SecretStr, signed: bytes) -> bytes:
    """The MAC with the secret's text as the key."""
    return hmac.digest(secret.get_secret_value().encode(), signed, hashlib.sha256)


def is_one_of(sent: Sequence[bytes], expected: Iterable[bytes]) -> bool:
    """Whether any that was sent is any that is expected, in a time that does not tell which or how far."""
    found = False
    for wanted in expected:
        for given in sent:
            found |= hmac.compare_digest(given, wanted)
    return found


def base64_bytes(text: str) -> bytes | None:
    """What base64 text holds; None when it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def require_match(sent: Sequence[bytes], expected: Iterable[bytes], setting: str) -> None:
    """Raises Refused unless any that was sent is expected."""
    if not is_one_of(sent, expected):
        raise wrong_signature(setting)


def wrong_signature(setting: str) -> Refused:
    """The refusal that says where the right secret belongs."""
    return Refused("wrong-signature", f"the signature does not fit the body; is the secret in {setting} the sender's?")

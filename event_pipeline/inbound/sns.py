"""Amazon SNS: messages signed with a key whose certificate Amazon serves, and subscriptions to be confirmed."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from event_pipeline.errors import TransientError
from event_pipeline.inbound.delivery import Refused, text_of
from event_pipeline.inbound.signatures import base64_bytes

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

Fetch = Callable[[str], bytes]
"""Gets what an address has, over the network. Raises TransientError when it cannot."""

_HOST = re.compile(r"sns\.[a-z0-9-]{1,40}\.amazonaws\.com(\.cn)?")
_CERTIFICATE_PATH = re.compile(r"/SimpleNotificationService-[A-Za-z0-9]{1,80}\.pem")
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_SUBSCRIPTION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_MOST_BYTES = 65_536
_MOST_CERTIFICATES = 20
_FETCH_SECONDS = 5


def fetch(address: str) -> bytes:
    """What the address has, without following it elsewhere. Raises TransientError."""
    import httpx

    try:
        with httpx.stream("GET", address, timeout=_FETCH_SECONDS, follow_redirects=False) as answer:
            answer.raise_for_status()
            content = b""
            for part in answer.iter_bytes():
                content += part
                if len(content) > _MOST_BYTES:
                    raise TransientError(f"{urlsplit(address).hostname} answered with too much")
            return content
    except httpx.HTTPError as error:
        raise TransientError(f"{urlsplit(address).hostname} could not be asked: {type(error).__name__}") from None


def is_amazon(address: str) -> bool:
    """Whether it is an address of SNS itself, over TLS, without anything that could lead elsewhere."""
    try:
        parts = urlsplit(address)
        return (
            parts.scheme == "https"
            and _HOST.fullmatch(parts.netloc) is not None
            and not any(letter.isspace() or letter in "\\@" for letter in address)
        )
    except ValueError:
        return False


class SnsSignatures:
    """Checks messages; certificates are fetched once and kept."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._certificates: dict[str, Certificate] = {}
        self._lock = threading.Lock()

    def require_signed(self, message: dict[str, Any], now: datetime) -> None:
        """Raises Refused unless Amazon signed the message; TransientError when its certificate cannot be had."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
        from cryptography.hazmat.primitives.hashes import SHA1, SHA256

        signature = base64_bytes(text_of(message.get("Signature")) or "")
        # Version 1 is what topics have unless somebody chose 2; SHA-1 is still sound against forging a given message.
        algorithm = {"1": SHA1(), "2": SHA256()}.get(text_of(message.get("SignatureVersion")) or "")  # noqa: S303
        if not signature or algorithm is None:
            raise Refused("wrong-signature", "the message has no signature of SNS, version 1 or 2")
        certificate = self._certificate(text_of(message.get("SigningCertURL")) or "", now)
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey):
            raise Refused("wrong-signature", "the certificate's key is of another kind")
        try:
            key.verify(signature, signed_text(message), PKCS1v15(), algorithm)
        except InvalidSignature:
            raise Refused("wrong-signature", "the signature does not fit the message") from None

    def _certificate(self, address: str, now: datetime) -> Certificate:
        from cryptography.x509 import load_pem_x509_certificate

        parts = urlsplit(address) if is_amazon(address) else None
        if parts is None or not _CERTIFICATE_PATH.fullmatch(parts.path) or parts.query or parts.fragment:
            raise Refused("wrong-signature", "SigningCertURL must be a certificate on an amazonaws.com host of SNS")
        with self._lock:
            found = self._certificates.get(address)
        if found is None:
            try:
                found = load_pem_x509_certificate(self._fetch(address))
            except ValueError:
                raise TransientError("SNS answered with what is no certificate") from None
            with self._lock:
                if len(self._certificates) >= _MOST_CERTIFICATES:
                    self._certificates.clear()
                self._certificates[address] = found
        if not found.not_valid_before_utc <= now <= found.not_valid_after_utc:
            raise Refused("wrong-signature", "the certificate is not valid at this time")
        return found


def signed_text(message: dict[str, Any]) -> bytes:
    """What SNS signs: names and values of its fields, a line each."""
    names = _NOTIFICATION if message.get("Type") == "Notification" else _SUBSCRIPTION
    values = [(name, message.get(name)) for name in names]
    return "".join(f"{name}\n{value}\n" for name, value in values if isinstance(value, str)).encode()

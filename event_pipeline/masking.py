"""Keeping secrets out of what is written down: known values, telling names, and credentials inside addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, SecretStr

MASK = "****"

_SHORTEST_SECRET = 4
_DEEPEST = 20
_TELLING = ("password", "passwd", "passphrase", "token", "secret", "authorization", "credential", "cookie", "apikey")
_PUBLIC_KEYS = frozenset(
    {"asset", "run", "partition", "step", "primary", "foreign", "unique", "sort", "group", "document", "check", "job"}
)
"""What 'key' may follow without meaning a secret: asset_key, run_key."""
_ABOUT_A_SECRET = frozenset({"path", "file", "dir", "count"})
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_USERINFO = re.compile(r"(?<=://)[^/?#\s'\"]+(?=@)")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}")
_ASSIGNMENT = re.compile(
    r"(?i)(password|passwd|passphrase|token|secret|api_?key|identity_key|authorization)"
    r"(['\"]?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&}\])]+)"
)
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)


def secrets_of(settings: BaseModel) -> frozenset[str]:
    """Every secret text in the settings: SecretStr values, and the passwords inside addresses."""
    return frozenset(text for text in _secret_texts(settings) if len(text) >= _SHORTEST_SECRET)


def mask_userinfo(text: str) -> str:
    """``https://user:password@host`` without user and password, wherever it stands in the text."""
    return _USERINFO.sub(MASK, text)


def is_telling(name: str) -> bool:
    """Whether what stands under this name is a secret: api_key, accessToken; but not asset_key, credentials_path."""
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words or words[-1] in _ABOUT_A_SECRET:
        return False
    if any(part in "".join(words) for part in _TELLING):
        return True
    return words[-1] in {"key", "keys"} and (len(words) == 1 or words[-2] not in _PUBLIC_KEYS)


class SecretMask:
    """A structlog processor that masks secrets anywhere in an event: values, telling names, addresses."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets for form in (secret, quote(secret, safe=""))}
        # The longest first, so that a secret that holds another is masked whole.
        ordered = sorted(forms, key=len, reverse=True)
        self._known = re.compile("|".join(re.escape(form) for form in ordered)) if ordered else None

    def __call__(self, logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """The event without its secrets."""
        for name, value in event.items():
            # structlog's own bookkeeping, such as the log record, is taken out before anything is rendered.
            if not name.startswith("_"):
                event[name] = MASK if value is not None and is_telling(name) else self.mask(value)
        return event

    def mask(self, value: Any, depth: int = 0) -> Any:
        """The value without secrets; what is not a plain value is masked as the text that would be shown."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, str):
            return self._mask_text(value)
        if depth >= _DEEPEST:
            return MASK
        if isinstance(value, Mapping):
            return {self._name(key): self._under(key, item, depth) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.mask(item, depth + 1) for item in value]
        return self._mask_text(repr(value) if isinstance(value, bytes) else str(value))

    def _name(self, key: Any) -> Any:
        return self._mask_text(key) if isinstance(key, str) else key

    def _under(self, key: Any, value: Any, depth: int) -> Any:
        return MASK if value is not None and isinstance(key, str) and is_telling(key) else self.mask(value, depth + 1)

    def _mask_text(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(MASK, text)
        text = _PEM.sub(MASK, text)
        text = mask_userinfo(text)
        text = _BEARER.sub(rf"\1 {MASK}", text)
        return _ASSIGNMENT.sub(rf"\1\2{MASK}", text)


def _secret_texts(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        secret = value.get_secret_value()
        yield secret
        yield from _passwords(secret)
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secret_texts(getattr(value, name))
        # A section that knows which words of its secrets are secrets of their own says so.
        yield from getattr(value, "secret_parts", ())
    elif isinstance(value, str):
        yield from _passwords(value)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _secret_texts(item)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _secret_texts(item)


def _passwords(address: str) -> Iterator[str]:
    try:
        password = urlsplit(address).password
    except ValueError:
        return
    if password:
        yield password

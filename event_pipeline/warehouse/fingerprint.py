"""What decides which rows the same documents make: the code of models and contracts, and some settings."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import event_pipeline
from event_pipeline.settings import Settings


def fingerprint(settings: Settings) -> str:
    """Changes whenever the same documents would make other rows: models, contracts, row rules, the organisation."""
    said = settings.organisation.model_dump_json() + settings.validation.model_dump_json()
    return hashlib.sha256((code_fingerprint() + said).encode()).hexdigest()[:16]


@cache
def code_fingerprint() -> str:
    """Content of the modules that decide what rows are."""
    package = Path(event_pipeline.__file__).parent
    files = sorted(path for folder in ("models", "contracts") for path in (package / folder).rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()

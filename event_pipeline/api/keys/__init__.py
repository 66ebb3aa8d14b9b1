"""API keys: random, kept as digests, each with its scopes."""

from event_pipeline.api.keys.key import SCOPES, ApiKey, Scope
from event_pipeline.api.keys.store import KeyStore

__all__ = ["SCOPES", "ApiKey", "KeyStore", "Scope"]

"""Pseudonyms: the keyed hash that stands for a person, or for anything else whose own id would tell who it is."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from event_pipeline.models.database_functions import connection_variable, sha256

KEY_VARIABLE = "identity_key"
"""Connection variable that holds the key; it never stands in a query's text, so no error can show it."""


def keyed_hash(text: ir.StringValue) -> ir.StringValue:
    """Thirty-two hex digits of a nested keyed SHA-256 (the envelope of HMAC): not to be guessed without the key."""
    key = connection_variable(ibis.literal(KEY_VARIABLE))
    return sha256(key + "|outer|" + sha256(key + "|inner|" + text)).left(32)

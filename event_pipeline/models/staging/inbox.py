"""Staging models of what reaches the inbox: scans, mail events, payment events, and lines that could not be read."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from event_pipeline.contracts import staging_inbox
from event_pipeline.contracts.door_scans import CODE_EDGES, ID_EDGES, QR_TYPE
from event_pipeline.models.database_functions import extract_texts, json_valid, list_dot_product, to_base
from event_pipeline.models.locale import Locale
from event_pipeline.models.staging.firebase import stage_documents

_QR_PATHS = ["$.type", "$.registrationId", "$.eventId", "$.email", "$.timestamp", "$.hash"]
_MAX_CHECKED_LENGTH = 1_000
_POWERS = [pow(31, exponent, 2**32) for exponent in reversed(range(_MAX_CHECKED_LENGTH))]
# Halves of 16 bits: their sums over 1,000 characters stay exact in float64, which list_dot_product computes in.
_HIGH, _LOW = [power >> 16 for power in _POWERS], [power & 0xFFFF for power in _POWERS]


def scans(raw_scans: ir.Table, locale: Locale) -> ir.Table:
    """One row per scan. From raw.inbox_scans.

    A code that cannot be read is a scan all the same: attendance refuses it with its reason, quarantine would hide it.
    """
    staged = stage_documents(raw_scans, staging_inbox.SCANS, locale)
    # Inside the code's own JSON a U+0000 can still be written, which databases downstream cannot hold in text.
    code = _bare_code(staged.qr_text).replace("\\u0000", "\\ufffd")
    safe = staged.mutate(_code=ibis.ifelse(json_valid(code), code, ibis.literal("{}")))
    parts = safe.mutate(_parts=extract_texts(safe._code, ibis.literal(_QR_PATHS, type="array<string>")))
    fields = parts.mutate(
        _type=parts._parts[0],
        claimed_registration_id=_bare_id(parts._parts[1]),
        claimed_event_id=_bare_id(parts._parts[2]),
        _signed=parts._parts[1] + ":" + parts._parts[2] + ":" + parts._parts[3] + ":" + parts._parts[4],
        _hash=parts._parts[5],
    )
    hashed = _with_checksum(fields)
    return hashed.mutate(
        is_override=hashed.is_override.fill_null(False),
        is_readable=((hashed._type == QR_TYPE) & hashed.claimed_registration_id.notnull()).fill_null(False),
        is_checksum_valid=(hashed._expected == hashed._hash).fill_null(False),
    )


def _bare_code(text: ir.StringValue) -> ir.StringValue:
    """A scanned text as sources.qr.code_text leaves it; the pattern runs only for the few that need it."""
    is_bare = text.startswith("{") & text.endswith("}")
    return ibis.ifelse(is_bare, text, text.re_replace(CODE_EDGES, ""))


def _bare_id(text: ir.StringValue) -> ir.StringValue:
    """An id as sources.qr.id_text leaves it."""
    is_bare = _is_visible(text) & _is_visible(text.right(1))
    return ibis.ifelse(is_bare, text, text.re_replace(ID_EDGES, ""))


def _is_visible(text: ir.StringValue) -> ir.BooleanValue:
    """Whether the text begins with a visible character of ASCII."""
    return text.ascii_str().between(0x21, 0x7E)


def _with_checksum(fields: ir.Table) -> ir.Table:
    """``_expected``: the app's checksum of ``_signed``: h = 31 h + c over its characters in 32 bits, |h| in base 36.

    Written as a polynomial, so that the database sums it in one pass; in steps, so that it computes each once. Null
    beyond 1,000 characters and for characters outside the basic plane, which no id or address of the app holds.
    """
    signed = fields._signed
    is_plain = (signed.length() <= _MAX_CHECKED_LENGTH) & ~signed.re_search(r"[^\x{0}-\x{ffff}]")
    characters = ibis.ifelse(is_plain, signed, ibis.null("string")).split("")
    coded = fields.mutate(_codes=characters.map(lambda char: char.ascii_str().cast("float64")))
    summed = coded.mutate(_high=_weighed(coded._codes, _HIGH), _low=_weighed(coded._codes, _LOW))
    hashed = summed.mutate(_bits=(summed._high % 2**16 * 2**16 + summed._low) % 2**32)
    absolute = ibis.ifelse(hashed._bits >= 2**31, 2**32 - hashed._bits, hashed._bits)
    return hashed.mutate(_expected=to_base(absolute, 36).lower()).drop("_codes", "_high", "_low", "_bits")


def _weighed(codes: ir.ArrayValue, weights: list[int]) -> ir.IntegerValue:
    """The sum of the codes, each times its weight; the weights are counted from the last code."""
    # A list of float literals would be one of decimals to DuckDB, cast again for every row.
    constant = ibis.literal(weights, type="array<int64>").cast("array<float64>")
    last = constant[_MAX_CHECKED_LENGTH - codes.length() :]
    return list_dot_product(codes, last).cast("int64")


def email_events(raw_email_events: ir.Table, locale: Locale) -> ir.Table:
    """One row per reported mail event. From raw.inbox_email_events."""
    staged = stage_documents(raw_email_events, staging_inbox.EMAIL_EVENT_ROWS, locale)
    return staged.mutate(is_machine=staged.is_machine.fill_null(False))


def payment_events(raw_payment_events: ir.Table, locale: Locale) -> ir.Table:
    """One row per reported payment event. From raw.inbox_payment_events. Amounts are minor units already."""
    return stage_documents(raw_payment_events, staging_inbox.PAYMENT_EVENT_ROWS, locale)


def unreadable(raw_unreadable: ir.Table, locale: Locale) -> ir.Table:
    """Lines that are no records. From raw.unreadable. The row rules send every one to quarantine."""
    return stage_documents(raw_unreadable, staging_inbox.UNREADABLE, locale)

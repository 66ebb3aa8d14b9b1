"""When registrations were cancelled, from the versions of their documents."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from event_pipeline.contracts import staging
from event_pipeline.models.database_functions import extract_text
from event_pipeline.models.locale import Locale
from event_pipeline.models.parsers import reading
from event_pipeline.models.staging.firebase import version_instant

_UPDATED_AT = staging.REGISTRATIONS.column("updated_at")
_STATUS = staging.REGISTRATIONS.column("registration_status")


def registration_cancellations(raw_registrations: ir.Table, registrations: ir.Table, locale: Locale) -> ir.Table:
    """One row per registration that staging holds as cancelled. From raw.firebase_registrations, staging.registrations.

    The first version of the cancelled run that the document ends with tells the time: what it says itself, or when it
    was seen. Only cancelled documents with more than one version are parsed; of the others staging knows as much.
    """
    cancelled = registrations.filter(registrations.registration_status == "cancelled").select(
        "registration_id", "registered_at", "updated_at", "version_at"
    )
    first = _first_cancelled_versions(raw_registrations, cancelled, locale)
    joined = cancelled.left_join(first, "registration_id").drop("registration_id_right")
    is_edited = joined.first_version.notnull()
    seen_at = ibis.ifelse(is_edited, version_instant(joined.first_version), joined.version_at)
    said_at = ibis.ifelse(is_edited, joined.first_said_at, joined.updated_at)
    at = ibis.ifelse((said_at < seen_at).fill_null(False), said_at, seen_at)
    not_before = ibis.ifelse((joined.registered_at > at).fill_null(False), joined.registered_at, at)
    return joined.select("registration_id", cancelled_at=not_before)


def _first_cancelled_versions(raw: ir.Table, cancelled: ir.Table, locale: Locale) -> ir.Table:
    """Of cancelled documents with several versions the first of the run of cancelled ones that they end with."""
    theirs = raw.semi_join(cancelled, raw.document_id == cancelled.registration_id)
    counted = theirs.group_by("document_id").agg(versions=theirs.count())
    history = theirs.semi_join(counted.filter(counted.versions > 1), "document_id")
    status = reading(_STATUS, locale).prepare(extract_text(history.payload, f"$.{_STATUS.path}"))
    versions = history.select(
        registration_id=history.document_id,
        version=history.version,
        is_cancelled=((history.operation == "upsert") & (status == "cancelled")).fill_null(False),
        updated_at=extract_text(history.payload, f"$.{_UPDATED_AT.path}"),
    )
    others = versions.filter(~versions.is_cancelled).group_by("registration_id").agg(last_other=versions.version.max())
    joined = versions.left_join(others, "registration_id").drop("registration_id_right")
    run = joined.filter(joined.is_cancelled & (joined.version > joined.last_other).fill_null(True))
    first = run.group_by("registration_id").agg(
        first_version=run.version.min(), first_text=run.updated_at.argmin(run.version)
    )
    instant = reading(_UPDATED_AT, locale)
    prepared = first.mutate(first_text=instant.prepare(first.first_text))
    said_at = instant.accept(instant.read(prepared.first_text))
    return prepared.select("registration_id", "first_version", first_said_at=said_at)

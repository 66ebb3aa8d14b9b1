"""Staging models of the app's own documents."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from event_pipeline.contracts import staging
from event_pipeline.contracts.contract import Contract
from event_pipeline.models.database_functions import instant_of_micros
from event_pipeline.models.documents import PREPARED, latest_documents, parse_documents
from event_pipeline.models.locale import Locale
from event_pipeline.models.members import member_count


def version_instant(version: ir.StringValue) -> ir.TimestampValue:
    """The instant a version is vouched for, from its first seventeen digits."""
    return instant_of_micros(version.left(14).cast("int64") * 1000)


def stage_documents(raw: ir.Table, contract: Contract, locale: Locale) -> ir.Table:
    """Latest documents with the contract's parsed columns, its key from the document id, and provenance."""
    parsed = parse_documents(latest_documents(raw), contract, locale)
    keys = {contract.key[0]: parsed.document_id} if not contract.column(contract.key[0]).path else {}
    return parsed.mutate(version_at=version_instant(parsed.version), **keys)


def clubs(raw_clubs: ir.Table, locale: Locale) -> ir.Table:
    """One row per club. From raw.firebase_clubs."""
    return stage_documents(raw_clubs, staging.CLUBS, locale)


def categories(raw_categories: ir.Table, locale: Locale) -> ir.Table:
    """One row per category. From raw.firebase_categories."""
    return stage_documents(raw_categories, staging.CATEGORIES, locale)


def events(raw_events: ir.Table, locale: Locale) -> ir.Table:
    """One row per event. From raw.firebase_events."""
    return stage_documents(raw_events, staging.EVENTS, locale)


def registrations(raw_registrations: ir.Table, locale: Locale) -> ir.Table:
    """One row per registration. From raw.firebase_registrations. The lead counts in team_size besides the members."""
    staged = stage_documents(raw_registrations, staging.REGISTRATIONS, locale)
    members = member_count(staged.team_members, staged.participant_name, staged.participant_email, staged.student_id)
    return staged.mutate(
        # Only where the app forgot it: a garbled date must stay empty, so that the row rules see it.
        registered_at=ibis.ifelse(staged[PREPARED + "registered_at"].isnull(), staged.created_at, staged.registered_at),
        team_size=(members + 1).cast("int64"),
    )


def tags(raw_tags: ir.Table, locale: Locale) -> ir.Table:
    """One row per tag. From raw.firebase_tags."""
    return stage_documents(raw_tags, staging.TAGS, locale)


def event_tags(raw_event_tags: ir.Table, locale: Locale) -> ir.Table:
    """One row per event and tag. From raw.firebase_event_tags."""
    return stage_documents(raw_event_tags, staging.EVENT_TAGS, locale)


def club_requests(raw_club_requests: ir.Table, locale: Locale) -> ir.Table:
    """One row per request. From raw.firebase_club_requests."""
    return stage_documents(raw_club_requests, staging.CLUB_REQUESTS, locale)


def event_live_updates(raw_event_live_updates: ir.Table, locale: Locale) -> ir.Table:
    """One row per announcement. From raw.firebase_event_live_updates."""
    return _of_event(stage_documents(raw_event_live_updates, staging.EVENT_LIVE_UPDATES, locale))


def event_chat(raw_event_chat: ir.Table, locale: Locale) -> ir.Table:
    """One row per message. From raw.firebase_event_chat."""
    return _of_event(stage_documents(raw_event_chat, staging.EVENT_CHAT, locale))


def _of_event(staged: ir.Table) -> ir.Table:
    """The parent in a nested document's id is its event."""
    parent = staged.document_id.split("/")[0].nullif("")
    return staged.mutate(event_id=ibis.ifelse(staged.document_id.contains("/"), parent, ibis.null("string")))

"""Staging models that resolve registrations: taken-back attendance, duplicates, walk-ins, people."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from event_pipeline.contracts.contract import UNKNOWN
from event_pipeline.models.database_functions import extract_text
from event_pipeline.models.emails import email, email_text
from event_pipeline.models.identity import keyed_hash
from event_pipeline.models.locale import Locale
from event_pipeline.models.names import name_key, with_name_key
from event_pipeline.models.parsers import LONG_AGO, trimmed
from event_pipeline.models.phones import compact_number, e164
from event_pipeline.models.staging.firebase import version_instant

_SAID = {
    "event": "event_id",
    "email": "participant_email",
    "name": "participant_name",
    "phone": "participant_phone",
    "student": "participant_id",
}
"""Fields by which a registration that is not there any more is known."""
_FAR_AHEAD = ibis.timestamp("9999-01-01", timezone="UTC")
"""After any plausible instant: stands for an unknown time where the earliest is looked for."""


def attendance_reversals(raw_registrations: ir.Table) -> ir.Table:
    """One row per registration whose attendance was taken back. From raw.firebase_registrations.

    Only documents with more than one version can have been, so only those are parsed.
    """
    counted = raw_registrations.group_by("document_id").agg(versions=raw_registrations.count())
    history = raw_registrations.semi_join(counted.filter(counted.versions > 1), "document_id")
    upserts = history.filter(history.operation == "upsert")
    marked = upserts.select(
        registration_id=upserts.document_id,
        version=upserts.version,
        is_marked=_says_attended(upserts, "$.attendance_status") | _says_attended(upserts, "$.status"),
    )
    last_mark = marked.filter(marked.is_marked).group_by("registration_id").agg(last_mark=marked.version.max())
    later = marked.join(last_mark, "registration_id")
    undone = later.filter(later.version > later.last_mark).group_by("registration_id").agg(undone=later.version.min())
    return undone.select(registration_id=undone.registration_id, undone_at=version_instant(undone.undone))


def absent_registrations(raw_registrations: ir.Table, registrations: ir.Table, locale: Locale) -> ir.Table:
    """One row per registration without a row in staging, event and person that any version named.

    From raw.firebase_registrations and staging.registrations: what was deleted or is in quarantine. What a version does
    not name is the empty text.
    """
    documents = raw_registrations.select("document_id").distinct()
    absent = documents.anti_join(registrations, documents.document_id == registrations.registration_id)
    history = raw_registrations.filter(raw_registrations.operation == "upsert").semi_join(absent, "document_id")
    # Out of an aggregation, or the database would put the filter before the join, where it parses every payload.
    texts = history.group_by("source", "document_id", "version").agg(
        **{name: extract_text(history.payload, f"$.{path}").max() for name, path in _SAID.items()}
    )
    said = texts.select(
        registration_id=texts.document_id,
        event_id=trimmed(texts.event),
        participant_email=email(email_text(texts.email)).fill_null(""),
        name_key=name_key(texts.name).fill_null(""),
        participant_phone=e164(compact_number(texts.phone), locale.country).fill_null(""),
        student_id=trimmed(texts.student).fill_null(""),
    )
    return said.filter(said.event_id.notnull() & ((said.participant_email != "") | (said.name_key != ""))).distinct()


def _says_attended(documents: ir.Table, path: str) -> ir.BooleanValue:
    """Whether staging would read the field as attended."""
    return (extract_text(documents.payload, path).strip().lower() == "attended").fill_null(False)


def people(registrations: ir.Table, sheet_rows: ir.Table, email_events: ir.Table) -> ir.Table:
    """One row per person, by normalised e-mail. From staging.registrations, staging.sheet_rows, staging.email_events.

    Names and numbers are those of the latest mention that has one.
    """
    mentions = ibis.union(
        _mentions(
            registrations, registrations.participant_name, registrations.participant_phone, registrations.registered_at
        ),
        _mentions(sheet_rows, sheet_rows.participant_name, sheet_rows.participant_phone, sheet_rows.registered_at),
        _mentions(email_events, ibis.null("string"), ibis.null("string"), email_events.occurred_at),
    )
    named = mentions.person_name.notnull()
    grouped = mentions.group_by("email").agg(
        person_name=mentions._order.max(where=named),
        phone=mentions._phone_order.max(where=mentions.phone.notnull()),
        first_seen_at=mentions.seen_at.min(),
        last_seen_at=mentions.seen_at.max(),
    )
    return grouped.select(
        email=grouped.email,
        user_id=keyed_hash(grouped.email),
        person_name=grouped.person_name["value"],
        phone=grouped.phone["value"],
        first_seen_at=grouped.first_seen_at,
        last_seen_at=grouped.last_seen_at,
    )


def _mentions(table: ir.Table, name: ir.StringValue, phone: ir.StringValue, seen_at: ir.TimestampValue) -> ir.Table:
    """Mentions of an e-mail; ``_order`` pairs a value with its time, so the greatest is the latest, ties by value."""
    found = table.select(email=table.participant_email, person_name=name, phone=phone, seen_at=seen_at)
    found = found.filter(found.email.notnull())
    # Databases sort nulls last, where a mention without a time would be the latest.
    at = found.seen_at.fill_null(LONG_AGO)
    return found.mutate(
        _order=ibis.struct({"at": at, "value": found.person_name}),
        _phone_order=ibis.struct({"at": at, "value": found.phone}),
    )


def resolved_registrations(
    registrations: ir.Table, sheet_corrections: ir.Table, sheet_rows: ir.Table, events: ir.Table
) -> ir.Table:
    """One row per registration or walk-in. From staging.registrations, sheet_corrections, sheet_rows and events.

    Of several of one registrant for one event the earliest that is not cancelled is the registration; the others are
    duplicates. Without an e-mail nobody is recognised, so such registrations are never duplicates.
    """
    everyone = ibis.union(_from_app(registrations), _from_sheets(sheet_corrections, sheet_rows))
    existing = events.select(event_id=events.event_id, _exists=ibis.literal(True))
    joined = everyone.left_join(existing, everyone.source_event_id == existing.event_id)
    resolved = joined.mutate(event_id=ibis.ifelse(joined._exists, joined.source_event_id, UNKNOWN).fill_null(UNKNOWN))
    told_apart = _with_registrants(resolved).drop("_person_name")
    rank = ibis.row_number().over(
        group_by=["source_event_id", "registrant_key"],
        order_by=["is_cancelled", "registered_at", "registration_id"],
    )
    ranked = told_apart.mutate(_rank=rank)
    return ranked.mutate(is_duplicate=(ranked._rank > 0) & ~ranked.is_cancelled).drop("_rank", "_exists", "_name")


def _with_registrants(registrations: ir.Table) -> ir.Table:
    """``registrant_key`` and ``is_shared_address``: who of an address registered, by event, address and name.

    A registration without a name is one of the earliest named registrant of its address. That registrant has the key of
    the address; names are compared only where an address is used twice for an event.
    """
    keys = ["source_event_id", "user_id"]
    uses = registrations.filter(registrations.user_id != UNKNOWN).group_by(keys).agg(_uses=ibis._.count())
    repeated = uses.filter(uses._uses > 1)
    joined = registrations.left_join(repeated, keys).drop("source_event_id_right", "user_id_right")
    said = joined.mutate(_said=ibis.ifelse(joined._uses.notnull(), joined._person_name, ibis.null("string")))
    named = with_name_key(said, "_said", "_name")
    found = named.filter(named._name.notnull())
    order = ibis.struct({"at": found.registered_at.fill_null(_FAR_AHEAD), "id": found.registration_id})
    addresses = found.group_by(keys).agg(
        _least=found._name.min(), _greatest=found._name.max(), _earliest=found._name.argmin(order)
    )
    told = named.left_join(addresses, keys).drop("source_event_id_right", "user_id_right")
    is_another = (told._name != told._earliest).fill_null(False)
    return told.mutate(
        registrant_key=ibis.cases(
            (told.user_id == UNKNOWN, told.registration_id),
            (is_another, keyed_hash(told.user_id + "|" + told._name)),
            else_=told.user_id,
        ),
        is_shared_address=(told._least != told._greatest).fill_null(False),
    ).drop("_uses", "_said", "_least", "_greatest", "_earliest")


def _from_app(registrations: ir.Table) -> ir.Table:
    status = registrations.registration_status.fill_null("registered")
    return registrations.select(
        registration_id=registrations.registration_id,
        source_event_id=registrations.event_id,
        user_id=keyed_hash(registrations.participant_email).fill_null(UNKNOWN),
        registered_at=registrations.registered_at,
        registration_status=status,
        registration_type=registrations.registration_type,
        team_size=registrations.team_size,
        department=registrations.department,
        year_of_study=registrations.year_of_study,
        payment_status=registrations.payment_status,
        amount_minor=registrations.amount_minor,
        updated_at=registrations.updated_at,
        _person_name=registrations.participant_name,
        is_app_attended=((registrations.attendance_status.fill_null("") == "attended") | (status == "attended")),
        app_attended_at=registrations.attended_at,
        is_cancelled=status == "cancelled",
        is_walk_in=ibis.literal(False),
    )


def _from_sheets(sheet_corrections: ir.Table, sheet_rows: ir.Table) -> ir.Table:
    walk_ins = sheet_corrections.filter(sheet_corrections.correction == "walk_in")
    rows = walk_ins.select("sheet_row_id", "registration_id").join(sheet_rows, "sheet_row_id")
    status = rows.registration_status.fill_null("registered")
    return rows.select(
        registration_id=rows.registration_id,
        source_event_id=rows.event_id,
        user_id=keyed_hash(rows.participant_email).fill_null(UNKNOWN),
        registered_at=rows.entered_at,
        registration_status=status,
        registration_type=rows.registration_type,
        team_size=ibis.literal(1, type="int64"),
        department=rows.department,
        year_of_study=rows.year_of_study,
        payment_status=ibis.cases(
            (rows.payment_mark.isin(["yes", "verified"]), "verified"),
            (rows.payment_mark == "rejected", "rejected"),
            (rows.payment_mark.isin(["no", "pending"]), "pending"),
            else_=ibis.null("string"),
        ),
        amount_minor=rows.amount_minor,
        # What is read of a row changes with every edit and sort: nothing says when its states were reached.
        updated_at=ibis.null("timestamp('UTC')"),
        _person_name=rows.participant_name,
        is_app_attended=ibis.literal(False),
        app_attended_at=ibis.null("timestamp('UTC')"),
        is_cancelled=status == "cancelled",
        is_walk_in=ibis.literal(True),
    )

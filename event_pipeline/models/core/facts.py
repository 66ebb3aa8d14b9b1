"""Facts: registrations, attendance, payments and mail events."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from event_pipeline.contracts import core
from event_pipeline.contracts.contract import UNKNOWN
from event_pipeline.models.core.scan_times import timed_scans
from event_pipeline.models.identity import keyed_hash
from event_pipeline.models.locale import Locale
from event_pipeline.models.parsers import local_date

_STATES = ("verified", "refunded", "pending", "rejected", "failed")
"""States of payments, the one that outranks the others first."""


def fact_registrations(
    resolved_registrations: ir.Table,
    registration_cancellations: ir.Table,
    fact_attendance: ir.Table,
    fact_payments: ir.Table,
    dim_events: ir.Table,
    locale: Locale,
) -> ir.Table:
    """One row per registration or walk-in.

    From staging.resolved_registrations, staging.registration_cancellations, core.fact_attendance, core.fact_payments
    and core.dim_events. A check-in belongs to the registrant: one with a duplicate's code admits the one that counts.
    """
    arrivals = fact_attendance.filter(fact_attendance.is_counted).select("registration_id", "occurred_at")
    registrants = resolved_registrations.select("registration_id", "source_event_id", "registrant_key")
    arrived = (
        arrivals.join(registrants, "registration_id")
        .group_by("source_event_id", "registrant_key")
        .agg(_came_at=ibis._.occurred_at.min(), _came=ibis._.count())
    )
    starts = dim_events.select("event_id", _start_date=dim_events.start_date)
    joined = resolved_registrations.left_join(arrived, ["source_event_id", "registrant_key"])
    joined = joined.drop("source_event_id_right", "registrant_key_right")
    joined = joined.left_join(starts, "event_id").drop("event_id_right").drop("payment_status")
    joined = joined.left_join(_paid_states(fact_payments), "registration_id").drop("registration_id_right")
    joined = joined.left_join(registration_cancellations, "registration_id").drop("registration_id_right")
    resolved = joined.mutate(
        is_counted=~joined.is_cancelled & ~joined.is_duplicate,
        cancelled_at=ibis.ifelse(
            joined.is_cancelled, ibis.coalesce(joined.cancelled_at, joined.registered_at), ibis.null("timestamp('UTC')")
        ),
    )
    spanned = resolved.mutate(_counted_from=_counted_from(resolved))
    dated = spanned.mutate(
        registered_date=local_date(spanned.registered_at, locale.time_zone),
        cancelled_date=local_date(spanned.cancelled_at, locale.time_zone),
        counted_from_date=local_date(spanned._counted_from, locale.time_zone),
    )
    marked = dated.mutate(
        is_attended=dated.is_counted & dated._came.notnull(),
        lead_time_days=dated._start_date.delta(dated.registered_date, unit="day").cast("int64"),
    )
    attended_at = ibis.ifelse(marked.is_attended, marked._came_at, ibis.null("timestamp('UTC')"))
    attended = marked.mutate(attended_at=attended_at)
    return attended.select(*core.FACT_REGISTRATIONS.column_names)


def _paid_states(fact_payments: ir.Table) -> ir.Table:
    """Of each registration the state that counts, where it has several payments."""
    known = fact_payments.filter(fact_payments.registration_id.notnull())
    place = ibis.cases(*[(known.payment_status == state, number) for number, state in enumerate(_STATES)])
    first = known.group_by("registration_id").agg(_place=place.min())
    word = ibis.cases(*[(first._place == number, state) for number, state in enumerate(_STATES)])
    return first.select("registration_id", payment_status=word)


def _counted_from(registrations: ir.Table) -> ir.TimestampValue:
    """When each began to count: once it was made and its registrant's earlier ones were cancelled; null if never."""
    earlier = ibis.window(
        group_by=["source_event_id", "registrant_key"],
        order_by=[registrations.registered_at, registrations.registration_id],
        between=(None, -1),
    )
    has_other = (~registrations.is_cancelled).cast("int64").max().over(earlier).fill_null(0) == 1
    freed_at = registrations.cancelled_at.max().over(earlier)
    was_second = (freed_at >= registrations.cancelled_at).fill_null(False)
    counted = registrations.is_counted | (registrations.is_cancelled & ~has_other & ~was_second)
    made_at = registrations.registered_at
    begins_at = ibis.ifelse((freed_at > made_at).fill_null(False), freed_at, made_at)
    return ibis.ifelse(counted & made_at.notnull(), begins_at, ibis.null("timestamp('UTC')"))


def fact_attendance(
    scans: ir.Table,
    resolved_registrations: ir.Table,
    sheet_corrections: ir.Table,
    attendance_reversals: ir.Table,
    dim_events: ir.Table,
    locale: Locale,
) -> ir.Table:
    """One row per claim that someone came. From scans, the app's marks, sheet corrections and taken-back attendance.

    Every claim is kept with the reason it was refused; of the valid ones of a registrant for an event the first counts.
    A sheet's mark that repeats a valid claim to the second is none. The days of core.dim_events tell which codes are
    of another day.
    """
    timed = timed_scans(scans, dim_events, locale)
    claims = ibis.union(_scanned(timed), _app_marked(resolved_registrations), _sheet_marked(sheet_corrections))
    known = resolved_registrations.select(
        "registration_id", "event_id", "source_event_id", "user_id", "registrant_key", "is_cancelled",
        _known=ibis.literal(True),
    )  # fmt: skip
    joined = claims.left_join(known, "registration_id").drop("registration_id_right")
    joined = joined.left_join(attendance_reversals, "registration_id").drop("registration_id_right")
    judged = joined.mutate(refusal_reason=_refusal(joined))
    valid = judged.mutate(is_valid=judged.refusal_reason.isnull())
    ranked = _ranked(valid)
    counted = ranked.mutate(is_counted=ranked.is_valid & (ranked._rank == 0))
    return counted.select(
        attendance_id=counted.attendance_id,
        registration_id=ibis.ifelse(counted._known, counted.registration_id, ibis.null("string")),
        event_id=counted.event_id.fill_null(UNKNOWN),
        source_event_id=counted.source_event_id,
        claimed_event_id=counted.claimed_event_id.fill_null(UNKNOWN),
        user_id=counted.user_id.fill_null(UNKNOWN),
        method=counted.method,
        occurred_at=counted.occurred_at,
        occurred_date=local_date(counted.occurred_at, locale.time_zone),
        scanner_id=counted.scanner_id,
        is_valid=counted.is_valid,
        refusal_reason=ibis.ifelse(counted.is_valid & ~counted.is_counted, "already_in", counted.refusal_reason),
        is_counted=counted.is_counted,
        is_clock_corrected=counted.is_clock_corrected,
        is_override=counted.is_override & counted.is_valid & (counted.is_other_day | _is_other_door(counted)),
    )


def _ranked(claims: ir.Table) -> ir.Table:
    """Claims with their place among those of their registrant, without marks of a sheet that repeat a valid claim."""
    timed = claims.mutate(_second=claims.occurred_at.truncate("s"), _is_typed=claims.method == "sheet_mark")
    in_order = ibis.window(
        group_by=["is_valid", "source_event_id", "registrant_key"],
        order_by=[timed.occurred_at.isnull(), timed._second, timed._is_typed, timed.occurred_at, timed.attendance_id],
    )
    ranked = timed.mutate(
        _rank=ibis.row_number().over(in_order),
        _is_repeat=timed._is_typed
        & (timed._second <= timed._second.lag().over(in_order) + ibis.interval(seconds=1))
        & ~timed._is_typed.lag().over(in_order),
    )
    # A sheet that tells the second of a scan or of the app's mark, which it may round up, was made from it.
    return ranked.filter(~(ranked.is_valid & ranked._is_repeat.fill_null(False)))


def _refusal(claims: ir.Table) -> ir.StringValue:
    """The first reason against a claim; null when it holds."""
    is_scan = claims.method == "qr_scan"
    return ibis.cases(
        (is_scan & ~claims.is_readable, "garbled"),
        (is_scan & ~claims.is_checksum_valid, "bad_checksum"),
        (claims._known.isnull(), "unknown_registration"),
        (is_scan & (claims.claimed_event_id.fill_null("") != claims.source_event_id), "wrong_event"),
        (_is_other_door(claims) & ~claims.is_override, "wrong_event"),
        (claims.is_cancelled, "cancelled"),
        (claims.undone_at.notnull() & (claims.occurred_at <= claims.undone_at).fill_null(True), "undone"),
        (claims.is_other_day & ~claims.is_override, "wrong_day"),
        else_=ibis.null("string"),
    )


def _is_other_door(claims: ir.Table) -> ir.BooleanValue:
    return (claims.door_event_id != claims.source_event_id).fill_null(False)


def _claims(table: ir.Table, prefix: str, claim_id: ir.StringValue, method: str, **more: ir.Value) -> ir.Table:
    filled: dict[str, ir.Value] = {
        "claimed_event_id": ibis.null("string"),
        "scanner_id": ibis.null("string"),
        "door_event_id": ibis.null("string"),
        "is_readable": ibis.literal(True),
        "is_checksum_valid": ibis.literal(True),
        "is_clock_corrected": ibis.literal(False),
        "is_other_day": ibis.literal(False),
        "is_override": ibis.literal(False),
        **more,
    }
    names = (
        "registration_id", "claimed_event_id", "occurred_at", "scanner_id", "door_event_id", "is_readable",
        "is_checksum_valid", "is_clock_corrected", "is_other_day", "is_override",
    )  # fmt: skip
    return table.select(
        attendance_id=ibis.literal(prefix) + claim_id,
        method=ibis.literal(method),
        **{name: filled[name] for name in names},
    )


def _scanned(scans: ir.Table) -> ir.Table:
    return _claims(
        scans, "scan:", scans.scan_id, "qr_scan",
        registration_id=scans.claimed_registration_id, claimed_event_id=scans.claimed_event_id,
        occurred_at=scans.occurred_at, scanner_id=scans.scanner_id, door_event_id=scans.door_event_id,
        is_readable=scans.is_readable, is_checksum_valid=scans.is_checksum_valid,
        is_clock_corrected=scans.is_clock_corrected, is_other_day=scans.is_other_day, is_override=scans.is_override,
    )  # fmt: skip


def _app_marked(registrations: ir.Table) -> ir.Table:
    marked = registrations.filter(registrations.is_app_attended)
    return _claims(
        marked, "app:", marked.registration_id, "app_mark",
        registration_id=marked.registration_id, claimed_event_id=marked.source_event_id,
        occurred_at=ibis.coalesce(marked.app_attended_at, marked.updated_at),
    )  # fmt: skip


def _sheet_marked(corrections: ir.Table) -> ir.Table:
    marked = corrections.filter(corrections.correction == "attendance")
    return _claims(
        marked, "sheet:", keyed_hash(marked.sheet_row_id), "sheet_mark",
        registration_id=marked.registration_id, claimed_event_id=marked.event_id, occurred_at=marked.occurred_at,
    )  # fmt: skip


def fact_email_events(
    email_events: ir.Table, resolved_registrations: ir.Table, events: ir.Table, locale: Locale
) -> ir.Table:
    """One row per reported mail event. From staging.email_events; person by registration, else as reported."""
    known = resolved_registrations.select("registration_id", _event=ibis._.event_id, _user=ibis._.user_id)
    existing = events.select("event_id", _existing=ibis._.event_id)
    joined = email_events.left_join(known, "registration_id").drop("registration_id_right")
    joined = joined.left_join(existing, "event_id").drop("event_id_right")
    return joined.select(
        email_event_id=joined.email_event_id,
        message_id=joined.message_id,
        registration_id=ibis.ifelse(joined._user.notnull(), joined.registration_id, ibis.null("string")),
        event_id=ibis.coalesce(joined._event, joined._existing, UNKNOWN),
        user_id=ibis.coalesce(joined._user, keyed_hash(joined.participant_email), UNKNOWN),
        provider=joined.provider,
        mail_type=joined.mail_type,
        email_event=joined.email_event,
        is_machine=joined.is_machine & joined.email_event.isin(["open", "click"]),
        occurred_at=joined.occurred_at,
        occurred_date=local_date(joined.occurred_at, locale.time_zone),
    )

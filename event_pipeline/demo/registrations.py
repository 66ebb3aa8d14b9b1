"""Registration documents, assembled a chunk at a time from columns of JSON fragments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from event_pipeline.demo import people
from event_pipeline.demo.columns import Text, choose, iso, join, lookup, numbers, push_ids, random_stream, scatter
from event_pipeline.demo.distributions import DAY_MS, some
from event_pipeline.demo.forms import PAYMENT_RATES, PAYMENT_STATUS, additional_info, payment
from event_pipeline.demo.organisation import Identifiers
from event_pipeline.demo.outcomes import Outcomes
from event_pipeline.demo.plan import Plan
from event_pipeline.demo.untidiness import (
    GARBLED_DOCUMENTS,
    MISSING_EMAIL_RATE,
    MISSING_PHONE_RATE,
    MISSING_QR_RATE,
    MISSING_STUDENT_ID_RATE,
    MISSING_UPDATED_AT_RATE,
    UNDONE_RATE,
    hostile_names,
    styled_times,
    time_styles,
)
from event_pipeline.sources.qr import QR_TYPE, QR_VERSION, qr_checksums

HAND_MARKED_SHARE = 0.12
"""Share of those who come whom an organiser marks by hand; everyone else's code is scanned."""
SCAN_ONLY_SHARE = 0.02
"""Share of scanned people whose document was never updated: only the scan knows that they came."""
_TEXT_STREAM = 11
_CODE_DELAY_MS = 2_000


@dataclass(frozen=True)
class Written:
    """What the records of scans, mails and payments must agree with: a chunk of registrations as written."""

    ids: Text
    event_ids: Text
    typed_email: Text
    """Empty where the field was left out."""
    mistyped: np.ndarray
    has_email: np.ndarray
    qr: Text
    """QR payload as the inside of a JSON string."""
    has_qr: np.ndarray
    scanned: np.ndarray
    """Came, and the code was scanned at the door."""
    marked: np.ndarray
    """The document says attended."""
    payment: np.ndarray
    """Index into PAYMENT_STATUS; meaningless on free events."""
    wrong_field: np.ndarray
    """Which field has the wrong type where there is one: name, phone, status, additional_info."""


def write_registrations(plan: Plan, ids: Identifiers, chunk: int, drawn: Outcomes) -> tuple[Text, Written]:
    """The chunk's documents, one ``,\\n"id":{...}`` a row, and what other records need to know of them."""
    rng = random_stream(plan.seed, _TEXT_STREAM, chunk)
    written = _settle(plan, ids, drawn, rng)
    style = time_styles(rng, len(drawn))
    as_text = drawn.wrong_type & (written.wrong_field == 3)
    document = join(
        '{"event_id":"', written.event_ids, '"', _who(plan, drawn, written, rng),
        additional_info(plan, drawn, as_text, rng), payment(plan, drawn, written.ids, written.payment, rng),
        _code(drawn, written), _attendance(plan, drawn, written, style, rng),
        _times(drawn, written, style, rng), "}",
    )  # fmt: skip
    garbled = lookup(GARBLED_DOCUMENTS, rng.integers(0, len(GARBLED_DOCUMENTS), int(drawn.garbled.sum())))
    return join(',\n"', written.ids, '":', scatter(document, drawn.garbled, garbled)), written


def _settle(plan: Plan, ids: Identifiers, drawn: Outcomes, rng: np.random.Generator) -> Written:
    rows = len(drawn)
    everyone = np.ones(rows, bool)
    typed, mistyped = people.typed_emails(people.emails(drawn.person, plan.seed), rng)
    has_email = ~some(rng, everyone, MISSING_EMAIL_RATE)
    typed = choose(has_email, typed, "")
    doc_ids, event_ids = push_ids(drawn.registered_ms, rng), ids.event_ids.take(drawn.event)
    has_qr = ~some(rng, everyone, MISSING_QR_RATE) & drawn.is_document
    scanned = drawn.came & has_qr & (rng.random(rows) >= HAND_MARKED_SHARE)
    return Written(
        ids=doc_ids, event_ids=event_ids, typed_email=typed, mistyped=mistyped,
        has_email=has_email, qr=qr_text(doc_ids, event_ids, typed, drawn.registered_ms + _CODE_DELAY_MS),
        has_qr=has_qr, scanned=scanned, marked=drawn.came & ~some(rng, scanned, SCAN_ONLY_SHARE),
        payment=rng.choice(len(PAYMENT_STATUS), rows, p=PAYMENT_RATES), wrong_field=rng.integers(0, 4, rows),
    )  # fmt: skip


def qr_text(registration_ids: Text, event_ids: Text, emails: Text, milliseconds: np.ndarray) -> Text:
    """QR payloads with a true checksum, escaped to stand inside a JSON string."""
    moment = numbers(milliseconds)
    checksum = qr_checksums(join(registration_ids, ":", event_ids, ":", emails, ":", moment))
    return join(
        rf'{{\"type\":\"{QR_TYPE}\",\"registrationId\":\"', registration_ids, r"\",\"eventId\":\"", event_ids,
        r"\",\"email\":\"", emails, r"\",\"timestamp\":", moment, r",\"hash\":\"", checksum,
        rf"\",\"version\":\"{QR_VERSION}\"}}",
    )  # fmt: skip


def _who(plan: Plan, drawn: Outcomes, written: Written, rng: np.random.Generator) -> Text:
    rows = len(drawn)
    kind = written.wrong_field
    name = join('"', people.names(drawn.person, plan.seed), '"')
    hostile = hostile_names()
    name = scatter(name, drawn.hostile, lookup(hostile, rng.integers(0, len(hostile), int(drawn.hostile.sum()))))
    number_as_name = drawn.wrong_type & (kind == 0)
    name = scatter(name, number_as_name, numbers(drawn.person[number_as_name]))
    phone = join(',"participant_phone":"', people.typed_phones(drawn.person, rng), '"')
    phone = choose(some(rng, ~drawn.wrong_type, MISSING_PHONE_RATE), "", phone)
    list_as_phone = drawn.wrong_type & (kind == 1)
    digits = numbers(people.FIRST_PHONE + drawn.person[list_as_phone])
    phone = scatter(phone, list_as_phone, join(',"participant_phone":["', digits, '"]'))
    student = join(',"participant_id":"', people.student_ids(drawn.person, plan.seed), '"')
    student = choose(rng.random(rows) < MISSING_STUDENT_ID_RATE, "", student)
    email = choose(written.has_email, join(',"participant_email":"', written.typed_email, '"'), "")
    status = choose(drawn.cancelled, "cancelled", choose(written.marked, "attended", "registered"))
    status = choose(drawn.wrong_type & (kind == 2), "confirmed??", status)
    return join(',"participant_name":', name, email, phone, student, ',"status":"', status, '"')


def _code(drawn: Outcomes, written: Written) -> Text:
    made = iso(drawn.registered_ms + _CODE_DELAY_MS)
    code = join(',"qr_code_data":"', written.qr, '","qr_code_generated_at":"', made, '"')
    return choose(written.has_qr, code, "")


def _attendance(plan: Plan, drawn: Outcomes, written: Written, style: np.ndarray, rng: np.random.Generator) -> Text:
    time = join(',"attendance_timestamp":', styled_times(drawn.arrived_ms, style))
    started = plan.start_ms[drawn.event] < plan.as_of_ms - DAY_MS
    undone = some(rng, started & ~drawn.came & ~drawn.cancelled & drawn.is_document, UNDONE_RATE)
    word = choose(written.marked, "attended", "not_attended")
    return join(',"attendance_status":"', word, '"', choose(written.marked | undone, time, ""))


def _times(drawn: Outcomes, written: Written, style: np.ndarray, rng: np.random.Generator) -> Text:
    registered = styled_times(drawn.registered_ms, style)
    touched = np.where(drawn.cancelled, drawn.cancelled_ms, np.where(written.marked, drawn.arrived_ms, 0))
    updated = styled_times(np.maximum(touched, drawn.registered_ms), style)
    forgotten = some(rng, drawn.is_document, MISSING_UPDATED_AT_RATE)
    return join(
        ',"registration_date":', registered, ',"created_at":', registered,
        choose(forgotten, "", join(',"updated_at":', updated)),
    )  # fmt: skip

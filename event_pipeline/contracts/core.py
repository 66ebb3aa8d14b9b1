"""Core contracts: the star schema. Nobody is named here; a person is a keyed hash.

Definitions that hold wherever these numbers appear:

- *Person*: whoever shares an e-mail address. Addresses are compared in Unicode's composed form, case folded, without
  spaces and what cannot be seen, with the domain as DNS has it (``münchen.example`` is ``xn--mnchen-3ya.example``). Of
  ``Asha Rao <asha@example.org>`` the address counts. Tags and dots are part of it: ``asha+club@gmail.com`` and
  ``a.sha@gmail.com`` are other people than ``asha@gmail.com``, as only some providers take them for one.
- *Registrant*: within one event, an address and a name. A parent or a club secretary registers several people with one
  address: different names are different registrants, and each of their registrations has the note
  ``is_shared_address``. Names are the same when their words are, in any order, whatever their case, accents,
  punctuation and width of letters; a registration without a name is one of the earliest named registrant of its
  address. Limits: one person who writes the name in two ways (``A. Rao``, ``Dr. Asha Rao``) is two registrants, which the
  note shows; two people of one name and address are one. Without an address nobody is recognised.
- *Registration*: one registration document. It **counts** (``is_counted``) when it is neither cancelled nor a duplicate
  (``is_duplicate``): of a registrant's registrations for an event the earliest that is not cancelled counts, the others
  that are not cancelled are duplicates. A team registration counts once; its people are ``team_size``.
- *Cancelled*: by the latest version of the document. It counts as cancelled from the first version of that run of
  cancelled ones on, at the time the document says there. A deleted registration is in no figure of any day: it is as
  if it had never been made.
- *Active on a day*: registered by the end of that day and not cancelled by then; of several of one registrant for one event
  the earliest that is active. So a second registration counts from the day on which the first was cancelled.
- *People* are the sum of ``team_size``; a check-in admits the whole registration, so the people who attended are those
  of the registrations that attended.
- *Attended*: a counted registration whose registrant has a counted check-in, with whichever of their codes.
  *Attendance rate*: attended over counted registrations
  of events that have started.
- *Payment*: money for one purpose, once, whoever says so. A provider's session, payment intent and charges are one
  payment. What the app or a sheet marks by hand (``app_status``) belongs to the earliest payment that the provider
  received for that registration; the provider's word outranks the mark. A sheet's mark adds nothing to what the
  provider received. The amount of a mark is the registration's own, else the one typed in the sheet's row, else the
  event's fee. Where the provider only knows attempts that
  brought no money, a verified mark is a payment of its own (it was paid another way) and any other mark belongs to the
  latest attempt. Money for a duplicate, a shared address or a cancelled registration is money like any other.
- *State of a payment*: of each charge, refund and dispute the latest state counts, in whatever order and however often
  events come; the provider's time of an event decides, and within one second the later step. A payment was received when
  its charge was captured (or its intent or session says so). Given back is what the charge says in all, less what was
  only released because it was captured in part; refunds begun after that are added, refunds that failed after it are
  taken off. A refund that is pending counts as given back; one that failed or was cancelled never happened. A dispute
  moves no money until it is lost; one that is won, withdrawn or reinstated in the end moves none.
  One lost in another currency than the payment's takes all that was left of it, since its amount cannot be subtracted.
- *Revenue*: what was received less what was given back, in minor units of the payment's own currency. Rejected, pending
  and failed payments are no revenue; a cancelled registration's payment stays revenue until it is given back.
- *Days of money*: a payment counts on the day it was paid, a refund on the day it was given back, a lost dispute on the
  day it was lost. A hand mark was paid when the document was first seen verified without a break since (its update time
  then, else the registration's time); later edits do not move it. Totals count entries on their own day, so a day's
  revenue may be negative.
- *Minor units*: those of ISO 4217, whatever unit the provider counts in.
- *Check-in at the door*: the door's answer and this table follow the same rules. A code must be whole and of a known
  registration, name that registration's event, be scanned at that event's door (where the phone says whose door it
  is), not be cancelled, and not be older than the moment at which attendance was taken back. A scan on another day is
  refused (``wrong_day``): before the day before the event's start or after the day after its end (its start where it
  has no end); an event without a start is not judged. A scan with an override holds at another event's door and on
  another day, and counts for the registration's own event.
- *The time of a scan* is the phone's, where it is believable: not more than 10 minutes after the scan was received, and
  not more than 30 days before, or on one of the event's days however late it was received. Without a time of receipt
  (files dropped into the inbox) any time from 2000 on is believed, up to 10 minutes after the record was observed.
  Another time, such as 1970 or 1980 of a phone with a reset clock, is noted (``is_clock_corrected``): the scan counts
  at the time it was received, and its day is not judged.
- *The time of a mark in a sheet* is what is typed there; without it, since when the row has been read as attended without
  a break. Editing or sorting rows moves no attendance to another day.
- *A mail event* is one happening to one recipient's mail: the same provider, message, recipient, kind and time are one,
  whatever id a retry gives it; without a message or a time the provider's id tells, without an id the content. An event
  with several recipients is one each. Opens and clicks are a *machine's* (``is_machine``) where the provider says so
  (SendGrid ``sg_machine_open``, Mailgun ``client-info.bot``) or the program is a known one: Apple's Mail Privacy
  Protection, scanners of mail gateways, programs that are no browser. Google's picture proxy is none: it fetches when
  somebody opens the mail.
"""

from __future__ import annotations

from event_pipeline.contracts.contract import UNKNOWN, Column
from event_pipeline.contracts.core_columns import CURRENCY, EVENT_ID, USER_ID
from event_pipeline.contracts.core_columns import core_table as _core
from event_pipeline.contracts.core_columns import count as _count
from event_pipeline.contracts.core_columns import day as _day
from event_pipeline.contracts.core_columns import flag as _flag
from event_pipeline.contracts.core_columns import instant as _instant
from event_pipeline.contracts.core_columns import money as _money
from event_pipeline.contracts.core_columns import string as _string
from event_pipeline.contracts.core_dimensions import (
    BRIDGE_EVENT_TAGS,
    DIM_CATEGORIES,
    DIM_CLUBS,
    DIM_DATES,
    DIM_EVENTS,
    DIM_USERS,
)

PAYMENT_STATES = ("pending", "verified", "rejected", "failed", "refunded")

FACT_REGISTRATIONS = _core(
    "fact_registrations", "one row per registration document or hand-added sheet row", ("registration_id",),
    "Registrations with their state; cancelled ones and duplicates are marked, not dropped.",
    ("staging.registrations", "staging.registration_cancellations", "staging.sheet_rows", "people.people",
     "core.dim_events", "core.fact_attendance", "core.fact_payments"),
    _string("registration_id", "Push id; 'sheet:...' for a walk-in added by hand.", nullable=False),
    EVENT_ID,
    _string("source_event_id", "Event id as the document says, also when that event is gone.", nullable=False),
    USER_ID,
    _string("registrant_key", "Registrant: a keyed hash of the address, of address and name for all but its earliest name; the registration's own id without an address.", nullable=False),
    _flag("is_shared_address", "Note: registrations of this address for this event have several different names."),
    _instant("registered_at", "When they registered."),
    _day("registered_date", "The organisation's day of it."),
    _string("registration_status", "State.", nullable=False, allowed=("registered", "attended", "cancelled")),
    _string("registration_type", "How they take part.", allowed=("individual", "team", "solo")),
    _count("team_size", "People in the registration.", minimum=1),
    _string("department", "Department as typed."),
    _string("year_of_study", "Year of study as typed."),
    Column("lead_time_days", "int64", "Days from registration to the event's start, by the organisation's days."),
    _flag("is_cancelled", "Cancelled."),
    _instant("cancelled_at", "When it was cancelled, as far as known: what its document said then, else when that was seen; of a sheet's row, when it was registered. Empty unless cancelled."),
    _day("cancelled_date", "The organisation's day of it."),
    _flag("is_duplicate", "The same registrant had registered for the event before."),
    _flag("is_counted", "Neither cancelled nor a duplicate."),
    _day("counted_from_date", "The day from which it counted, until cancelled_date where it was cancelled: that of the registration, or on which the person's earlier ones were cancelled. Empty when it never counted, or no day is known."),
    _flag("is_walk_in", "Added by hand in the event's sheet."),
    _flag("is_attended", "Has a counted check-in."),
    _instant("attended_at", "The counted check-in."),
    _string("payment_status", "State that counts of its payments: verified if any is, else refunded, pending, rejected or failed; empty without a payment.", allowed=PAYMENT_STATES),
)  # fmt: skip

REFUSALS = (
    "garbled",
    "bad_checksum",
    "unknown_registration",
    "wrong_event",
    "cancelled",
    "undone",
    "wrong_day",
    "already_in",
)

FACT_ATTENDANCE = _core(
    "fact_attendance", "one row per claim that someone came", ("attendance_id",),
    "Every claim of attendance: QR scans, the app's own mark, sheet corrections. The first valid claim of a registration counts.",
    ("staging.scans", "staging.registrations", "staging.sheet_rows", "staging.attendance_reversals", "core.dim_events"),
    _string("attendance_id", "scan:, app: or sheet: and the claim's own id.", nullable=False),
    _string("registration_id", "Registration claimed; empty when unknown."),
    EVENT_ID,
    _string("source_event_id", "Event of the registration as its document says."),
    _string("claimed_event_id", f"Event the scanned code names, else that of the mark; '{UNKNOWN}' for a garbled code.", nullable=False),
    USER_ID,
    _string("method", "How it was claimed.", nullable=False, allowed=("qr_scan", "app_mark", "sheet_mark")),
    _instant("occurred_at", "When they came: time of the scan or of the mark; of a scan whose clock is not believed, when it was received."),
    _day("occurred_date", "The organisation's day of it."),
    _string("scanner_id", "Device that scanned."),
    _flag("is_valid", "The claim holds."),
    _string("refusal_reason", "Why it does not count: garbled, bad_checksum, unknown_registration, wrong_event, cancelled, undone, wrong_day, or already_in for a repeat.", allowed=REFUSALS),
    _flag("is_counted", "First valid claim of its registrant for the event."),
    _flag("is_clock_corrected", "The phone's time is not believable: the time at which the scan was received stands for it."),
    _flag("is_override", "It holds because somebody at the door admitted it, though the door's event or the day is another."),
)  # fmt: skip

NOT_COUNTED = (
    "pending",
    "rejected",
    "failed",
    "refunded",
    "dispute_lost",
    "partly_refunded",
    "other_currency",
    "no_amount",
)

FACT_PAYMENTS = _core(
    "fact_payments", "one row per payment", ("payment_id",),
    "Payments with what the app or a sheet says, what the provider says and the state that counts.",
    ("staging.resolved_registrations", "staging.provider_payments", "staging.payment_verifications", "staging.events"),
    _string("payment_id", "{provider}:{payment id}, or app:{registration_id} or sheet:{registration_id} where only a mark says so.", nullable=False),
    _string("registration_id", "Registration paid for; empty when unknown."),
    EVENT_ID,
    USER_ID,
    _string("method", "The provider, else app or sheet.", nullable=False),
    _string("app_status", "What the app or the sheet marks; empty when neither does.", allowed=("pending", "verified", "rejected")),
    _string("provider_status", "What the provider says, disputed while a dispute is open; of a payment marked by hand, its latest attempt; empty when it knows nothing.", allowed=("pending", "verified", "failed", "refunded", "disputed")),
    _string("payment_status", "The state that counts: the provider's, else the mark's. Partly refunded and disputed payments stay verified.", nullable=False, allowed=PAYMENT_STATES),
    _money("amount_minor", "Amount received, else asked for, in minor units; the event's fee where the app forgot it.", minimum=0),
    _money("refunded_minor", "Amount given back, lost disputes included, in minor units.", nullable=False, minimum=0),
    _money("revenue_minor", "What counts as revenue, in minor units of the payment's currency.", nullable=False, minimum=0),
    CURRENCY,
    _flag("is_amount_from_event", "The amount is the event's fee."),
    _flag("is_disputed", "A dispute or an inquiry about it is open."),
    _string("not_counted_reason", "Why not all of it is in the totals; other_currency is counted in its own. Empty when it counts in full.", allowed=NOT_COUNTED),
    _instant("paid_at", "When it was paid; empty when it was not, or when nothing says when."),
    _day("paid_date", "The organisation's day of it."),
    _instant("refunded_at", "When something of it was last given back."),
    _day("refunded_date", "The organisation's day of it."),
    _instant("occurred_at", "When it was paid, else when it reached its state, as far as known."),
    _day("occurred_date", "The organisation's day of it."),
)  # fmt: skip

FACT_PAYMENT_ENTRIES = _core(
    "fact_payment_entries", "one row per movement of money", ("entry_id",),
    "What came in and what was given back, each on its own day; the entries of a payment add up to its revenue.",
    ("core.fact_payments", "staging.provider_refunds"),
    _string("entry_id", "{payment_id}/payment, or the payment's id and that of what gave money back.", nullable=False),
    _string("payment_id", "Payment it belongs to.", nullable=False, references="core.fact_payments.payment_id"),
    _string("registration_id", "Registration paid for; empty when unknown."),
    EVENT_ID,
    USER_ID,
    _string("entry_kind", "payment comes in; refund and (lost) dispute go out.", nullable=False, allowed=("payment", "refund", "dispute")),
    _money("amount_minor", "Amount in minor units; negative when it goes out.", nullable=False),
    CURRENCY,
    _instant("occurred_at", "When it was paid, given back or lost."),
    _day("occurred_date", "The organisation's day of it."),
)  # fmt: skip

EMAIL_EVENTS = ("sent", "delivered", "deferred", "bounce", "dropped", "open", "click", "spam_report", "unsubscribe")

FACT_EMAIL_EVENTS = _core(
    "fact_email_events", "one row per thing that happened to a mail", ("email_event_id",),
    "What the mail provider reported: sent, delivered, opened, clicked, bounced.",
    ("staging.email_events", "staging.registrations", "people.people"),
    _string("email_event_id", "{provider}: and a hash of message, recipient, kind and time, else the provider's event id.", nullable=False),
    _string("message_id", "Mail it belongs to."),
    _string("registration_id", "Registration the mail was about."),
    EVENT_ID,
    USER_ID,
    _string("provider", "Mail provider.", nullable=False),
    _string("mail_type", "What the mail was for."),
    _string("email_event", "What happened.", nullable=False, allowed=EMAIL_EVENTS),
    _flag("is_machine", "An open or click by a machine: a privacy proxy or a scanner. Kept, and counted nowhere."),
    _instant("occurred_at", "When."),
    _day("occurred_date", "The organisation's day of it."),
)  # fmt: skip

CORE = {
    contract.table: contract
    for contract in (
        DIM_EVENTS, DIM_CLUBS, DIM_CATEGORIES, DIM_USERS, DIM_DATES, BRIDGE_EVENT_TAGS,
        FACT_REGISTRATIONS, FACT_ATTENDANCE, FACT_PAYMENTS, FACT_PAYMENT_ENTRIES, FACT_EMAIL_EVENTS,
    )
}  # fmt: skip
"""Core contract by table."""

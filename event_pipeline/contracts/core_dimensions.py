"""Contracts of the dimensions, which ``core`` lists with the facts: what facts are about."""

from __future__ import annotations

from event_pipeline.contracts.contract import Column
from event_pipeline.contracts.core_columns import core_table as _core
from event_pipeline.contracts.core_columns import count as _count
from event_pipeline.contracts.core_columns import day as _day
from event_pipeline.contracts.core_columns import flag as _flag
from event_pipeline.contracts.core_columns import instant as _instant
from event_pipeline.contracts.core_columns import money as _money
from event_pipeline.contracts.core_columns import string as _string

DIM_EVENTS = _core(
    "dim_events", "one row per event, and one 'unknown'", ("event_id",),
    "Events as published, with the unknown event that keeps registrations of deleted ones.",
    ("staging.events",),
    _string("event_id", "Push id of the event.", nullable=False),
    _string("title", "Title as published."),
    _string("edition_series", "Title without its year: editions of one event share it."),
    _string("club_id", "Publishing club.", nullable=False, references="core.dim_clubs.club_id"),
    _string("category_id", "Category.", nullable=False, references="core.dim_categories.category_id"),
    _string("location", "Where it takes place."),
    _instant("starts_at", "Start."),
    _instant("ends_at", "End."),
    _day("start_date", "Organisation's day of the start."),
    _instant("registration_deadline_at", "Registrations close."),
    Column("capacity", "int64", "Most participants; empty when unlimited.", minimum=0),
    _string("event_status", "State.", allowed=("upcoming", "ongoing", "completed", "cancelled")),
    _string("registration_method", "Where people register.", allowed=("internal", "external", "both")),
    _string("participation_type", "Who takes part.", allowed=("individual", "team", "both")),
    _flag("is_paid", "Whether a fee is due."),
    _money("fee_minor", "Fee in minor units.", minimum=0),
    _flag("is_featured", "Shown first in the app."),
    _flag("is_archived", "Put away by the club."),
    _instant("created_at", "Published."),
)  # fmt: skip

DIM_CLUBS = _core(
    "dim_clubs", "one row per club, and one 'unknown'", ("club_id",), "Clubs.", ("staging.clubs",),
    _string("club_id", "Firebase uid of the club.", nullable=False),
    _string("club_name", "Name."),
    _string("website", "Web site."),
    _instant("created_at", "Joined."),
)  # fmt: skip

DIM_CATEGORIES = _core(
    "dim_categories", "one row per category, and one 'unknown'", ("category_id",), "Categories of events.", ("staging.categories",),
    _string("category_id", "Push id of the category.", nullable=False),
    _string("category_name", "Name."),
    _string("color", "Colour as #rrggbb."),
)  # fmt: skip

DIM_USERS = _core(
    "dim_users", "one row per person, and one 'unknown'", ("user_id",),
    "People who registered or were registered by hand, by keyed hash of their e-mail; no name, address or number.",
    ("people.people", "core.fact_registrations"),
    _string("user_id", "Keyed hash of the normalised e-mail.", nullable=False),
    _string("department", "Department of the latest registration."),
    _string("year_of_study", "Year of study of the latest registration."),
    _instant("first_registered_at", "First registration."),
    _day("first_counted_date", "The organisation's day of the first counted registration."),
    _instant("last_registered_at", "Latest registration."),
    _count("registrations", "Counted registrations."),
    _count("events_attended", "Counted registrations with a check-in."),
)  # fmt: skip

DIM_DATES = _core(
    "dim_dates", "one row per day", ("date",), "Days from the first to the last that any fact mentions.",
    ("core.dim_events", "core.fact_registrations"),
    _day("date", "The organisation's day.", nullable=False),
    Column("year", "int64", "Calendar year.", nullable=False),
    Column("quarter", "int64", "Quarter of the year.", nullable=False, minimum=1, maximum=4),
    Column("month", "int64", "Month of the year.", nullable=False, minimum=1, maximum=12),
    Column("iso_week", "int64", "ISO week.", nullable=False, minimum=1, maximum=53),
    Column("day_of_week", "int64", "Monday is 1, Sunday 7.", nullable=False, minimum=1, maximum=7),
    _flag("is_weekend", "Saturday or Sunday."),
)  # fmt: skip

BRIDGE_EVENT_TAGS = _core(
    "bridge_event_tags", "one row per event and tag", ("event_id", "tag_name"), "Tags of events that exist.",
    ("staging.event_tags", "staging.tags"),
    _string("event_id", "Event.", nullable=False, references="core.dim_events.event_id"),
    _string("tag_name", "Tag.", nullable=False),
    _string("color", "Colour as #rrggbb."),
)  # fmt: skip

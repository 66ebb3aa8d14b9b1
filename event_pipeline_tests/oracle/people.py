"""Who is who: everybody who is mentioned by address, with the name and number of the latest mention that has one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from event_pipeline_tests.oracle.fields import Row
from event_pipeline_tests.oracle.organisation import Organisation
from event_pipeline_tests.oracle.records import Records

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class _Mention:
    seen_at: datetime | None
    name: str | None
    phone: str | None


def rows(records: Records, organisation: Organisation) -> list[Row]:
    """``people.people``."""
    mentions: defaultdict[str, list[_Mention]] = defaultdict(list)
    for email, mention in _mentions(records):
        mentions[email].append(mention)
    return [_person(email, found, organisation) for email, found in mentions.items()]


def _mentions(records: Records) -> Iterator[tuple[str, _Mention]]:
    for row in (*records.registrations.values(), *records.sheet_rows.values()):
        if row["email"] is not None:
            yield row["email"], _Mention(row["registered_at"], row["name"], row["phone"])
    for row in records.email_events.values():
        if row["email"] is not None:
            yield row["email"], _Mention(row["occurred_at"], None, None)


def _person(email: str, mentions: list[_Mention], organisation: Organisation) -> Row:
    times = [mention.seen_at for mention in mentions if mention.seen_at is not None]
    return {
        "email": email,
        "user_id": organisation.pseudonym(email),
        "person_name": _latest([(mention.seen_at, mention.name) for mention in mentions]),
        "phone": _latest([(mention.seen_at, mention.phone) for mention in mentions]),
        "first_seen_at": min(times, default=None),
        "last_seen_at": max(times, default=None),
    }


def _latest(said: list[tuple[datetime | None, str | None]]) -> str | None:
    """What was said last, of one instant the greatest; a mention without a time is the oldest."""
    found = [(at or _LONG_AGO, text) for at, text in said if text is not None]
    return max(found)[1] if found else None

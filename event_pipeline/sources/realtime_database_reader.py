"""Requests to the Realtime Database: pages by key and by time, keys without payload.

Uses the HTTP client of ``firebase_admin.db`` (addresses, credentials, errors) but writes the queries itself: the SDK's
own leave ``&``, ``+`` and ``%`` of a value unescaped, and lose the keys when the answer is an array.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import structlog

from event_pipeline.errors import PermanentError
from event_pipeline.sources.change import Change, KnownVersions, drop_unchanged, later_than_known
from event_pipeline.sources.documents import encode_document
from event_pipeline.sources.firebase_cursor import NESTED_COLLECTIONS, Kind, Value, time_field
from event_pipeline.sources.firebase_errors import AnswerTooLarge, IndexNotDefined, realtime_database_errors
from event_pipeline.sources.firebase_poll import Leaf, Page, SweepUnavailable
from event_pipeline.sources.retry import with_retries

NAME = "realtime_database"
INDEX_RETRY = timedelta(hours=1)
"""How long a missing index is taken as given before a sweep is tried again."""

_LAST_OF_KIND: dict[Kind, Value] = {"string": "\uf8ff", "number": 2**53 - 1}
_MOST_TIES = 8
_INTEGER_KEY = re.compile(r"-?0*[0-9]{1,10}")

log = structlog.get_logger()


class RealtimeDatabaseReader:
    """Reads one database; a ``DocumentReader``. ``app`` is a firebase_admin app with its database URL.

    Changes are observed at the time just before their request, so that a write during it is never masked.
    """

    name = NAME
    kinds: tuple[Kind, ...] = ("string", "number")

    def __init__(
        self, app: Any, page_size: int, now: Callable[[], datetime], sleep: Callable[[float], None] = time.sleep
    ) -> None:
        from firebase_admin import db
        from requests.adapters import HTTPAdapter

        self._http: Any = db.reference("/", app)._client
        # The SDK's own retries would multiply with ours, and sleep as long as any Retry-After says.
        for scheme in ("http://", "https://"):
            self._http.session.mount(scheme, HTTPAdapter(max_retries=0))
        self._host = urlsplit(self._http.base_url).netloc.rpartition("@")[2]
        self.page_size = page_size
        self._now = now
        self._sleep = sleep

    def leaves(self, collection: str) -> Iterator[Leaf]:
        """The collection's node, or in a nested collection the node of every event."""
        if collection not in NESTED_COLLECTIONS:
            yield Leaf((), (collection,))
            return
        for parent in sorted(self.keys((collection,))):
            yield Leaf((parent,), (collection, parent))

    def keys(self, node: Sequence[str]) -> list[str]:
        """Every key at a node, by a shallow read."""
        return list(_children(self._get(node, {"shallow": "true"}), self._host, node))

    def page_by_key(self, collection: str, leaf: Leaf, after: str | None) -> Page:
        """The next documents in order of key."""
        limit = self.page_size + (after is not None)
        while True:
            query = {"orderBy": "$key"} | ({"startAt": after} if after is not None else {})
            try:
                observed_at, children = self._query(leaf, query, limit)
            except AnswerTooLarge:
                limit = self._smaller(limit, after)
                continue
            fresh = sorted((key for key in children if key != after), key=key_order)
            is_last = len(children) < limit
            # An order that differs from the server's must not make the same page come for ever.
            if fresh and after is not None and not is_last and key_order(fresh[-1]) <= key_order(after):
                limit *= 2
                continue
            changes = self._changes(collection, leaf, {key: children[key] for key in fresh}, observed_at)
            return Page(changes, is_last, fresh[-1] if fresh else None)

    def page_by_time(
        self, collection: str, leaf: Leaf, kind: Kind, since: Value, after: tuple[Value, str] | None
    ) -> Page:
        """The next documents in order of the time field and key.

        REST cannot start behind a key among equal values, so equal values are read again; when too many are equal, or
        the rules have no index, everything must be read by key: SweepUnavailable.
        """
        field = time_field(collection)
        query = {"orderBy": field, "startAt": after[0] if after else since, "endAt": _LAST_OF_KIND[kind]}
        limit = self.page_size
        while True:
            try:
                observed_at, children = self._query(leaf, query, limit)
            except IndexNotDefined:
                raise self._unindexed(collection, field) from None
            except AnswerTooLarge:
                raise SweepUnavailable from None
            times = {key: _time_of(child, field, kind) for key, child in children.items()}
            ranked = sorted((value, key_order(key), key) for key, value in times.items() if value is not None)
            start = (after[0], key_order(after[1])) if after else None
            fresh = [(value, key) for value, order, key in ranked if start is None or (value, order) > start]
            is_last = len(children) < limit
            if fresh or is_last:
                break
            limit *= 2
            if limit > _MOST_TIES * self.page_size:
                raise SweepUnavailable
        changes = self._changes(collection, leaf, {key: children[key] for _, key in fresh}, observed_at)
        return Page(changes, is_last, fresh[-1][1] if fresh else None, [value for value, _ in fresh])

    def news(self, changes: Sequence[Change], known: KnownVersions) -> list[Change]:
        """Only the changes whose content differs from what the lake has."""
        return later_than_known(drop_unchanged(changes, known), known)

    def _query(self, leaf: Leaf, query: dict[str, Any], limit: int) -> tuple[datetime, dict[str, Any]]:
        """The time just before the request, and the documents by key."""
        params = {name: json.dumps(value) for name, value in query.items()} | {"limitToFirst": str(limit)}
        observed_at = self._now()
        return observed_at, _children(self._get(leaf.node, params), self._host, leaf.node)

    def _get(self, node: Sequence[str], params: dict[str, str]) -> Any:
        path = "/" + "/".join(node)
        address = "/" + "/".join(quote(segment, safe="") for segment in node) + ".json"

        def attempt() -> Any:
            with realtime_database_errors(self._host, path):
                return self._http.request("get", address, params=urlencode(params)).json()

        return with_retries(attempt, sleep=self._sleep)

    def _changes(self, collection: str, leaf: Leaf, children: dict[str, Any], observed_at: datetime) -> list[Change]:
        return [
            Change.upsert(NAME, collection, leaf.document_id(key), encode_document(child), observed_at)
            for key, child in children.items()
        ]

    def _smaller(self, limit: int, after: str | None) -> int:
        if limit <= 2:
            raise PermanentError(
                f"Realtime Database {self._host}: the document after key {after!r} is larger than one answer may be; "
                "delete it in the Firebase console"
            )
        return max(2, limit // 2)  # with a key to start at, one document is the one read before

    def _unindexed(self, collection: str, field: str) -> SweepUnavailable:
        where = f"{collection}/$event_id" if collection in NESTED_COLLECTIONS else collection
        log.warning(
            "realtime database has no index, so every poll reads the whole collection",
            collection=collection,
            add_to_rules={where: {".indexOn": [field]}},
        )
        return SweepUnavailable(self._now() + INDEX_RETRY)


def key_order(key: str) -> tuple[int, int, int, str]:
    """Sorts as the database sorts keys: 32-bit integers by value, then texts."""
    if _INTEGER_KEY.fullmatch(key) and -(2**31) <= int(key) < 2**31:
        return (0, int(key), len(key), key)
    return (1, 0, 0, key)


def _children(answer: Any, host: str, node: Sequence[str]) -> dict[str, Any]:
    """The children of a node by key; the server sends an array where the keys look like indexes."""
    if answer is None:
        return {}
    if isinstance(answer, dict):
        return answer
    if isinstance(answer, list):
        return {str(index): child for index, child in enumerate(answer) if child is not None}
    if len(node) > 1:
        return {}
    raise PermanentError(
        f"Realtime Database {host}: /{'/'.join(node)} holds a single {type(answer).__name__}, not documents; "
        "check firebase.database_url, and the node in the Firebase console"
    )


def _time_of(child: Any, field: str, kind: Kind) -> Any:
    """The document's value of the field when it is of this kind, else None."""
    value = child.get(field) if isinstance(child, dict) else None
    kinds = (str,) if kind == "string" else (int, float)
    return value if isinstance(value, kinds) and not isinstance(value, bool) else None

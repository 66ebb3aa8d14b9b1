"""Requests to Cloud Firestore: pages by name and by time, ids without payload, documents by id."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from event_pipeline.errors import TransientError
from event_pipeline.sources.change import Change, KnownVersions, epoch_micros
from event_pipeline.sources.documents import encode_document
from event_pipeline.sources.firebase_app import REQUEST_TIMEOUT_SECONDS
from event_pipeline.sources.firebase_cursor import NESTED_COLLECTIONS, Kind, Value, time_field, value_at
from event_pipeline.sources.firebase_errors import firestore_errors
from event_pipeline.sources.firebase_poll import Leaf, Page
from event_pipeline.sources.retry import with_retries

if TYPE_CHECKING:
    from google.cloud.firestore import Client

T = TypeVar("T")

NAME = "firestore"
MAX_PAGE_BYTES = 32 * 1024 * 1024
"""Payload held at once: a page ends early above it, for a page of documents of 1 MiB each would be 500 MB."""

_Taken = tuple[str, Change | None, Value | None]
"""A document's key, its change (None if it does not exist) and its time value."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class FirestoreReader:
    """Reads one database; a ``DocumentReader``. Each request is retried on its own and raises the pipeline's errors."""

    name = NAME
    kinds: tuple[Kind, ...] = ("string", "timestamp", "number")

    def __init__(self, client: Client, page_size: int, sleep: Callable[[float], None] = time.sleep) -> None:
        from google.api_core.retry import Retry

        self._client = client
        self.page_size = page_size
        self._sleep = sleep
        # The SDK's own retries would multiply with ours; None in place of a policy makes its streams fail oddly.
        self._once: dict[str, Any] = {
            "retry": Retry(predicate=lambda _: False),
            "timeout": REQUEST_TIMEOUT_SECONDS,
        }

    def leaves(self, collection: str) -> Iterator[Leaf]:
        """The collection itself, or every subcollection of its documents, missing documents included."""
        if collection not in NESTED_COLLECTIONS:
            yield Leaf((), self._client.collection(collection))
            return
        for parent in self.parents(collection):
            yield from self.leaves_of(collection, parent)

    def parents(self, collection: str) -> list[str]:
        """Ids of a nested collection's documents, those that exist only as parents included, in ascending order."""
        node = self._client.collection(collection)
        found = self._request(
            collection, lambda: [item.id for item in node.list_documents(page_size=self.page_size, **self._once)]
        )
        return sorted(found)

    def leaves_of(self, collection: str, parent: str) -> list[Leaf]:
        """The subcollections of one document, in ascending order of name."""
        node = self._client.collection(collection).document(parent)
        found = self._request(collection, lambda: list(node.collections(**self._once)))
        return [Leaf((parent, item.id), item) for item in sorted(found, key=lambda item: item.id)]

    def page_by_key(self, collection: str, leaf: Leaf, after: str | None) -> Page:
        """The next documents in order of name."""
        query = leaf.node.order_by("__name__").limit(self.page_size)
        if after is not None:
            query = query.start_after({"__name__": leaf.node.document(after)})
        return self._page(collection, leaf, query)

    def page_by_time(
        self, collection: str, leaf: Leaf, kind: Kind, since: Value, after: tuple[Value, str] | None
    ) -> Page:
        """The next documents in order of the time field and name; a range holds values of one kind only."""
        from google.cloud.firestore_v1.base_query import FieldFilter

        field = time_field(collection)
        query = leaf.node.where(filter=FieldFilter(field, ">=", _native(kind, since)))
        query = query.order_by(field).order_by("__name__").limit(self.page_size)
        if after is not None:
            query = query.start_after({field: _native(kind, after[0]), "__name__": leaf.node.document(after[1])})
        return self._page(collection, leaf, query, field)

    def news(self, changes: Sequence[Change], known: KnownVersions) -> list[Change]:
        """Only the changes whose version, which holds the update time, the lake does not have."""
        latest = known.of_ids(changes[0].collection, [change.document_id for change in changes])
        return [change for change in changes if latest.get(change.document_id) != change.version]

    def keys(self, collection: str, leaf: Leaf, after: str | None) -> dict[str, int]:
        """The next keys in order of name with their update times in microseconds, without any payload."""
        query = leaf.node.select([]).order_by("__name__").limit(self.page_size)
        if after is not None:
            query = query.start_after({"__name__": leaf.node.document(after)})
        return self._request(
            collection, lambda: {item.id: epoch_micros(item.update_time) for item in query.stream(**self._once)}
        )

    def documents(self, collection: str, leaf: Leaf, keys: Iterable[str]) -> Iterator[list[Change]]:
        """The documents with these keys that exist, in pieces of bounded size."""
        wanted = {key: leaf.node.document(key) for key in keys}
        while wanted:
            references = list(islice(wanted.values(), self.page_size))
            taken = self._request(collection, lambda refs=references: self._take_some(refs, collection, leaf))
            for key, _, _ in taken:
                del wanted[key]
            yield [change for _, change, _ in taken if change is not None]

    def read_time_if_gone(self, collection: str, ids: Sequence[str]) -> dict[str, datetime]:
        """For each of these ids that the database does not have: an instant, by the server's clock, without it."""
        if collection in NESTED_COLLECTIONS:
            return self._nested_gone(collection, ids)
        node = self._client.collection(collection)
        snapshots = self._exists(collection, [node.document(key) for key in ids])
        return {item.id: _instant(item.read_time) for item in snapshots if not item.exists}

    def _nested_gone(self, collection: str, ids: Sequence[str]) -> dict[str, datetime]:
        gone: dict[str, datetime] = {}
        by_parent: dict[str, list[str]] = {}
        for document_id in ids:
            parent, _, key = document_id.partition("/")
            by_parent.setdefault(parent, []).append(key)
        for parent, keys in by_parent.items():
            # The parent is asked for first, for the server's time: what is created while we look must be newer.
            (before,) = self._exists(collection, [self._client.collection(collection).document(parent)])
            leaves = self.leaves_of(collection, parent)
            found = self._exists(collection, [leaf.node.document(key) for leaf in leaves for key in keys])
            held = {item.id for item in found if item.exists}
            gone |= {f"{parent}/{key}": _instant(before.read_time) for key in keys if key not in held}
        return gone

    def _exists(self, collection: str, references: list[Any]) -> list[Any]:
        found: list[Any] = []
        for start in range(0, len(references), self.page_size):
            part = references[start : start + self.page_size]
            found += self._request(collection, lambda part=part: self._exists_page(part))
        return found

    def _exists_page(self, references: list[Any]) -> list[Any]:
        found = list(self._client.get_all(references, field_paths=["__name__"], **self._once))
        if len(found) < len(references):
            raise _cut_short(len(found), len(references))
        return found

    def _take_some(self, references: list[Any], collection: str, leaf: Leaf) -> list[_Taken]:
        taken = self._take(self._client.get_all(references, **self._once), collection, leaf)
        if not taken:
            raise _cut_short(0, len(references))
        return taken

    def _page(self, collection: str, leaf: Leaf, query: Any, field: str | None = None) -> Page:
        taken = self._request(collection, lambda: self._take(query.stream(**self._once), collection, leaf, field))
        changes = [change for _, change, _ in taken if change is not None]
        is_last = len(taken) < self.page_size and sum(_size(change) for change in changes) < MAX_PAGE_BYTES
        values = [value for _, _, value in taken if value is not None]
        return Page(changes, is_last, taken[-1][0] if taken else None, values)

    def _take(self, snapshots: Any, collection: str, leaf: Leaf, field: str | None = None) -> list[_Taken]:
        """What each snapshot holds, up to the size of a page."""
        taken: list[_Taken] = []
        size = 0
        for item in snapshots:
            document = item.to_dict()
            if document is None:
                taken.append((item.id, None, None))
                continue
            change = Change.upsert(
                NAME, collection, leaf.document_id(item.id), encode_document(document),
                observed_at=_instant(item.read_time), source_updated_at=_instant(item.update_time),
            )  # fmt: skip
            taken.append((item.id, change, _json_value(document.get(field)) if field else None))
            size += _size(change)
            if size >= MAX_PAGE_BYTES:
                break
        return taken

    def _request(self, collection: str, call: Callable[[], T]) -> T:
        def attempt() -> T:
            with firestore_errors(str(self._client.project), collection):
                return call()

        return with_retries(attempt, sleep=self._sleep)


def _cut_short(got: int, asked: int) -> TransientError:
    return TransientError(f"Firestore answered for {got} of {asked} documents asked for by id; tried again later")


def _size(change: Change) -> int:
    return len(change.payload or "")


def _instant(moment: Any) -> datetime:
    """A plain datetime of the SDK's DatetimeWithNanoseconds, to the microsecond, which is all that Firestore keeps."""
    return _EPOCH + timedelta(microseconds=epoch_micros(moment))


def _json_value(value: Any) -> Value:
    return str(value_at("timestamp", value)) if isinstance(value, datetime) else value


def _native(kind: Kind, value: Value) -> Any:
    return datetime.fromisoformat(str(value)) if kind == "timestamp" else value

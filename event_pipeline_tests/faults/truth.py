"""What an organisation did, kept beside the pipeline: the documents of its app now, and every file put into the inbox.

Random edits go to the app and the inbox as people make them. What the warehouse must be is made from this alone, by
another pipeline, in memory, which reads neither the lake nor the app.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from event_pipeline.settings import Settings
from event_pipeline.sources.change import Change, NothingKnown
from event_pipeline.sources.documents import encode_document
from event_pipeline.sources.inbox import InboxSource
from event_pipeline_tests.scripted_listen_server import ROOT, ScriptedListen
from event_pipeline_tests.warehouse.documents import (
    SEEN,
    email_event,
    event,
    payment_event,
    qr_code,
    registration,
    scan,
)
from event_pipeline_tests.warehouse.pipelines import Contents, MemoryPipeline

if TYPE_CHECKING:
    from google.cloud.firestore import Client

COLLECTIONS = ("clubs", "events", "registrations")
SOURCE = "firestore"
MOST_REGISTRATIONS = 150
"""The emulator lists a collection again at each change."""

Place = tuple[str, str]
Document = dict[str, Any]


class App(Protocol):
    """The database that the organisation's app writes to."""

    def write(self, collection: str, document_id: str, document: Document) -> datetime:
        """The whole document is written; returns its update time."""
        ...

    def delete(self, collection: str, document_id: str) -> None:
        """The document is deleted."""
        ...


@dataclass
class ScriptedApp:
    """On the scripted server, which sends deltas and honours tokens."""

    script: ScriptedListen

    def write(self, collection: str, document_id: str, document: Document) -> datetime:
        self.script.set(collection, **{document_id: document})
        at: Any = self.script.documents[f"{ROOT}/{collection}/{document_id}"].update_time
        return at

    def delete(self, collection: str, document_id: str) -> None:
        self.script.delete(collection, document_id)


@dataclass
class EmulatedApp:
    """On Google's emulator, which runs read too."""

    client: Client

    def write(self, collection: str, document_id: str, document: Document) -> datetime:
        at: Any = self.client.collection(collection).document(document_id).set(document).update_time
        return at

    def delete(self, collection: str, document_id: str) -> None:
        self.client.collection(collection).document(document_id).delete()


@dataclass
class Truth:
    """An organisation's documents, each version that was ever written, and its files by name; ``dice`` decides what
    people do."""

    app: App
    inbox: Path
    kept: Path
    dice: random.Random
    documents: dict[Place, Document] = field(default_factory=dict)
    written: dict[Place, list[Change]] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    _made: int = 0

    def begin(self) -> None:
        """Everything that is there before the pipeline first starts."""
        self.inbox.mkdir(parents=True, exist_ok=True)
        self.kept.mkdir(parents=True, exist_ok=True)
        for club in ("c1", "c2"):
            self.write("clubs", club, {"name": f"Club {club}"})
        for number in range(4):
            self.write("events", f"e{number}", event(title=f"Evening {number}", club_id=f"c{number % 2 + 1}"))
        for _ in range(12):
            self.register()
        self.drop_scans()

    def write(self, collection: str, document_id: str, document: Document) -> None:
        """The app writes a document."""
        at = self.app.write(collection, document_id, document)
        place = (collection, document_id)
        self.documents[place] = document
        version = Change.upsert(SOURCE, collection, document_id, encode_document(document), SEEN, at)
        self.written.setdefault(place, []).append(version)

    def delete(self, collection: str, document_id: str) -> None:
        """The app deletes a document."""
        self.app.delete(collection, document_id)
        del self.documents[collection, document_id]

    def live(self, edits: int) -> None:
        """So many things happen."""
        doings: tuple[tuple[Callable[[], None], int], ...] = (
            (self.register, 6), (self.edit, 6), (self.withdraw, 2), (self.move_event, 1), (self.rename_club, 1),
            (self.drop_scans, 2), (self.drop_what_providers_say, 1),
        )  # fmt: skip
        acts, weights = zip(*doings, strict=True)
        for act in self.dice.choices(acts, weights, k=edits):
            act()

    def register(self) -> None:
        """One of forty people registers, perhaps again, for one of the events or one that is gone."""
        if self._registrations >= MOST_REGISTRATIONS:
            self.withdraw()
        self._made += 1
        person, at = f"p{self.dice.randrange(40)}", f"e{self.dice.randrange(5)}"
        self.write("registrations", f"r{self._made}", registration(person, event_id=at))

    def edit(self) -> None:
        """A registration is cancelled, attended, or of a person with another e-mail address."""
        key = self._one("registrations")
        document = self.documents["registrations", key]
        change = self.dice.choice(
            [
                {"status": "cancelled"},
                {"status": "registered"},
                {"status": "attended", "attendance_timestamp": "2025-06-08T04:50:00Z"},
                {"participant_email": f"p{self.dice.randrange(40)}@example.net"},
                {"event_id": f"e{self.dice.randrange(5)}"},
                {"registration_date": self.dice.choice(["soon", "2025-06-03T03:00:00.000Z"])},
            ]
        )
        self.write("registrations", key, document | change)

    def withdraw(self) -> None:
        """A registration is deleted."""
        if self._registrations > 6:
            self.delete("registrations", self._one("registrations"))

    def move_event(self) -> None:
        """An event gets another day, title or club, which touches every registration for it."""
        key = self._one("events")
        document = self.documents["events", key]
        day = self.dice.randint(1, 20)
        moved = {"start_date": f"2025-06-{day:02d}T04:30:00.000Z", "end_date": f"2025-06-{day:02d}T12:30:00.000Z"}
        change = self.dice.choice([moved, {"title": f"Evening {day}"}, {"club_id": self.dice.choice(["c1", "c2"])}])
        self.write("events", key, document | change)

    def rename_club(self) -> None:
        """A club gets another name."""
        key = self._one("clubs")
        self.write("clubs", key, {"name": f"Club {key} {self.dice.randrange(100)}"})

    def drop_scans(self) -> None:
        """A phone delivers scans, some of them for the second time, and perhaps half a line."""
        scans = [scan(self._code(self._one("registrations"))) for _ in range(self.dice.randint(1, 20))]
        torn = '{"type": "scan", "qr_co' if self.dice.random() < 0.2 else ""
        self._drop("".join(f"{json.dumps(each)}\n" for each in scans) + torn)

    def drop_what_providers_say(self) -> None:
        """Mail and payment providers deliver what happened."""
        key = self._one("registrations")
        records = [email_event(key), payment_event(key, self.dice.choice(["succeeded", "refunded"]))]
        self._drop("".join(f"{json.dumps(each)}\n" for each in records))

    def versions(self) -> Mapping[Place, str]:
        """The version that the lake must hold as the latest of each document of the app."""
        return {place: self.written[place][-1].version for place in self.documents}

    def changes(self, delivered: Collection[tuple[str, str, str]]) -> Iterator[Change]:
        """The versions among these (collection, document, version), and the deletes of what the app holds no more.

        Which versions between two looks a source delivers is chance, and some tables are about history.
        """
        for place, versions in self.written.items():
            seen = [change for change in versions if (*place, change.version) in delivered]
            yield from seen
            if seen and place not in self.documents:
                yield Change.delete(SOURCE, *place, datetime.now(UTC))

    def warehouse(
        self, pipeline: MemoryPipeline, settings: Settings, delivered: Collection[tuple[str, str, str]]
    ) -> Contents:
        """Every table as a rebuild makes it from all of this."""
        pipeline.clear()
        pipeline.commit(*sorted(self.changes(delivered), key=lambda change: change.collection))
        inbox = InboxSource(self.kept, settings.batch_size)
        for path in inbox.files():
            for batch in inbox.read(path, NothingKnown()):
                pipeline.lake.commit(batch)
        pipeline.refresh()
        return pipeline.contents()

    @property
    def _registrations(self) -> int:
        return sum(collection == "registrations" for collection, _ in self.documents)

    def _one(self, collection: str) -> str:
        return self.dice.choice([key for name, key in self.documents if name == collection])

    def _code(self, key: str) -> str:
        """The code in the hands of whoever registered so."""
        document = self.documents["registrations", key]
        return qr_code(key, document["participant_email"].partition("@")[0], document["event_id"])

    def _drop(self, text: str) -> None:
        """A file arrives as whoever writes one leaves it: complete, then renamed.

        All are of one instant: a record delivered twice keeps the time of the file that happened to be read first.
        """
        name = f"f{len(self.files):05d}.ndjson"
        for folder in (self.kept, self.inbox):
            part = folder / f"{name}.part"
            part.write_text(text)
            os.utime(part, (SEEN.timestamp(), SEEN.timestamp()))
            part.rename(folder / name)
        self.files.add(name)

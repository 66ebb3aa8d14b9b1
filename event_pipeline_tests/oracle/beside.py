"""Runs histories through the product, by increments and by a rebuild, and lays the oracle beside both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from event_pipeline.contracts.raw import RAW_TABLES
from event_pipeline.increments.compiled import Compiler
from event_pipeline.increments.keys import literal
from event_pipeline.increments.stage import Stage
from event_pipeline.sources.change import Change
from event_pipeline.warehouse.refresh import CONTRACTS
from event_pipeline_tests.oracle.comparison import KEYS, Difference, differences, report
from event_pipeline_tests.oracle.documents import Document
from event_pipeline_tests.oracle.marts import Tables
from event_pipeline_tests.oracle.organisation import Organisation
from event_pipeline_tests.oracle.tables import recomputed
from event_pipeline_tests.warehouse.pipelines import AS_OF, KEY, MemoryPipeline, batched


class Beside:
    """A pipeline in memory and the oracle; both are given the same changes."""

    def __init__(self, pipeline: MemoryPipeline) -> None:
        self.pipeline = pipeline
        self.compiler = Compiler(pipeline.backend, pipeline.settings)
        of = pipeline.settings.organisation
        self.organisation = Organisation(AS_OF, KEY, of.time_zone, of.currency, of.country)
        self._kept = self._keep_empty()

    def check(self, parts: Sequence[Sequence[Change]]) -> None:
        """Increments after each part, then a rebuild; AssertionError tells what is not as the oracle says."""
        arrived = documents(change for part in parts for change in part)
        expected = recomputed(arrived, self.organisation)
        self.empty()
        for part in parts:
            self.apply(part)
        by_increments = differences(expected, self.tables())
        self.pipeline.refresh()
        by_rebuild = differences(expected, self.tables())
        found = [report(title, those, arrived) for title, those in _told_apart(by_increments, by_rebuild) if those]
        assert not found, "\n\n" + "\n\n".join(found)

    def tables(self) -> Tables:
        """What the product made of it."""
        return {name: self.pipeline.rows(name) for name in KEYS if name in CONTRACTS}

    def empty(self) -> None:
        """The tables of an organisation without documents, as a rebuild makes them."""
        self.pipeline.clear()
        for place, kept in self._kept.items():
            self.pipeline.connection.execute(f"INSERT INTO {place} SELECT * FROM {kept}")

    def _keep_empty(self) -> dict[str, str]:
        """Copies of what a rebuild of nothing makes: recomputing it for each example would cost a third of it."""
        self.pipeline.clear()
        self.pipeline.refresh()
        kept = {}
        for contract in CONTRACTS.values():
            if self.pipeline.connection.execute(f"SELECT 1 FROM {contract.qualified} LIMIT 1").fetchall():
                kept[contract.qualified] = f"empty_{contract.layer}_{contract.table}"
                copied = f"CREATE OR REPLACE TEMP TABLE {kept[contract.qualified]} AS FROM {contract.qualified}"
                self.pipeline.connection.execute(copied)
        return kept

    def apply(self, part: Sequence[Change]) -> None:
        """Both stages in one go: nothing of this needs the lake's change feed."""
        stage = Stage(self.pipeline.connection, self.compiler, AS_OF, AS_OF)
        gained: dict[str, set[str]] = {}
        for batch in batched(sorted(part, key=lambda change: (change.source, change.collection))):
            if self.pipeline.lake._append(RAW_TABLES[batch.collection], batch.changes, AS_OF):
                ids = gained.setdefault(RAW_TABLES[batch.collection].name, set())
                ids.update(batch.changes["document_id"].to_pylist())
        for name, ids in gained.items():
            listed = ", ".join(literal(key) for key in sorted(ids))
            stage.add_delta(name, f"SELECT unnest([{listed}]) AS document_id, true AS _is_added")
        stage.apply("lake")
        stage.apply("warehouse")
        stage.close()


def documents(changes: Iterable[Change]) -> list[Document]:
    """The changes as the oracle is given them."""
    return [Document(c.source, c.collection, c.document_id, c.version, c.payload) for c in changes]


def _told_apart(by_increments: list[Difference], by_rebuild: list[Difference]) -> list[tuple[str, list[Difference]]]:
    """Whether the definition is another one, or only the increments are wrong."""
    seen = {str(difference) for difference in by_rebuild}
    only = [difference for difference in by_increments if str(difference) not in seen]
    return [("by increments and rebuild alike, or by the rebuild only", by_rebuild), ("by increments only", only)]

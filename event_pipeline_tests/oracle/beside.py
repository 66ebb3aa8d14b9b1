"""Runs histories through the product, by increments and by a rebuild, and lays the oracle beside both."""

from __future__ import annotations

from collections.abc import Sequence

from event_pipeline.contracts.raw import RAW_TABLES
from event_pipeline.increments.keys import literal
from event_pipeline.increments.stage import Stage
from event_pipeline.models.registry import in_order
from event_pipeline.sources.change import Change
from event_pipeline.warehouse.compiled_models import Compiler, input_view
from event_pipeline.warehouse.table_contracts import CONTRACTS
from event_pipeline_tests.oracle.comparison import KEYS, Difference, differences, report
from event_pipeline_tests.oracle.history import History, changes, meant
from event_pipeline_tests.oracle.marts import Tables
from event_pipeline_tests.oracle.organisation import Organisation
from event_pipeline_tests.oracle.tables import recomputed
from event_pipeline_tests.warehouse.pipelines import AS_OF, KEY, MemoryPipeline, batched


class Beside:
    """A pipeline in memory and the oracle; both are told the same."""

    def __init__(self, pipeline: MemoryPipeline) -> None:
        self.pipeline = pipeline
        self.compiler = Compiler(pipeline.backend, pipeline.settings, "views")
        of = pipeline.settings.organisation
        self.organisation = Organisation(AS_OF, KEY, of.time_zone, of.currency, of.country)
        self._kept = self._keep_empty()

    def check(self, parts: Sequence[History]) -> None:
        """AssertionError tells what is not as the oracle says, of as little of the history as shows it."""
        found = self.found(parts)
        assert not found, "\n\n" + found

    def found(self, parts: Sequence[History]) -> str:
        """What is not as the oracle says: by increments after each part, and by a rebuild after all."""
        expected = recomputed(meant(parts), self.organisation)
        self.empty()
        for part in parts:
            self.apply(changes(part))
        by_increments = differences(expected, self.tables())
        self.rebuild()
        by_rebuild = differences(expected, self.tables())
        told_apart = _told_apart(by_increments, by_rebuild)
        return "\n\n".join(report(title, those, meant(parts)) for title, those in told_apart if those)

    def tables(self) -> Tables:
        """What the product made of it."""
        return {name: self.pipeline.rows(name) for name in KEYS}

    def rebuild(self) -> None:
        """Every table from all rows of its inputs, by the models' own queries."""
        connection = self.pipeline.connection
        for model in in_order():
            for name in model.inputs:
                view = f"CREATE OR REPLACE TEMP VIEW {input_view(name)} AS FROM {CONTRACTS[name].qualified}"
                connection.execute(view)
            compiled = self.compiler.compiled(model, AS_OF)
            query = compiled.query
            if compiled.accepted:
                connection.execute(f"CREATE OR REPLACE TEMP TABLE _flagged AS {query}")
                query = compiled.accepted
            connection.execute(f"TRUNCATE {model.contract.qualified}")
            connection.execute(f"INSERT INTO {model.contract.qualified} BY NAME SELECT * FROM ({query})")

    def empty(self) -> None:
        """The tables of an organisation without documents, as a rebuild makes them."""
        self.pipeline.clear()
        for place, kept in self._kept.items():
            self.pipeline.connection.execute(f"INSERT INTO {place} SELECT * FROM {kept}")

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

    def _keep_empty(self) -> dict[str, str]:
        """Copies of what a rebuild of nothing makes: recomputing it for each example would cost a third of it."""
        self.pipeline.clear()
        self.rebuild()
        kept = {}
        for contract in CONTRACTS.values():
            if self.pipeline.connection.execute(f"SELECT 1 FROM {contract.qualified} LIMIT 1").fetchall():
                kept[contract.qualified] = f"empty_{contract.layer}_{contract.table}"
                copied = f"CREATE OR REPLACE TEMP TABLE {kept[contract.qualified]} AS FROM {contract.qualified}"
                self.pipeline.connection.execute(copied)
        return kept


def _told_apart(by_increments: list[Difference], by_rebuild: list[Difference]) -> list[tuple[str, list[Difference]]]:
    """Whether the definition is another one, or only the increments are wrong."""
    seen = {str(difference) for difference in by_rebuild}
    only = [difference for difference in by_increments if str(difference) not in seen]
    return [("by increments and rebuild alike, or by the rebuild only", by_rebuild), ("by increments only", only)]

"""``Change`` records as columns: garbled text wrapped, versions computed and unchanged documents dropped in bulk.

Equal, row by row, to what ``change.version_of``, ``documents.wrap_garbled`` and ``change.drop_unchanged`` say; DuckDB
does the work, because a million documents leave no time for a Python step each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from event_pipeline.errors import PermanentError
from event_pipeline.sources.change import CHANGE_SCHEMA, KnownVersions, payload_hash
from event_pipeline.sources.documents import wrap_garbled
from event_pipeline.sources.text_blocks import LineBlock
from event_pipeline.sources.update_times import UPDATE_TIME_MACROS

UNREADABLE = "unreadable"
"""Collection of lines that are no record of any collection; their payload is the line as a JSON string."""

CLOCK_TOLERANCE_US = timedelta(days=1) // timedelta(microseconds=1)
"""A time this far after the file it stands in may come from an honest clock; beyond it the time is not believed."""

_MEMORY_LIMIT = "4GB"
VERSION = """lpad(coalesce(updated_us, observed_us)::VARCHAR, 17, '0') || '-'
    || coalesce(left(md5(payload), 16), 'gone')"""
"""SQL of ``change.version_of`` over the columns payload, updated_us and observed_us."""

VERSION_WITH_PART = f"""CASE WHEN updated_us IS NULL OR payload IS NULL OR coalesce(part, 0) = 0 THEN {VERSION}
    ELSE lpad(updated_us::VARCHAR, 17, '0') || '-g' || lpad(part::VARCHAR, 3, '0') || left(md5(payload), 12) END"""
"""The same, with the nanoseconds beyond the microsecond in the column part, as ``change`` describes it."""

_VERSION_OF = ["payload", "updated_us", "observed_us"]
_ROWS_IN_STEP = 2048
_GATHERED_BYTES = 64 * 1024 * 1024


class ColumnEngine:
    """A private in-memory DuckDB that computes over Arrow columns.

    It has the macros of ``update_times``.
    """

    def __init__(self) -> None:
        import duckdb

        config = {"threads": 2, "memory_limit": _MEMORY_LIMIT, "temp_directory": ""}
        self._connection = duckdb.connect(":memory:", config=config)
        self._connection.execute(UPDATE_TIME_MACROS)

    def run(self, sql: str, block: pa.Table, parameters: Mapping[str, object] | None = None) -> pa.Table:
        """The answer of a query over ``block``, in the block's order.

        Raises PermanentError when a block needs more memory than DuckDB is given.
        """
        import duckdb

        # Small batches let both threads work on one block.
        reader = pa.RecordBatchReader.from_batches(block.schema, block.to_batches(max_chunksize=_ROWS_IN_STEP))
        self._connection.register("block", reader)
        try:
            return self._connection.execute(sql, parameters).to_arrow_table()
        except duckdb.OutOfMemoryException:
            raise PermanentError(
                f"a block of {block.nbytes:,} bytes cannot be read within {_MEMORY_LIMIT} of memory: "
                "split or remove the largest documents of the file"
            ) from None
        finally:
            self._connection.unregister("block")

    def run_lines(self, sql: str, block: LineBlock, parameters: Mapping[str, object]) -> pa.Table:
        """The answer of a query over ``{block}``, whose column ``json`` is null for lines that are unfit to be parsed.

        Those are lines that are no JSON and lines nested too deeply.
        """
        import duckdb

        lines = pa.table({"line": block.lines, "too_deep": block.too_deep})
        # Asking each line first whether it is JSON would cost every file what only damaged ones need.
        trusting = "(SELECT CASE WHEN NOT too_deep THEN line END AS json FROM block)"
        try:
            return self.run(sql.format(block=trusting), lines, parameters)
        except (duckdb.InvalidInputException, UnicodeDecodeError):
            # DuckDB cuts the text it quotes in its error, at times within a character that then cannot be decoded.
            checking = "(SELECT CASE WHEN NOT too_deep AND json_valid(line) THEN line END AS json FROM block)"
            return self.run(sql.format(block=checking), lines, parameters)

    def changes(self, source: str, rows: pa.Table, too_deep: npt.NDArray[np.bool_] | None = None) -> pa.Table:
        """Changes in CHANGE_SCHEMA from the columns of ``change_rows``, which may bring their version.

        With ``too_deep`` the payloads are text from outside: each that is no JSON by itself, or is marked as nested too
        deeply, is wrapped as a JSON string.
        """
        if "version" not in rows.column_names:
            rows = self._with_versions(rows) if too_deep is None else self._checked(rows, too_deep)
        instant = pa.timestamp("us", tz="UTC")
        columns = [
            pa.repeat(pa.scalar(source), rows.num_rows),
            rows.column("collection"),
            rows.column("document_id"),
            rows.column("operation"),
            rows.column("payload"),
            rows.column("updated_us").cast(instant),
            rows.column("observed_us").cast(instant),
            rows.column("version"),
        ]
        return pa.table(columns, names=CHANGE_SCHEMA.names).cast(CHANGE_SCHEMA)

    def _with_versions(self, rows: pa.Table) -> pa.Table:
        versions = self.run(f"SELECT {VERSION} AS version FROM block", rows.select(_VERSION_OF))
        return rows.append_column("version", versions.column("version"))

    def _checked(self, rows: pa.Table, too_deep: npt.NDArray[np.bool_]) -> pa.Table:
        checked = self.run(
            f"SELECT json_valid(payload) AS valid, {VERSION} AS version FROM block", rows.select(_VERSION_OF)
        )
        garbled = too_deep | ~checked.column("valid").to_numpy().astype(np.bool_)
        if not garbled.any():
            return rows.append_column("version", checked.column("version"))
        mask = pa.array(garbled)
        payloads = rows.column("payload").combine_chunks()
        wrapped = pa.array([wrap_garbled(text) for text in payloads.filter(mask).to_pylist()], payloads.type)
        payloads = pc.call_function("replace_with_mask", [payloads, mask, wrapped])
        return self._with_versions(rows.set_column(rows.column_names.index("payload"), "payload", payloads))


def change_rows(
    collection: str,
    document_ids: Sequence[str] | pa.Array,
    payloads: pa.Array | None,
    observed_us: int,
) -> pa.Table:
    """Columns collection, document_id, operation, payload, updated_us, observed_us for documents seen at one instant.

    Without payloads they are tombstones. Times are microseconds since 1970.
    """
    count = len(document_ids)
    return pa.table(
        {
            "collection": pa.repeat(pa.scalar(collection), count),
            "document_id": pa.array(document_ids, pa.string()) if isinstance(document_ids, Sequence) else document_ids,
            "operation": pa.repeat(pa.scalar("delete" if payloads is None else "upsert"), count),
            "payload": pa.nulls(count, pa.large_string()) if payloads is None else payloads,
            "updated_us": pa.nulls(count, pa.int64()),
            "observed_us": pa.repeat(pa.scalar(observed_us, pa.int64()), count),
        }
    )


def unreadable_rows(
    block: LineBlock, unreadable: npt.NDArray[np.bool_], name_line: Callable[[int, str], str], observed_us: int
) -> pa.Table:
    """The marked lines as rows of the collection ``unreadable``; blank ones are no records and left out.

    ``name_line`` makes a document id of a line's number and the hash of its text.
    """
    texts = [text.strip(" \t\r\n") for text in block.lines.filter(pa.array(unreadable)).to_pylist()]
    numbers = (block.first_number + np.flatnonzero(unreadable)).tolist()
    lines = [(number, text) for number, text in zip(numbers, texts, strict=True) if text]
    names = [name_line(number, payload_hash(text)) for number, text in lines]
    payloads = pa.array([wrap_garbled(text) for _, text in lines], pa.large_string())
    return change_rows(UNREADABLE, names, payloads, observed_us)


def split_by_collection(rows: pa.Table) -> list[pa.Table]:
    """The rows of each collection, not copied where there is only one."""
    collections = rows.column("collection").unique()
    if len(collections) < 2:
        return [rows] if rows.num_rows else []
    return [
        rows.filter(pc.call_function("equal", [rows.column("collection"), collection])) for collection in collections
    ]


def drop_unchanged(changes: pa.Table, known: KnownVersions) -> pa.Table:
    """Changes of one collection without those that the lake already holds as the latest state.

    A change with the source's own update time is held already only when its version is; without one, its content
    decides, or else each read of an unchanged document would be a version.
    """
    if not changes.num_rows:
        return changes
    ids = changes.column("document_id").to_pylist()
    latest = known.of_ids(changes.column("collection")[0].as_py(), ids)
    if not latest:
        return changes
    before = pa.array([latest.get(document_id) for document_id in ids], pa.string())
    version = changes.column("version").combine_chunks()
    same_version = pc.call_function("equal", [before, version])
    content = pc.SliceOptions(start=18)
    same_content = pc.call_function(
        "equal",
        [pc.call_function("utf8_slice_codeunits", [text], content) for text in (before, version)],
    )
    has_no_time = changes.column("source_updated_at").combine_chunks().is_null()
    same = pc.call_function("or", [same_version, pc.call_function("and", [same_content, has_no_time])])
    return changes.filter(pc.call_function("invert", [same.fill_null(False)]))


class GatheredChanges:
    """Changes collected by collection until there are enough for a batch, or too many bytes to hold."""

    def __init__(self, batch_size: int) -> None:
        self._batch_size = batch_size
        self._tables: dict[str, pa.Table] = {}

    def add(self, changes: pa.Table) -> Iterator[pa.Table]:
        """Takes changes of one collection; yields the tables that are due, each of one collection."""
        if not changes.num_rows:
            return
        collection = changes.column("collection")[0].as_py()
        table = pa.concat_tables([self._tables.get(collection, CHANGE_SCHEMA.empty_table()), changes])
        full = table.num_rows - table.num_rows % self._batch_size
        for start in range(0, full, self._batch_size):
            yield table.slice(start, self._batch_size)
        self._tables[collection] = table.slice(full)
        if sum(held.nbytes for held in self._tables.values()) > _GATHERED_BYTES:
            yield from self.rest()

    def rest(self) -> Iterator[pa.Table]:
        """Yields what is left."""
        tables, self._tables = self._tables, {}
        yield from (table for table in tables.values() if table.num_rows)

"""Documents found in one stretch of an export: slices of the file and the bare values between them, as columns."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from event_pipeline.sources.text_blocks import as_text


@dataclass(frozen=True, slots=True)
class DocumentBlock:
    """Consecutive documents of one collection; ``payloads`` are slices of the file, not yet checked to be JSON.

    ``too_deep`` marks documents nested deeper than 200 levels; ``replaced`` counts those that had invalid bytes.
    """

    collection: str
    document_ids: list[str]
    payloads: pa.LargeStringArray
    too_deep: npt.NDArray[np.bool_]
    replaced: int


@dataclass(slots=True)
class FoundDocuments:
    """Documents of one stretch: bare values by their row, the others are the stretch's slices in order."""

    ids: list[str] = field(default_factory=list)
    bare: dict[int, bytes] = field(default_factory=dict)

    @property
    def sliced(self) -> int:
        """How many documents are slices."""
        return len(self.ids) - len(self.bare)

    def block(self, collection: str, slices: pa.LargeBinaryArray, is_deep: npt.NDArray[np.bool_]) -> DocumentBlock:
        """The documents in the order of the file; ``is_deep`` is by slice."""
        too_deep = np.zeros(len(self.ids), np.bool_)
        is_slice = np.ones(len(self.ids), np.bool_)
        is_slice[list(self.bare)] = False
        too_deep[is_slice] = is_deep
        if self.bare:
            order = np.empty(len(self.ids), np.int64)
            order[is_slice] = np.arange(self.sliced)
            order[~is_slice] = np.arange(self.sliced, len(self.ids))
            bare = pa.array(list(self.bare.values()), pa.large_binary())
            slices = pa.concat_arrays([slices, bare]).take(pa.array(order))
        payloads, replaced = as_text(slices)
        return DocumentBlock(collection, self.ids, payloads, too_deep, replaced)

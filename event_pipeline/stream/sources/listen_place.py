"""What one Listen target covers: a collection, or the subcollections of one name below a nested collection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from google.cloud.firestore_v1.types import Target

TARGET_ID = 1
_LOWEST_ID = "__id-9223372036854775808__"
"""The document id that Firestore sorts before every other."""


@dataclass(frozen=True, slots=True)
class ListenPlace:
    """``root`` is ``projects/P/databases/D/documents``; ``group`` names the subcollections of a nested collection."""

    root: str
    collection: str
    group: str | None = None

    @property
    def cursor_name(self) -> str:
        """The name of the cursor that holds this target's resume token."""
        return f"listen:{self.collection}/{self.group}" if self.group else f"listen:{self.collection}"

    @property
    def name(self) -> str:
        """Names the target itself: a token of another one must not be used for it."""
        return f"{self.root}/{self.collection}" + (f"/*/{self.group}" if self.group else "")

    def target(self, token: bytes | None) -> Target:
        """The target as Firestore takes it; ``token`` resumes it."""
        from google.cloud.firestore_v1.types import StructuredQuery, Target

        selector = StructuredQuery.CollectionSelector(
            collection_id=self.group or self.collection, all_descendants=self.group is not None
        )
        query: dict[str, Any] = {"from_": [selector]}
        if self.group is not None:
            # Only the group's part below this collection, by the range that its documents' names lie in.
            order = StructuredQuery.Order(field=StructuredQuery.FieldReference(field_path="__name__"))
            query |= {"order_by": [order], "start_at": self._bound(""), "end_at": self._bound("0")}
        query_target = Target.QueryTarget(parent=self.root, structured_query=StructuredQuery(**query))
        # An empty token would count as a wish to resume.
        resumed: dict[str, Any] = {"resume_token": token} if token else {}
        return Target(query=query_target, target_id=TARGET_ID, **resumed)

    def document_id(self, name: str) -> str | None:
        """The id in the lake of the document with this full name; None when it is not of this place."""
        before = f"{self.root}/{self.collection}/"
        if not name.startswith(before):
            return None
        parts = name[len(before) :].split("/")
        if self.group is None:
            return parts[0] if len(parts) == 1 else None
        return f"{parts[0]}/{parts[2]}" if len(parts) == 3 and parts[1] == self.group else None

    def key_and_parent(self, document_id: str) -> tuple[str, str | None]:
        """The document's own key, and in a nested collection the key of the event it is below."""
        if self.group is None:
            return document_id, None
        parent, _, key = document_id.partition("/")
        return key, parent

    def _bound(self, suffix: str) -> Any:
        from google.cloud.firestore_v1.types import Cursor, Value

        name = f"{self.root}/{self.collection}{suffix}/{_LOWEST_ID}/{self.group}/{_LOWEST_ID}"
        return Cursor(values=[Value(reference_value=name)], before=True)

"""Since when a document has said a word without a break, whatever else of it changed meanwhile."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from event_pipeline.models.database_functions import extract_texts


def mark_runs(raw: ir.Table, paths: list[str], words: list[str]) -> ir.Table:
    """The first of the versions of each document since which all say one of these words at the first path.

    With the texts of that version at all of the paths. A document of one version has said so since it was written, so
    only those with more are parsed.
    """
    counted = raw.group_by("document_id").agg(versions=raw.count())
    history = raw.semi_join(counted.filter(counted.versions > 1), "document_id")
    texts = extract_texts(history.payload, ibis.literal(paths, type="array<string>"))
    read = history.select(
        "document_id", "version", texts=ibis.ifelse(history.operation == "upsert", texts, ibis.null("array<string>"))
    )
    said = read.mutate(_is_said=read.texts[0].strip().lower().isin(words).fill_null(False))
    other = said.filter(~said._is_said).group_by("document_id").agg(_other=said.version.max())
    later = said.filter(said._is_said).left_join(other, "document_id").drop("document_id_right")
    later = later.filter((later.version > later._other).fill_null(True))
    return later.group_by("document_id").agg(texts=later.texts.argmin(later.version), version=later.version.min())

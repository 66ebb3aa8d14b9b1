"""Documents that are hostile as a whole, by the door they come in through, and what must become of each."""

from __future__ import annotations

from event_pipeline_tests.hostile.corpus_documents import BROKEN_JSON, CHANGES, SHAPES
from event_pipeline_tests.hostile.corpus_lines import IDS, LINES
from event_pipeline_tests.hostile.corpus_records import INBOX

CORPUS = [*SHAPES, *BROKEN_JSON, *IDS, *LINES, *INBOX, *CHANGES]

"""Each hostile document has the fate it must have, all of them loaded at once, ordinary ones between them whole."""

from __future__ import annotations

import json
from typing import Any

import pytest

from event_pipeline.sources.change import Change
from event_pipeline.sources.documents import encode_document
from event_pipeline_tests.hostile.case import MARKER, ORDINARY, Case
from event_pipeline_tests.hostile.corpus import CORPUS
from event_pipeline_tests.hostile.loading import Drop, Fate, Markers, fates, load
from event_pipeline_tests.warehouse.documents import SEEN, registration
from event_pipeline_tests.warehouse.pipelines import MemoryPipeline

CASES = {case.name: case for case in CORPUS}


class Loaded:
    """The corpus in a warehouse."""

    def __init__(self, pipeline: MemoryPipeline) -> None:
        self.markers = Markers()
        self.of_case = {case.name: self.markers.next() for case in CORPUS}
        self.ordinary: list[str] = []
        drop = Drop()
        drop.exports["tree.json"] = self._tree().encode()
        drop.exports["mixed.ndjson"] = self._lines("line", self._ordinary_line).encode()
        drop.inbox["records.ndjson"] = self._lines("inbox", self._ordinary_scan).encode()
        self.failures = load(pipeline, drop)
        pipeline.commit(*(self._change(case) for case in CORPUS if case.door == "change"))
        pipeline.refresh()
        self.fates = fates(pipeline)

    def _text(self, case: Case) -> str:
        return case.text.replace(MARKER, self.of_case[case.name])

    def _next_ordinary(self) -> str:
        self.ordinary.append(self.markers.next())
        return self.ordinary[-1]

    def _tree(self) -> str:
        members = []
        for case in CORPUS:
            if case.door == "tree":
                marker = self._next_ordinary()
                members.append(f'"{self.of_case[case.name]}": {self._text(case)}')
                members.append(f'"{marker}": {ORDINARY.replace(MARKER, marker)}')
        return '{"registrations": {' + ",\n".join(members) + "}}"

    def _lines(self, door: str, ordinary: Any) -> str:
        lines = []
        for case in CORPUS:
            if case.door == door:
                lines += [self._text(case), ordinary(self._next_ordinary())]
        return "\n".join(lines)

    def _ordinary_line(self, marker: str) -> str:
        return json.dumps({"collection": "registrations", "id": marker, "data": {**registration(), "case": marker}})

    def _ordinary_scan(self, marker: str) -> str:
        fields = {"scanned_at": "2025-06-08T04:40:00Z", "scanner_id": marker}
        return json.dumps({"type": "scan", "qr_code_data": "x", **fields})

    def _change(self, case: Case) -> Change:
        marker = self.of_case[case.name]
        document = {**case.text, "case": marker} if isinstance(case.text, dict) else [marker, case.text]
        payload = encode_document(document)
        return Change.upsert("firestore", case.collection, marker, payload, SEEN)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return Loaded(MemoryPipeline(tmp_path_factory.mktemp("corpus")))


def fate_of(loaded: Loaded, marker: str) -> Fate:
    found = set(loaded.fates.get(marker, []))
    assert len(found) == 1, f"{len(found)} documents hold it"
    return found.pop()


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_document_has_its_fate(loaded: Loaded, name: str) -> None:
    case = CASES[name]
    fate = fate_of(loaded, loaded.of_case[name])
    assert fate.is_kept_once
    assert fate.table == ("unreadable" if case.outcome == "unreadable" else case.collection)
    assert fate.is_rejected is (case.outcome != "kept"), fate.rules
    if case.rule is not None:
        assert case.rule in fate.rules


def test_ordinary_documents_between_hostile_ones_are_whole(loaded: Loaded) -> None:
    assert len(loaded.ordinary) == len([case for case in CORPUS if case.door != "change"])
    for marker in loaded.ordinary:
        fate = fate_of(loaded, marker)
        assert (fate.times_staged, fate.rules) == (1, frozenset()), marker


def test_no_case_keeps_a_file_from_loading(loaded: Loaded) -> None:
    assert loaded.failures == []

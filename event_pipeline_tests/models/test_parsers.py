"""Texts as people and apps write them, read by the database itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_pipeline.contracts.contract import Column
from event_pipeline.models.locale import Locale
from event_pipeline.models.parsers import reading
from event_pipeline_tests.effort import scaled
from event_pipeline_tests.models.reading import INDIA, Texts, whole

KOLKATA = ZoneInfo("Asia/Kolkata")
anything = st.text(max_size=40)
_FIRST, _MICROSECONDS = datetime(2000, 1, 2, tzinfo=UTC), 101 * 365 * 86_400 * 10**6
instants = st.integers(0, _MICROSECONDS).map(lambda after: _FIRST + timedelta(microseconds=after))


@cache
def texts_of(parser: str, locale: Locale = INDIA, allowed: tuple[str, ...] = ()) -> Texts:
    column = Column("value", "string", "", parser=parser, allowed=allowed)  # pyright: ignore[reportArgumentType]
    return Texts(whole(reading(column, locale)))


def read(parser: str, text: str | None, locale: Locale = INDIA) -> object:
    (value,) = texts_of(parser, locale).read([text])
    return value


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-06-08T02:55:00.000Z", "2025-06-08T02:55:00"),
        ("2025-06-08T02:55:00Z", "2025-06-08T02:55:00"),
        ("2025-06-08T02:55:00z", "2025-06-08T02:55:00"),
        ("2025-06-08 02:55:00 UTC", "2025-06-08T02:55:00"),
        ("2025-06-08 02:55:00 GMT", "2025-06-08T02:55:00"),
        ("2025-06-08T02:55:00.123456Z", "2025-06-08T02:55:00.123456"),
        ("2025-06-08T08:25:00+05:30", "2025-06-08T02:55:00"),
        ("2025-06-08T08:25:00+0530", "2025-06-08T02:55:00"),
        ("2025-06-08 08:25:00.5 +05:30", "2025-06-08T02:55:00.5"),
        ("2025-06-08T04:55:00+02", "2025-06-08T02:55:00"),
        ("2025-06-07T21:55:00-05:00", "2025-06-08T02:55:00"),
        ("2025-06-08T08:25:00", "2025-06-08T02:55:00"),
        ("2025-06-08 08:25", "2025-06-08T02:55:00"),
        ("2025-06-08", "2025-06-07T18:30:00"),
        ("  2025-06-08T02:55:00.000Z\n", "2025-06-08T02:55:00"),
        ("1749351300", "2025-06-08T02:55:00"),
        ("1749351300.25", "2025-06-08T02:55:00.25"),
        ("1749351300000", "2025-06-08T02:55:00"),
        ("1749351300000.0", "2025-06-08T02:55:00"),
        ('{"_seconds":1749351300,"_nanoseconds":123456789}', "2025-06-08T02:55:00.123456"),
        ('{"seconds":1749351300,"nanoseconds":5000000}', "2025-06-08T02:55:00.005"),
        ('{"seconds":"1749351300"}', "2025-06-08T02:55:00"),
        ('{"seconds":"1749351300","nanos":123456789}', "2025-06-08T02:55:00.123456"),
        ('{"nanoseconds":5000000,"seconds":1749351300}', "2025-06-08T02:55:00.005"),
        ('{"__datatype__":"timestamp","value":{"_seconds":1749351300,"_nanoseconds":0}}', "2025-06-08T02:55:00"),
        ('{"timestampValue":"2025-06-08T02:55:00.123456789Z"}', "2025-06-08T02:55:00.123456"),
        ('{"timestampValue": "2025-06-08T08:25:00+05:30"}', "2025-06-08T02:55:00"),
        ("2025-06-08 02:55:00.123456 UTC", "2025-06-08T02:55:00.123456"),
        ("2025-06-08T02:55:00.123456789Z", "2025-06-08T02:55:00.123456"),
        ("2025-06-08 02:55:00.123456789 UTC", "2025-06-08T02:55:00.123456"),
        ("2025-06-08T08:25:00.123456789+05:30", "2025-06-08T02:55:00.123456"),
        ("1749351300123456", "2025-06-08T02:55:00.123456"),
        ("1749351300123456789", "2025-06-08T02:55:00.123456"),
        ("1.7493513E12", "2025-06-08T02:55:00"),
        ("1.7493513e+9", "2025-06-08T02:55:00"),
        ("Sun, 08 Jun 2025 02:55:00 GMT", "2025-06-08T02:55:00"),
        ("Sun, 8 Jun 2025 08:25:00 +0530", "2025-06-08T02:55:00"),
        ("8 Jun 2025 08:25:00 +0530", "2025-06-08T02:55:00"),
        ("Sun Jun 08 2025 08:25:00 GMT+0530 (India Standard Time)", "2025-06-08T02:55:00"),
        ("June 8, 2025 at 8:25:00\u202fAM UTC+5:30", "2025-06-08T02:55:00"),
        ("Sun Jun 08 2025 08:25:00", "2025-06-08T02:55:00"),
        ("2025-06-08T08:25+05:30", "2025-06-08T02:55:00"),
        ("2025-06-08T02:55:00,5Z", "2025-06-08T02:55:00.5"),
        ("20250608T025500Z", "2025-06-08T02:55:00"),
        ("2025-06-08 02:55:00 +0000 UTC", "2025-06-08T02:55:00"),
        ("8 Jun 2025", "2025-06-07T18:30:00"),
        ("8th June 2025", "2025-06-07T18:30:00"),
        ("June 8, 2025", "2025-06-07T18:30:00"),
        ("Sunday, June 8, 2025 8:25 AM", "2025-06-08T02:55:00"),
        ("08-Jun-25 8:25 pm", "2025-06-08T14:55:00"),
        ("8/6/2025 8:25 AM", "2025-06-08T02:55:00"),
        ("8/6/2025, 8:25 am", "2025-06-08T02:55:00"),
        ("8/6/2025, 8:25:00 a.m.", "2025-06-08T02:55:00"),
        ("8/6/2025 8:25:00PM", "2025-06-08T14:55:00"),
        ("08.06.2025 20:25", "2025-06-08T14:55:00"),
        ("8/6/25, 8:25 am", "2025-06-08T02:55:00"),
        ("8/6/2025, 20:25", "2025-06-08T14:55:00"),
        ("2025-06-08 8:25 PM", "2025-06-08T14:55:00"),
        ('{"__time__":"2025-06-08T02:55:00.000Z"}', "2025-06-08T02:55:00"),
        ('{"$date":1749351300000}', "2025-06-08T02:55:00"),
        ('{"$date":{"$numberLong":"1749351300000"}}', "2025-06-08T02:55:00"),
        ('{"value":"2025-06-08T02:55:00Z","type":"timestamp"}', "2025-06-08T02:55:00"),
        ('{"value":1749351300000, "type":"timestamp"}', "2025-06-08T02:55:00"),
        ("2025-06-08T24:00:00", "2025-06-08T18:30:00"),
        ("8/6/2025, 0:25:00 am", None),
        ("8 Jun", None),
        ("8/6/2025 (day or month first?)", None),
        ("31 Jun 2025", None),
        ("8/6/2025 25:00", None),
        ("Jun 8 17:30", None),
        ("Sun, 31 Feb 2025 02:55:00 GMT", None),
        ("8/6/2025, 8:25:00 am", "2025-06-08T02:55:00"),
        ("8/6/2025, 8:25:00 AM", "2025-06-08T02:55:00"),
        ("8/6/2025, 8:25:00\u202fam", "2025-06-08T02:55:00"),
        ("8/6/2025, 8:25:00\u00a0pm", "2025-06-08T14:55:00"),
        ("08/06/2025, 20:25:00", "2025-06-08T14:55:00"),
        ("8/6/2025 20:25", "2025-06-08T14:55:00"),
        ("8/6/2025", "2025-06-07T18:30:00"),
        ("8-6-2025", "2025-06-07T18:30:00"),
        ("08-06-2025 20:25", "2025-06-08T14:55:00"),
        ("12/1/2025", "2025-01-11T18:30:00"),
    ],
)
def test_an_instant_is_read_however_it_is_written(text: str, expected: str | None) -> None:
    assert read("timestamp", text) == (utc(expected) if expected else None)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "N/A", "tomorrow", "2025-02-30", "2025-13-01", "31/2/2025", "2025-06-08T25:00:00Z", "0000-00-00",
        "0001-01-01T00:00:00Z", "1999-12-31T00:00:00Z", "9999-12-31T23:59:59Z", "infinity", "-infinity", "epoch",
        "290309-12-22 (BC) 00:00:00", "290309-12-22 (BC) 00:00:00Z", "290309-12-22 (BC) 00:00:00 UTC",
        "290309-12-22 (BC) 00:00:00+05:30", "294247-01-10 04:00:54", "294247-01-10 04:00:54.7-15:59",
        "99999999999999", "-1749351300", "1e400", "9" * 400, "true", "[1749351300]", "{}", '{"_seconds":99999999999}',
        "NaN", "1749351300" * 1000,
    ],
)  # fmt: skip
def test_what_names_no_plausible_instant_is_none(text: str) -> None:
    assert read("timestamp", text) is None


@pytest.mark.parametrize(
    ("texts", "at"),
    [
        (["2025-03-09 02:30:00", "9 Mar 2025 2:30 AM", "9/3/2025 2:30 AM"], "2025-03-09T07:30:00"),
        (["2025-11-02 01:30:00", "2 Nov 2025 1:30 AM", "2/11/2025, 1:30 am"], "2025-11-02T06:30:00"),
    ],
)
def test_a_time_that_clocks_skip_or_repeat_is_one_instant_however_written(texts: list[str], at: str) -> None:
    new_york = Locale("America/New_York", "USD", "US")
    assert texts_of("timestamp", new_york).read(texts) == [utc(at)] * len(texts)


@given(instants)
@settings(deadline=None, max_examples=scaled(50))
def test_every_way_of_writing_an_instant_means_the_same(at: datetime) -> None:
    whole_second = at.replace(microsecond=0)
    local = whole_second.astimezone(KOLKATA)
    written = {
        at.isoformat(): at,
        at.isoformat().replace("+00:00", "Z"): at,
        at.astimezone(KOLKATA).isoformat(): at,
        at.astimezone(KOLKATA).replace(tzinfo=None).isoformat(): at,
        at.astimezone(KOLKATA).isoformat().replace("+05:30", "+0530"): at,
        f"{local.day}/{local.month}/{local.year}, {local:%I:%M:%S}\u202f{local:%p}".lower(): whole_second,
        f"{local:%d/%m/%Y, %H:%M:%S}": whole_second,
    }
    if at >= datetime(2001, 9, 9, 2, tzinfo=UTC):
        milliseconds = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
        seconds = milliseconds // 1000
        written[str(milliseconds)] = at.replace(microsecond=at.microsecond // 1000 * 1000)
        written[str(seconds)] = whole_second
        written[f'{{"_seconds":{seconds},"_nanoseconds":{at.microsecond * 1000}}}'] = at
    assert texts_of("timestamp").read(list(written)) == list(written.values())


@pytest.mark.parametrize(
    ("text", "paise"),
    [
        ("150", 15_000), ("150.0", 15_000), ("₹150", 15_000), ("₹ 1,150.50", 115_050), ("Rs. 1,50,000", 15_000_000),
        ("Rs150", 15_000), ("rs 150", 15_000), ("150/-", 15_000), ("INR 99.99", 9_999), ("₹\u00a0150", 15_000),
        ("0", 0), ("-20", -2_000), ("1.005", None), ("1.5e3", 150_000), (".5", 50), ("12.500000000000002", 1_250),
        ("99999999999", 9_999_999_999_900), ("9" * 12, None), ("9" * 30, None), ("9" * 400, None), ("1e400", None),
        ("-" + "9" * 30, None), ("1e-400", 0), ("free", None), ("N/A", None), ("", None), ("₹", None), ("NaN", None),
        ("Infinity", None), ("-Infinity", None), ("150 or 200", None), ("{}", None), ("١٥٠", 15_000), ("$150", None),
        ("₹१,५०,०००.५०", 15_000_050), ("１５０", 15_000), ("150 ₹", 15_000), ("150 INR", 15_000), ("12,50", 1_250),
        ("1,234", 123_400), ("1.234", None), ("1.230", 123), ("1.234,56", 123_456), ("1,23,456.78", 12_345_678),
        ("12,34,56", None), ("1,2345", None), ("1 234,50", 123_450), ("1'234.50", 123_450), ("1.234.567", 123_456_700),
        ("12 34", None), ("€150", None), ("USD 150", None), ("150 EUR", None), ("(150)", -15_000), ("15²", None),
        ("--150", None), ("-₹150", -15_000), ("₹-150", -15_000), ("Rs. 1,150/-", 115_000), ("Rs.150 only", None),
        ("0,123.45", None), ("150 + 50", None), ("1.2.3", None), ("1,000.000", 100_000), ("150.", 15_000), (",", None),
        ("½", None), ("150%", None), ("12:50", None), ("١٬٥٠٠٫٥٠", 150_050), ("1e-3", None),
    ],
)  # fmt: skip
def test_amounts_become_minor_units(text: str, paise: int | None) -> None:
    assert read("amount", text) == paise


@given(st.decimals(-(10**10), 10**10, places=4))
@settings(deadline=None, max_examples=scaled(50))
def test_amounts_are_exact_and_more_decimals_than_the_currency_has_are_refused(amount: Decimal) -> None:
    minor = amount * 100
    assert read("amount", f"{amount:f}") == (int(minor) if minor == int(minor) else None)


@pytest.mark.parametrize(("currency", "minor"), [("JPY", 1_150), ("INR", 115_000), ("KWD", 1_150_000)])
def test_a_currency_has_as_many_minor_units_as_its_country_mints(currency: str, minor: int) -> None:
    assert read("amount", f"{currency} 1,150", Locale("Asia/Tokyo", currency, "JP")) == minor


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("42", 42), ("42.0", 42), ("42.00", 42), (" 42 ", 42), ("-1", -1), ("+7", 7), ("0", 0), ("007", 7),
        ("5.5", None), ("0x10", None), ("1_000", None), ("1e3", None), ("9" * 19, None), ("9" * 400, None),
        ("many", None), ("", None), ("NaN", None), ("true", None), ("[1]", None), ("٣", None),
        ("999999999999999999", 10**18 - 1),
    ],
)  # fmt: skip
def test_whole_numbers_are_taken_only_as_whole_numbers(text: str, number: int | None) -> None:
    assert read("integer", text) == number


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("FALSE", False), (" Yes ", True), ("no", False), ("1", True), ("0", False), ("y", True),
     ("n", False), ("", None), ("maybe", None), ("2", None), ("[]", None), ("null", None)],
)  # fmt: skip
def test_booleans_are_read_from_the_usual_words(text: str, value: bool | None) -> None:
    assert read("boolean", text) is value


@pytest.mark.parametrize(
    ("text", "word"),
    [("not_attended", "not_attended"), ("Not Attended", "not_attended"), (" ATTENDED\n", "attended"),
     ("not-attended", "not_attended"), ("", None), ("whatever", "whatever"), ("   ", None)],
)  # fmt: skip
def test_choices_are_spelled_as_the_contract_spells_them(text: str, word: str | None) -> None:
    assert texts_of("choice", INDIA, ("attended", "not_attended")).read([text]) == [word]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("asha@example.org", "asha@example.org"),
        ("  Asha@Example.ORG ", "asha@example.org"),
        ("asha @example.org", "asha@example.org"),
        ("\u200basha@example.org\u00a0", "asha@example.org"),
        ("mailto:asha@example.org", "asha@example.org"),
        (" mailto:asha@example.org", "asha@example.org"),
        ("asha+robo@sub.example.co.in", "asha+robo@sub.example.co.in"),
        ("आशा@example.org", "आशा@example.org"),
        ("ASHA@MÜNCHEN.example", "asha@xn--mnchen-3ya.example"),
        ("asha@mu\u0308nchen.example", "asha@xn--mnchen-3ya.example"),
        ("asha@XN--MNCHEN-3YA.example", "asha@xn--mnchen-3ya.example"),
        ("Jos\u00e9@example.org", "jos\u00e9@example.org"), ("JOSE\u0301@example.org", "jos\u00e9@example.org"),
        ("STRASSE@example.org", "strasse@example.org"), ("stra\u00dfe@example.org", "strasse@example.org"),
        ("ａｓｈａ＠ｅｘａｍｐｌｅ．ｏｒｇ", "asha@example.org"), ("asha@example。org", "asha@example.org"),
        ("asha@example.org.", "asha@example.org"), ("MailTo:Asha@example.org", "asha@example.org"),
        ("asha@उदाहरण.भारत", "asha@xn--p1b6ci4b4b3a.xn--h2brj9c"), ("asha@\u3000example.org", "asha@example.org"),
        ("asha@ex\U0001f600.org", None), ("asha@-ü-.org", None), ("ash\u00ada@example.org", "asha@example.org"),
        ("Asha Rao <Asha@example.org>", "asha@example.org"), ('"Rao, Asha" <asha@example.org>', "asha@example.org"),
        ("<asha@example.org>", "asha@example.org"), ("'asha@example.org'", "asha@example.org"),
        ("mailto:asha@example.org?subject=hi", "asha@example.org"), ("Ａ <आशा@example.org>", "आशा@example.org"),
        ("asha@example.org,", "asha@example.org"), ("asha@example.org ;", "asha@example.org"),
        ("asha@a.org <asha@b.org>", None), ("asha@example..org", None), ("asha@example-.org", None),
        ("o'neil@example.org", "o'neil@example.org"), ("a.sha+x@gmail.com", "a.sha+x@gmail.com"),
        ("asha@example", None), ("asha.example.org", None), ("asha@@example.org", None), ("@example.org", None),
        ("asha@", None), ("a@b@example.org", None), ("N/A", None), ("", None), ("asha@a.org, b@b.org", None),
        ("<script>@example.org", None), ("x" * 65 + "@example.org", None), ("x" * 1_000_000, None),
    ],
)  # fmt: skip
def test_an_address_is_lower_case_without_what_cannot_be_seen(text: str, address: str | None) -> None:
    assert read("email", text) == address


@given(anything, st.sampled_from(["", " ", "\u00a0", "\u200b", "\t"]))
@settings(deadline=None, max_examples=scaled(50))
def test_reading_an_address_again_changes_nothing(text: str, space: str) -> None:
    once = texts_of("email").read([text + "@example.org", space + text + space + "@EXAMPLE.org"])
    assert texts_of("email").read(once) == once
    assert once[0] == once[1]


@pytest.mark.parametrize(
    ("parser", "text", "value"),
    [
        ("text", "  two  words \n", "two  words"), ("text", "", None), ("text", " \t\r\n ", None),
        ("text", "[draft]", "[draft]"),
        ("text", '{"a":1}', None), ("text", "[1,2]", None), ("text", "{curly", "{curly"), ("text", "42", "42"),
        ("verbatim", ' {"a":1} ', '{"a":1}'), ("json", '{"a":1}', '{"a":1}'), ("json", "[]", "[]"),
        ("json", "N/A", None), ("json", "42", None), ("json", '"text"', None),
        ("json", "[1,", None), ("json", "", None),
    ],
)  # fmt: skip
def test_texts_and_structures_are_told_apart(parser: str, text: str, value: str | None) -> None:
    assert read(parser, text) == value


@given(st.lists(anything | st.from_regex(r"[-+0-9.eE:/ TZ,]{0,30}", fullmatch=True), min_size=1, max_size=30))
@settings(deadline=None, max_examples=scaled(30))
def test_no_text_makes_a_reading_fail(texts: list[str]) -> None:
    for parser in ("text", "verbatim", "email", "phone", "timestamp", "amount", "integer", "boolean", "choice", "json"):
        plain = [text.replace("\x00", "") for text in texts]
        assert len(texts_of(parser).read(plain)) == len(texts)


def test_a_missing_text_is_a_missing_value() -> None:
    for parser in ("text", "verbatim", "email", "phone", "timestamp", "amount", "integer", "boolean", "choice", "json"):
        assert read(parser, None) is None

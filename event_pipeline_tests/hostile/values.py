"""Values that no field expects, as JSON text: some are no JSON at all, which a document in a file may well hold."""

from __future__ import annotations

import json


def nested(depth: int, kind: str = "[") -> str:
    """Arrays or objects so deep in each other."""
    return "[" * depth + "]" * depth if kind == "[" else '{"a":' * depth + "1" + "}" * depth


def _texts(**texts: str) -> dict[str, str]:
    return {name: json.dumps(text) for name, text in texts.items()}


TYPES = {
    "null": "null",
    "true": "true",
    "false": "false",
    "empty_map": "{}",
    "empty_list": "[]",
    "map": '{"a": 1}',
    "list": '["a", 1]',
    "list_of_nulls": "[null, null]",
    "map_with_empty_key": '{"": {"": ""}}',
    "deep_list": nested(150),
    "too_deep_list": nested(400),
    "too_deep_map": nested(400, "{"),
    "wide_list": json.dumps([0] * 3_000),
}

NUMBERS = {
    "zero": "0",
    "minus_zero": "-0.0",
    "minus_one": "-1",
    "half": "0.5",
    "not_quite_one": "0.99999999999999999999",
    "int32": "2147483648",
    "int64": "9223372036854775808",
    "uint64": "18446744073709551616",
    "hundred_digits": "9" * 100,
    "minus_hundred_digits": "-" + "9" * 100,
    "float_maximum": "1.7976931348623157e308",
    "beyond_float": "1e400",
    "tiny": "1e-400",
    "exponent": "15e1",
    "bare_nan": "NaN",
    "bare_infinity": "-Infinity",
    "bare_word": "undefined",
    "leading_zero": "007",
    "hex": "0x10",
    "plus": "+1",
}

TEXTS = _texts(
    empty="",
    blank=" \t\r\n ",
    long="x" * 30_000,
    null_word="null",
    nan_word="NaN",
    infinity_word="Infinity",
    object_word="[object Object]",
    bracket="{",
    json_in_text='{"a": [1, {"b": "c"}]}',
    quote="'",
    double_quote='"',
    backslashes="\\\\\\",
    percent="%s%n%x%d",
    path="../../../../etc/passwd",
    newline="a\nb\r\nc",
    comma="a,b;c\td",
    sql="'; DROP TABLE lake.raw.firebase_registrations; --",
    sql_union="1' UNION SELECT * FROM people.people --",
    sql_dollar="$$; DELETE FROM lake.quarantine.rows; $$",
    formula='=HYPERLINK("http://example.org","x")',
    formula_plus="+cmd|' /C calc'!A0",
    formula_at="@SUM(1+1)*cmd|' /C calc'!A0",
    html="<script>alert(1)</script>",
    attribute='" onmouseover="alert(1)',
    template="{{ 7 * 7 }}{% import os %}",
    shell="$(id); `id`",
    jndi="${jndi:ldap://x}",
    regex="(a+)+$",
    right_to_left="\u202egnp.exe\u202c",
    zero_width="\u200ba\u200db\ufeff",
    combining="e" + "\u0301" * 300,
    emoji="👩\u200d👩\u200d👧",
    astral="𝔘𝔫𝔦",
    arabic_digits="٠١٢٣",
    fullwidth="１２３",
    cyrillic="аsha@еxample.org",
    noncharacter="\uffff\ufffe",
    control="\x01\x02\x1b[31m\x7f",
    no_break="\xa0",
    line_separator="\u2028\u2029",
)

ESCAPES = {
    "nul": r'"a\u0000b"',
    "only_nul": r'"\u0000"',
    "escaped_backslash_u0000": r'"\\u0000"',
    "lone_high": r'"\ud800"',
    "lone_low": r'"x\udc00y"',
    "swapped_pair": r'"\udc00\ud800"',
    "bad_escape": r'"\x41"',
    "short_escape": r'"\u12"',
    "pair": r'"\ud83d\ude00"',
    "raw_control": '"a\x01b"',
}

DATES = _texts(
    year_zero="0000-00-00",
    year_ten_thousand="10000-01-01T00:00:00Z",
    far="9999-12-31T23:59:59Z",
    before_christ="-0044-03-15",
    far_clock="290000-01-01",
    no_such_day="2025-02-30T00:00:00Z",
    month_thirteen="2025-13-01",
    american="13/25/2025",
    hour_25="2025-06-08T25:00:00Z",
    leap_second="2025-06-30T23:59:60Z",
    wide_offset="2025-06-08T00:00:00+99:99",
    two_zones="2025-06-08T00:00:00ZZ",
    named_zone="2025-06-08 00:00:00 Mars/Olympus",
    infinity="infinity",
    epoch="epoch",
    now="now",
    today="today",
    seconds="1749357000",
    milliseconds="1749357000000",
    microseconds="1749357000000000",
    eleven_digits="99999999999",
    fourteen_digits="99999999999999",
    dotted="1749357000.5.5",
    indian="8/6/2025, 2:55:00 am",
    narrow="8/6/2025, 2:55:00\u202fam",
    only_time="10:00",
    week="2025-W23",
    ordinal="2025-159",
    negative="-1749357000",
) | {
    "firestore_map": '{"_seconds": 1749357000, "_nanoseconds": 999999999}',
    "huge_map": '{"seconds": 99999999999}',
    "overflowing_map": '{"seconds": 999999999999999999999999}',
    "text_map": '{"seconds": "1749357000"}',
    "negative_map": '{"seconds": -1749357000, "nanoseconds": -1}',
}

CONTACTS = _texts(
    no_at="asha.example.org",
    two_ats="a@b@example.org",
    spaces=" A SHA @ Example.ORG ",
    quoted='"a b"@example.org',
    mailto="mailto:asha@example.org",
    bracketed="Asha <asha@example.org>",
    two_addresses="a@example.org, b@example.org",
    no_domain="asha@",
    address_literal="asha@[127.0.0.1]",
    long_local="a" * 300 + "@example.org",
    idn="asha@उदाहरण.भारत",
    dots="a..b@example..org",
    newline_header="a@example.org\nBcc: b@example.org",
    phone_text="call me",
    short="12345",
    phone_many="9" * 400,
    phone_plus="++91 98765 43210",
    phone_extension="+91 98765 43210 ext. 5",
    phone_letters="98765 HELLO",
    phone_zeros="0000000000",
    phone_devanagari="९८७६५४३२१०",
    phone_two="9876543210 / 9123456780",
)

AMOUNTS = _texts(
    rupees="₹1,150.50",
    rs="Rs. 150/-",
    minus="-150",
    parenthesised="(150)",
    scientific="1e3",
    many_dots="1.2.3",
    separators="1,,5,0",
    dollars="$150",
    huge="9" * 40,
    tiny_fraction="0." + "0" * 40 + "1",
    fraction="150.999",
    spaced="1 5 0",
)

HOSTILE_VALUES: dict[str, str] = {
    f"{group}-{name}": text
    for group, values in {
        "type": TYPES,
        "number": NUMBERS,
        "text": TEXTS,
        "escape": ESCAPES,
        "date": DATES,
        "contact": CONTACTS,
        "amount": AMOUNTS,
    }.items()
    for name, text in values.items()
}
"""JSON text by name."""

"""The few database functions Ibis has no method for, declared once with their types."""

from __future__ import annotations

from typing import Any

import ibis


def _builtin(name: str, arguments: tuple[str, ...], result: str) -> Any:
    """A function of the database; Ibis takes its arity from a Python signature, of which there are two here."""
    if len(arguments) == 1:
        return ibis.udf.scalar.builtin(_one, name=name, signature=(arguments, result))
    return ibis.udf.scalar.builtin(_two, name=name, signature=(arguments, result))


def _one(first: Any) -> Any: ...  # pyright: ignore[reportUnusedParameter]


def _two(first: Any, second: Any) -> Any: ...  # pyright: ignore[reportUnusedParameter]


json_valid = _builtin("json_valid", ("string",), "boolean")
"""Whether the text is JSON."""

json_array_length = _builtin("json_array_length", ("string",), "int64")
"""Items of a JSON list; null for anything else that is JSON."""

extract_texts = _builtin("json_extract_string", ("string", "array<string>"), "array<string>")
"""Many paths of one JSON document in one parse: a list in the order of the paths."""

extract_text = _builtin("json_extract_string", ("string", "string"), "string")
"""One path of a JSON document as text."""

extract_list = _builtin("json_extract_string", ("string", "string"), "array<string>")
"""The texts at a path with a wildcard, as a list."""

json_keys = _builtin("json_keys", ("string",), "array<string>")
"""The keys of a JSON object."""

merge_json = _builtin("json_merge_patch", ("string", "string"), "json")
"""A JSON object with the entries of another one."""

read_clock = _builtin("timezone", ("string", "timestamp"), "timestamp('UTC')")
"""The instant at which the clocks of that zone showed this time."""

local_clock = _builtin("timezone", ("string", "timestamp('UTC')"), "timestamp")
"""What the clocks of that zone showed at this instant."""

clock_micros = _builtin("epoch_us", ("timestamp",), "int64")
"""Microseconds since 1970 of a time without a zone, as if it were UTC; null for infinity."""

instant_of_micros = _builtin("make_timestamptz", ("int64",), "timestamp('UTC')")
"""The instant so many microseconds after 1970; a cast would ask the rules of the session's zone for every row."""

try_strptime = _builtin("try_strptime", ("string", "array<string>"), "timestamp")
"""The time that a text gives in the first format that fits, or null."""

sha256 = _builtin("sha256", ("string",), "string")
"""SHA-256 of the text's UTF-8, as hex."""

list_dot_product = _builtin("list_dot_product", ("array<float64>", "array<float64>"), "float64")
"""The sum of the products of two lists' items; the lists must be of one length."""

nfc_normalize = _builtin("nfc_normalize", ("string",), "string")
"""The text in Unicode's composed form."""

strip_accents = _builtin("strip_accents", ("string",), "string")
"""The text without combining marks."""

sorted_words = _builtin("list_sort", ("array<string>",), "array<string>")
"""The texts of a list by their code points."""

joined_words = _builtin("array_to_string", ("array<string>", "string"), "string")
"""The texts of a list with that separator between them."""

to_base = _builtin("to_base", ("int64", "int64"), "string")
"""The number in that base, upper case."""

connection_variable = _builtin("getvariable", ("string",), "string")
"""A value set on the connection, so that it never stands in a query's text."""

python_name_key = _builtin("python_name_key", ("string",), "string")
"""``names.key_of_name``. A function of Python is slow: it is for the few texts the database cannot read."""

python_email = _builtin("python_email", ("string",), "string")
"""``emails.fold_email``."""

python_phone = _builtin("python_phone", ("string", "string"), "string")
"""``phones.phone_number`` of a text in a country."""

python_amount = _builtin("python_amount", ("string", "string"), "string")
"""``amounts.amount_minor`` of a text; the second gives currency and country, with a space between."""

python_amount_refusal = _builtin("python_amount_refusal", ("string", "string"), "string")
"""``amounts.refusal`` of a text in a writing as for ``python_amount``."""

python_instant = _builtin("python_instant", ("string", "string"), "int64")
"""``written_dates.instant_micros`` of a text in a time zone; 0 when the text is no date."""

python_members = _builtin("python_members", ("string", "string"), "int64")
"""``members.count_members`` of a list in JSON, besides the lead that the second gives in JSON."""

json_type = _builtin("json_type", ("string", "string"), "string")
"""The kind of JSON value at a path."""

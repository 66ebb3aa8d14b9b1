"""Phone numbers to E.164, by the rules of the ``phonenumbers`` library and its metadata."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import ibis
import ibis.expr.types as ir

from event_pipeline.models.database_functions import python_phone

USUAL = r"^[\s(]*\+?[\d\s().\-/\x{a0}\x{2010}-\x{2015}\x{202f}]+$"
"""Digits with the signs that people put between them."""
PUNCTUATION = r"[\s().\-/\x{a0}\x{2010}-\x{2015}\x{202f}]"
_DECIMALS = r"^\s*\+?\d+\.0+\s*$"
_FLOAT = re.compile(r"^(\+?\d+)\.0+$")
_EXPONENT = re.compile(r"^(\d)(?:\.(\d+))?[eE]\+?(\d{1,2})$")
_ABROAD = re.compile("00[1-9]")
_SECOND = re.compile(r";(?!\s*(?:ext|isub|phone-context)=)\D*\d{5}")
"""A second number after a semicolon, of which the library would read the first alone."""
_MOST_ZEROS = 2
"""So many zeros at the end a spreadsheet's exponent may stand for; more are digits that it cut off."""
_LONGEST = 250


def compact_number(text: ir.StringValue) -> ir.StringValue:
    """The number in ASCII digits without spaces, dashes, dots and brackets; an international prefix 00 becomes +.

    What else it holds stays, for ``phone_number`` to read: letters, extensions, decimals, digits of other scripts.
    """
    is_usual = text.re_search(USUAL) & ~text.re_search(_DECIMALS)
    tidied = ibis.ifelse(is_usual, text.re_replace(PUNCTUATION, ""), text.strip())
    digits = ibis.ifelse(text.re_search(r"^\+?\d+$"), text, tidied)
    return digits.re_replace(r"^00([1-9])", r"+\1").nullif("")


def e164(compact: ir.StringValue, country: str) -> ir.StringValue:
    """The compact number in E.164, or null when it is none; without a country code it is read in ``country``.

    Numbers of the home country are matched by its numbering plan inside the database; the others go to the library.
    """
    home = _home(country)
    national = ibis.cases(
        (
            compact.re_search(rf"^\+{home.calling_code}{home.prefix}{home.pattern}$"),
            _strip(compact, rf"^\+{home.calling_code}{home.prefix}"),
        ),
        (compact.re_search(rf"^{home.prefix}{home.pattern}$"), _strip(compact, rf"^{home.prefix}")),
        (
            compact.re_search(rf"^{home.calling_code}{home.prefix}{home.pattern}$"),
            _strip(compact, rf"^{home.calling_code}{home.prefix}"),
        ),
        else_=ibis.null("string"),
    )
    # The prefix is optional, so a number that is whole without stripping must not lose its first digit.
    whole = ibis.ifelse(compact.re_search(rf"^{home.pattern}$"), compact, national)
    return ibis.ifelse(
        whole.notnull(), f"+{home.calling_code}" + whole, python_phone(compact, ibis.literal(country)).nullif("")
    )


def phone_number(text: str, country: str) -> str:
    """The number in E.164, empty when it is none: digits of every script, ``tel:``, extensions, trunk zeros.

    A spreadsheet's float is the number it stands for, as long as its exponent hides no digits.
    """
    import phonenumbers

    if len(text) > _LONGEST or text.lstrip().startswith("++") or _SECOND.search(text):
        return ""
    plain = _plain(text)
    for candidate in (plain, "+" + plain[2:] if _ABROAD.match(plain) else None):
        try:
            number = phonenumbers.parse(candidate, country) if candidate else None
        except phonenumbers.NumberParseException:
            continue
        if number is not None and phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return ""


def _plain(text: str) -> str:
    """ASCII digits and signs, without what cannot be seen, and floats written out."""
    shown = (char for char in text if unicodedata.category(char) != "Cf")
    ascii_digits = "".join(str(unicodedata.decimal(char, char)) for char in shown).replace("\uff0b", "+")
    bare = ascii_digits.strip().lstrip("'\u2018\u2019`=\"").strip()
    if found := _FLOAT.match(bare):
        return found[1]
    if found := _EXPONENT.match(bare):
        fraction = found[2] or ""
        zeros = int(found[3]) - len(fraction)
        return found[1] + fraction + "0" * zeros if 0 <= zeros <= _MOST_ZEROS else ""
    return bare


def _strip(text: ir.StringValue, pattern: str) -> ir.StringValue:
    return text.re_replace(pattern, "")


class _Home:
    """The home country's calling code, optional national prefix and numbering plan, as regular expressions."""

    def __init__(self, country: str) -> None:
        import phonenumbers

        metadata = phonenumbers.PhoneMetadata.metadata_for_region(country)
        if metadata is None or metadata.general_desc is None:
            raise ValueError(f"no phone numbering plan is known for country {country}")
        plans = [
            description.national_number_pattern
            for description in (
                metadata.fixed_line, metadata.mobile, metadata.toll_free, metadata.premium_rate, metadata.shared_cost,
                metadata.personal_number, metadata.voip, metadata.pager, metadata.uan, metadata.voicemail,
            )
            if description is not None and description.national_number_pattern not in (None, "NA")
        ]  # fmt: skip
        self.calling_code = str(metadata.country_code)
        self.prefix = f"(?:{metadata.national_prefix})?" if metadata.national_prefix else ""
        self.pattern = "(?:" + "|".join(f"(?:{_flat(plan)})" for plan in plans) + ")"


@cache
def _home(country: str) -> _Home:
    return _Home(country)


def _flat(pattern: str) -> str:
    """The metadata's pattern on one line."""
    return "".join(pattern.split())

"""Phone numbers to E.164 inside the database, by the rules of the ``phonenumbers`` library's own metadata."""

from __future__ import annotations

from functools import cache

import ibis
import ibis.expr.types as ir

_PUNCTUATION = r"[\s().\-/\x{a0}\x{2010}-\x{2015}\x{202f}]"
# Digits of the scripts that keyboards of the region offer, and the full-width ones.
_ZEROS = (0x660, 0x6F0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xFF10)
_SCRIPT_DIGITS = "".join(chr(zero + digit) for zero in _ZEROS for digit in range(10)) + "＋"
_ASCII_DIGITS = "0123456789" * len(_ZEROS) + "+"


def compact_number(text: ir.StringValue) -> ir.StringValue:
    """The number in ASCII digits without spaces, dashes, dots and brackets; an international prefix 00 becomes +."""
    tidied = text.re_replace(_PUNCTUATION, "").translate(_SCRIPT_DIGITS, _ASCII_DIGITS)
    digits = ibis.ifelse(text.re_search(r"^\+?\d+$"), text, tidied)
    return digits.re_replace(r"^00", "+").nullif("")


def e164(compact: ir.StringValue, country: str) -> ir.StringValue:
    """The compact number in E.164, or null when it is none; without a country code it is read in ``country``.

    Numbers of the home country must match its full numbering plan; others their calling code and possible lengths.
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
    foreign = ibis.ifelse(compact.re_search(_foreign_pattern(country)), compact, ibis.null("string"))
    return ibis.coalesce(f"+{home.calling_code}" + whole, foreign)


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


@cache
def _foreign_pattern(country: str) -> str:
    """``+`` and every other calling code with the digits it allows, as one alternation."""
    import phonenumbers

    home = str(phonenumbers.country_code_for_region(country))
    options = []
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        if str(code) == home:
            continue
        lengths: set[int] = set()
        for region in regions:
            metadata = (
                phonenumbers.PhoneMetadata.metadata_for_nongeo_region(code)
                if region == "001"
                else phonenumbers.PhoneMetadata.metadata_for_region(region)
            )
            if metadata is not None and metadata.general_desc is not None:
                lengths.update(metadata.general_desc.possible_length)
        if lengths:
            options.append(f"{code}\\d{{{min(lengths)},{max(lengths)}}}")
    return r"^\+(?:" + "|".join(options) + ")$"

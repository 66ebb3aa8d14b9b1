"""E-mail addresses as they are compared: one person's spellings of an address become one text."""

from __future__ import annotations

import re
import unicodedata

import ibis
import ibis.expr.types as ir

from event_pipeline.models.database_functions import python_email

EMAIL = r"^[^\s@<>()\[\],;:\\\"]{1,64}@(?:[a-z0-9](?:[a-z0-9\-]*[a-z0-9])?\.)+[a-z][a-z0-9\-]{1,62}$"
"""An address in its compared form; RE2 and Python read it alike."""

INVISIBLE = (
    r"[\s\x{b}\x{a0}\x{ad}\x{61c}\x{1680}\x{180e}\x{2000}-\x{200f}\x{2028}-\x{202f}\x{205f}-\x{206f}\x{3000}\x{fe00}-\x{fe0f}"
    r"\x{feff}]+"
)
_INVISIBLE = re.compile(re.sub(r"\\x\{([0-9a-f]+)\}", lambda found: rf"\u{int(found[1], 16):04x}", INVISIBLE), re.ASCII)
UNTIDY = r"[^\x21-\x7e]|[.,;>\"']$|^(?i:mailto:)|^[<\"']"
"""What the address of most people does not have: white space, letters beyond ASCII, signs around it, a scheme."""

_NAMED = r"^[^<>@]*<([^<>]*)>$"
"""``Asha Rao <asha@example.org>``, as address books copy it."""
_BEFORE, _AFTER = r"^(?i:[\"']?mailto:|[\"'])", r"(?:[.,;\"']+|\?(?i:subject|body|cc|bcc)=.*)$"

_LONGEST = 400
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3002: ".", 0xFF61: "."}


def email_text(text: ir.StringValue) -> ir.StringValue:
    """A text as ``fold_email`` makes it comparable; null when nothing is left. Python is asked for non-ASCII alone."""
    shown = text.re_replace(INVISIBLE, "").re_replace(_NAMED, r"\1")
    tidied = shown.re_replace(_BEFORE, "").re_replace(_AFTER, "")
    is_ascii = ~tidied.re_search(r"[^\x00-\x7f]")
    folded = ibis.ifelse(is_ascii, tidied.lower(), python_email(tidied))
    return ibis.ifelse(text.re_search(UNTIDY), folded, text.lower()).nullif("")


def email(normal: ir.StringValue) -> ir.StringValue:
    """A comparable text when it is an address; null when it is none."""
    return ibis.ifelse(normal.re_search(EMAIL), normal, ibis.null("string"))


def fold_email(text: str) -> str:
    """An address as it is compared, the same in the database and wherever Python compares addresses.

    White space, what cannot be seen, a name before ``<...>``, ``mailto:``, quotes around it and dots, commas and
    semicolons at its end are left out; full-width signs become plain ones; what stands before the @ is composed (NFC)
    and case folded; the domain is its A-label, as DNS has it. A domain that IDNA does not allow stays as it is, so that
    it is no valid address.
    """
    shown = re.sub(_NAMED, r"\1", _INVISIBLE.sub("", text))
    bare = re.sub(_AFTER, "", re.sub(_BEFORE, "", shown))
    if bare.isascii() or len(bare) > _LONGEST:
        return bare.lower()
    composed = unicodedata.normalize("NFC", bare.translate(_WIDE)).rstrip(".")
    local, at, domain = composed.rpartition("@")
    folded = unicodedata.normalize("NFC", local.casefold())
    return folded + at + _ascii_domain(domain)


def _ascii_domain(domain: str) -> str:
    import idna

    if domain.isascii():
        return domain.lower()
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except UnicodeError:
        return domain.lower()

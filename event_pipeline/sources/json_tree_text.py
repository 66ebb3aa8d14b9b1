"""The text between the documents of an export: what an entry, an end and an unfinished entry look like.

Every repetition is possessive, so that hostile text costs time linear in its length.
"""

from __future__ import annotations

import json
import re

_SPACE = rb"[ \t\r\n]*+"
_TEXT = rb'(?:[^"\\]++|\\.)*+'
_STRING = rb'"' + _TEXT + rb'"'
_BARE = rb"[-+.\w]++"
_VALUE = rb"(?:([\[{])|(" + _STRING + rb"|" + _BARE + rb")(?=[ \t\r\n,\]}]))"
_COLON = _SPACE + rb":" + _SPACE
_PLAIN_KEY = rb'[^"\\\x00-\x1f\x80-\xff]*+'

ROOT = re.compile(_SPACE + rb"(\{|null)")
BLANK = re.compile(_SPACE + rb"\Z")
END = re.compile(_SPACE + rb"([\]}])")

MEMBER = re.compile(_SPACE + rb"(,?)" + _SPACE + rb'"(' + _TEXT + rb')"' + _COLON + _VALUE, re.DOTALL)
"""An entry of an object: comma, key, then the bracket that its value opens or the whole bare value."""

ELEMENT = re.compile(_SPACE + rb"(,?)" + _SPACE + rb"()" + _VALUE, re.DOTALL)
"""An entry of an array, with the same groups; the key is empty."""

PLAIN_MEMBER = re.compile(rb"," + _SPACE + rb'"(' + _PLAIN_KEY + rb')"' + _COLON + rb"[\[{]")
"""The usual entry: a key of ASCII without escapes and a value that opens a bracket."""

PLAIN_MEMBERS = re.compile(rb"(?:," + _SPACE + rb'"' + _PLAIN_KEY + rb'"' + _COLON + rb"[\[{])++")
"""A run of usual entries."""

BEGINNING = re.compile(
    _SPACE + rb",?" + _SPACE
    + rb"(?:" + _STRING + _SPACE + rb":?" + _SPACE + rb")?"
    + rb'(?:"' + _TEXT + rb"\\?|" + _STRING + rb"|" + _BARE + rb")?\Z",
    re.DOTALL,
)  # fmt: skip
"""Text that is no entry yet, but may become one when more of it is there."""

_SURROGATE = re.compile("[\ud800-\udfff]")


def key_text(key: bytes) -> str:
    """A key as text; one with escapes is decoded, one whose escapes are wrong stays as it is written."""
    text = bytes(key).decode("utf-8", "replace").replace("\x00", "�")
    if "\\" not in text:
        return text
    try:
        return _SURROGATE.sub("�", json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text

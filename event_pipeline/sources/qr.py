"""The app's QR checksum: proof that a scanned text was not garbled, nothing more (it has no key)."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa

from event_pipeline.contracts.door_scans import CODE_EDGES, ID_EDGES, QR_TYPE

__all__ = ["QR_TYPE", "QR_VERSION", "code_text", "id_text", "qr_checksum", "qr_checksums", "signed_text"]

QR_VERSION = "1.0"

_OF_RE2 = re.compile(r"\\x\{([0-9a-f]+)\}")

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_WORD = 0xFFFFFFFF


def signed_text(registration_id: str, event_id: str, email: str, timestamp: int | str) -> str:
    """The text whose checksum a QR code carries as ``hash``; ``timestamp`` is epoch milliseconds."""
    return f"{registration_id}:{event_id}:{email}:{timestamp}"


def _pattern(re2: str) -> re.Pattern[str]:
    return re.compile(_OF_RE2.sub(lambda found: rf"\u{int(found[1], 16):04x}", re2).removesuffix("$") + r"\Z")


_CODE_EDGES, _ID_EDGES = _pattern(CODE_EDGES), _pattern(ID_EDGES)


def code_text(text: str) -> str:
    """A scanned text without what readers and keyboards put around a code: blanks, byte order marks, prefixes."""
    return text if text.startswith("{") and text.endswith("}") else _CODE_EDGES.sub("", text)


def id_text(text: str) -> str:
    """An id of a code without characters around it that cannot be seen."""
    return _ID_EDGES.sub("", text)


def qr_checksum(text: str) -> str:
    """The checksum of ``text`` in base 36: ``h = h * 31 + unit`` over UTF-16 code units, kept in signed 32 bits."""
    units = text.encode("utf-16-le", "surrogatepass")
    checksum = 0
    for position in range(0, len(units), 2):
        checksum = (checksum * 31 + units[position] + (units[position + 1] << 8)) & _WORD
    return _base36(checksum if checksum < 0x80000000 else 0x100000000 - checksum)


def _base36(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"


def qr_checksums(texts: pa.StringArray) -> pa.StringArray:
    """``qr_checksum`` of each text, vectorised for ASCII; other texts are hashed one by one. No text may be null."""
    offsets = np.frombuffer(texts.buffers()[1], np.int32, len(texts) + 1, texts.offset * 4)
    data = texts.buffers()[2]
    if data is None or offsets[-1] == offsets[0]:
        return pa.array(["0"] * len(texts), pa.string())
    units = np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]]
    if units.max() > 127:
        return pa.array([qr_checksum(text) for text in texts.to_pylist()], pa.string())
    return _as_base36(_polynomial(units, offsets - offsets[0]))


def _polynomial(units: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """The absolute 32-bit checksum of each run of units, from the weights 31 ** (units that follow)."""
    lengths = np.diff(offsets)
    powers = np.multiply.accumulate(
        np.concatenate([np.ones(1, np.uint32), np.full(max(int(lengths.max()) - 1, 0), 31, np.uint32)]), dtype=np.uint32
    )
    following = np.repeat(offsets[1:] - 1, lengths) - np.arange(len(units), dtype=np.int32)
    running = np.concatenate(
        [np.zeros(1, np.uint32), np.cumsum(units.astype(np.uint32) * powers[following], dtype=np.uint32)]
    )
    # Differences of the wrapped running sum are exact modulo 2 ** 32, which is all that is kept.
    sums = running[offsets[1:]] - running[offsets[:-1]]
    return np.abs(sums.view(np.int32).astype(np.int64))


def _as_base36(numbers: np.ndarray) -> pa.StringArray:
    digits = np.frombuffer(_DIGITS.encode(), np.uint8)
    width = 6  # 36 ** 6 > 2 ** 31
    matrix = np.empty((len(numbers), width), np.uint8)
    rest = numbers
    for column in range(width - 1, -1, -1):
        rest, digit = np.divmod(rest, 36)
        matrix[:, column] = digits[digit]
    shown = np.logical_or.accumulate(matrix != digits[0], axis=1)
    shown[:, -1] = True  # zero keeps one digit
    offsets = np.concatenate([np.zeros(1, np.int32), np.cumsum(shown.sum(axis=1), dtype=np.int32)])
    return pa.StringArray.from_buffers(len(numbers), pa.py_buffer(offsets), pa.py_buffer(matrix[shown]))

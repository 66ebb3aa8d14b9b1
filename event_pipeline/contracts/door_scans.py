"""What the door and the tables share about scans: the characters around a code, believable times, the days of an event."""

from __future__ import annotations

from datetime import timedelta

QR_TYPE = "NITS_EVENT_ATTENDANCE"
"""The ``type`` of every QR code that the app prints."""

OFFLINE_FOR = timedelta(days=30)
"""How long a phone may keep a scan: an older time is believed only on a day of the event that the code names."""

CLOCK_AHEAD = timedelta(minutes=10)
"""How far a phone's clock may be ahead of the time at which the scan was received."""

RECEIVER_AHEAD = timedelta(days=1)
"""How far ``received_at`` may be ahead of the time at which the record was observed; the inbox reader's tolerance."""

DAYS_AROUND = 1
"""Days before the start and after the end of an event on which its codes are good: doors open early and close late."""

INVISIBLE = (
    (0x00, 0x20), (0x7F, 0xA0), (0xAD, 0xAD), (0x1680, 0x1680), (0x180E, 0x180E), (0x2000, 0x200F), (0x2028, 0x202F),
    (0x205F, 0x206F), (0x3000, 0x3000), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB), (0xFFFD, 0xFFFD),
)  # fmt: skip
"""First and last of the characters that no code and no id begins or ends with: blanks, controls, byte order marks."""

_CLASS = "[" + "".join(rf"\x{{{first:x}}}-\x{{{last:x}}}" for first, last in INVISIBLE) + "]"

ID_EDGES = f"^{_CLASS}+|{_CLASS}+$"
"""RE2 pattern of what is taken off an id inside a code."""

CODE_EDGES = rf"^(?:{_CLASS}|\x{{ef}}\x{{bb}}\x{{bf}}|\]Q[0-9])+|{_CLASS}+$"
"""RE2 pattern of what is taken off a code: also a byte order mark read as Latin-1, and a reader's prefix such as ]Q1."""

"""How many examples property tests try: what each asks for, times the profile's effort.

``pytest --hypothesis-profile long`` tries a hundred times as many as usual; a number written into a test would
override every profile.
"""

from __future__ import annotations

import hypothesis

FUZZ = "fuzz"
"""Profile of long runs against the API: what tests may ask of anything, at length."""
LONG = "long"
"""Profile of long runs of every property test."""

_USUAL = 100
"""Examples of a test that asks for no number, by the usual profile."""


def register_profiles() -> None:
    """Makes the profiles known by name."""
    hypothesis.settings.register_profile(FUZZ, max_examples=150)
    hypothesis.settings.register_profile(LONG, max_examples=_USUAL * 100, deadline=None)


def scaled(examples: int) -> int:
    """So many examples by the usual profile, as many times more by another as that one tries more; at least one."""
    current = hypothesis.settings.get_profile(hypothesis.settings.get_current_profile_name())
    return max(1, examples * current.max_examples // _USUAL)

"""Invented people: a person is a number, and everything about them follows from it and the seed.

Names are made up, addresses are at example.org, .com and .net, phones count up from 9000000000. How a person's e-mail
and phone are *typed* differs from registration to registration.
"""

from __future__ import annotations

import json

import numpy as np

from event_pipeline.demo.columns import Text, choose, join, lookup, numbers, pc, scatter, zero_padded
from event_pipeline.demo.distributions import some

FIRST_NAMES = (
    ("Asha", "asha"), ("Ravi", "ravi"), ("Meera", "meera"), ("Kabir", "kabir"), ("Ananya", "ananya"), ("Dev", "dev"),
    ("Ishaan", "ishaan"), ("Priya", "priya"), ("Rohan", "rohan"), ("Zoya", "zoya"), ("Tara", "tara"), ("Neel", "neel"),
    ("Lakshmi", "lakshmi"), ("Farhan", "farhan"), ("Joy", "joy"), ("Bidisha", "bidisha"), ("Kiran", "kiran"),
    ("Nandini", "nandini"), ("Omkar", "omkar"), ("Ritu", "ritu"), ("Sahil", "sahil"), ("Uma", "uma"),
    ("Vikram", "vikram"), ("Yash", "yash"), ("आशा", "aasha"), ("রবি", "robi"), ("மீரா", "mira"), ("José", "jose"),
    ("Zoë", "zoe"), ("D'Mello", "dmello"), ("Nguyễn", "nguyen"), ("李", "li"),
)  # fmt: skip
"""First names as written and as they appear in an address; every fourth or so is beyond ASCII or has punctuation."""

LAST_NAMES = (
    "Demo", "Sample", "Testwala", "Examplekar", "Mockerjee", "Placeholderan", "Specimensingh", "Trialputra",
    "Dummyaddy", "Fixtureswamy", "Draftpuri", "Pretendra",
)  # fmt: skip
"""Family names that nobody bears."""

DOMAINS = ("example.org", "example.org", "example.com", "example.net")
"""Reserved domains: no mail to them can reach anyone."""

FIRST_PHONE = 9_000_000_000

EMAIL_UPPER_RATE = 0.03
EMAIL_TITLE_RATE = 0.08
EMAIL_SPACED_RATE = 0.06
"""Shares of addresses typed in capitals, with a leading capital, with spaces around them."""
EMAIL_TYPO_RATE = 0.004
"""Share of addresses mistyped; half of these are no address at all, half are somebody else's."""

DEPARTMENTS = ("CSE", "ECE", "EE", "ME", "Civil", "EIE", "Physics", "MBA", "Computer Science", "cse", "")
YEARS = ("1st Year", "2nd Year", "3rd Year", "4th Year", "1", "2", "III", "PG", "")
"""Department and year as students type them; nothing forces one spelling."""


def person_hash(person: np.ndarray, seed: int, salt: int) -> np.ndarray:
    """A well mixed 64-bit number for each person (splitmix64)."""
    mixed = person.astype(np.uint64) + np.uint64((seed * 1_000_003 + salt * 7_919 + 0x9E3779B97F4A7C15) % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def person_choice(person: np.ndarray, seed: int, salt: int, options: int) -> np.ndarray:
    """A fixed choice among ``options`` for each person."""
    return (person_hash(person, seed, salt) % np.uint64(options)).astype(np.int64)


def names(person: np.ndarray, seed: int) -> Text:
    """Full names, as the inside of a JSON string."""
    first = lookup([json.dumps(shown, ensure_ascii=False)[1:-1] for shown, _ in FIRST_NAMES], _first(person, seed))
    last = lookup(LAST_NAMES, person_choice(person, seed, 2, len(LAST_NAMES)))
    return join(first, " ", last, "-", zero_padded(person % 10_000, 4))


def _first(person: np.ndarray, seed: int) -> np.ndarray:
    return person_choice(person, seed, 1, len(FIRST_NAMES))


def emails(person: np.ndarray, seed: int) -> Text:
    """Each person's one true address, in lower case."""
    first = lookup([plain for _, plain in FIRST_NAMES], _first(person, seed))
    domain = lookup(DOMAINS, person_choice(person, seed, 3, len(DOMAINS)))
    return join(first, ".demo", numbers(person), "@", domain)


def typed_emails(true: Text, rng: np.random.Generator) -> tuple[Text, np.ndarray]:
    """Addresses as typed into the form, and which of them are mistyped."""
    rows = len(true)
    everyone = np.ones(rows, bool)
    style = rng.random(rows)
    upper = style < EMAIL_UPPER_RATE
    title = (style >= EMAIL_UPPER_RATE) & (style < EMAIL_UPPER_RATE + EMAIL_TITLE_RATE)
    typed = scatter(true, upper, pc.utf8_upper(true.filter(upper)))
    typed = scatter(typed, title, pc.utf8_capitalize(true.filter(title)))
    mistyped = some(rng, everyone, EMAIL_TYPO_RATE)
    typed = scatter(typed, mistyped, _mistyped(true.filter(mistyped), rng))
    spaced = rng.random(rows) < EMAIL_SPACED_RATE
    padding = rng.integers(0, 3, int(spaced.sum()))
    before, after = lookup((" ", "", "  "), padding), lookup(("", " ", " "), padding)
    return scatter(typed, spaced, join(before, typed.filter(spaced), after)), mistyped


def _mistyped(addresses: Text, rng: np.random.Generator) -> Text:
    kind = rng.integers(0, 4, len(addresses))
    broken = choose(kind == 0, pc.replace_substring(addresses, "@", ""), pc.replace_substring(addresses, "@", "@@"))
    other = choose(
        kind == 2, pc.replace_substring(addresses, ".demo", ".dmeo"), pc.replace_substring(addresses, ".demo", ".deemo")
    )
    return choose(kind < 2, broken, other)


def typed_phones(person: np.ndarray, rng: np.random.Generator) -> Text:
    """Phones as typed: ``9000000042``, ``+91 90000-00042``, ``09000000042``, ``+919000000042``, ``90000 00042``."""
    digits = zero_padded(FIRST_PHONE + person % 1_000_000_000, 10)
    head, tail = pc.utf8_slice_codeunits(digits, 0, 5), pc.utf8_slice_codeunits(digits, 5, 10)
    style = rng.choice(5, len(person), p=(0.42, 0.30, 0.15, 0.08, 0.05))
    prefix = lookup(("", "+91 ", "0", "+91", ""), style)
    gap = lookup(("", "-", "", "", " "), style)
    return join(prefix, head, gap, tail)


def student_ids(person: np.ndarray, seed: int) -> Text:
    """Student ids such as ``DEMO-23-00042``: the year of admission and a number."""
    year = person_choice(person, seed, 4, 6) + 20
    return join("DEMO-", numbers(year), "-", zero_padded(person % 100_000, 5))

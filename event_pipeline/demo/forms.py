"""The parts of a registration that the event's form decides: team, department, custom answers, payment."""

from __future__ import annotations

import json
from functools import cache

import numpy as np

from event_pipeline.demo import people
from event_pipeline.demo.columns import Text, choose, join, lookup, numbers, random_stream
from event_pipeline.demo.events import CUSTOM_FIELDS, custom_preset
from event_pipeline.demo.outcomes import Outcomes
from event_pipeline.demo.plan import Plan
from event_pipeline.demo.untidiness import DEEP_NESTING, styled_amounts

PAYMENT_STATUS = ("verified", "pending", "rejected", None)
PAYMENT_RATES = (0.86, 0.09, 0.03, 0.02)
"""What became of the payments of paid registrations, in the order of PAYMENT_STATUS."""

_MEMBER_LISTS = 256


def additional_info(plan: Plan, drawn: Outcomes, as_text: np.ndarray, rng: np.random.Generator) -> Text:
    """Type of registration, department, year, team and the event's own questions; text instead where ``as_text``."""
    rows = len(drawn)
    event_kind = plan.kind[drawn.event]
    team = (event_kind == 1) | ((event_kind == 2) & (rng.random(rows) < 0.5))
    department = lookup(people.DEPARTMENTS, people.person_choice(drawn.person, plan.seed, 5, len(people.DEPARTMENTS)))
    year = lookup(people.YEARS, people.person_choice(drawn.person, plan.seed, 6, len(people.YEARS)))
    members = lookup(_member_lists(), rng.integers(0, _MEMBER_LISTS, rows))
    in_team = join(',"team_type":"team","team_name":"Team ', numbers(drawn.person % 1000), '","team_members":', members)
    answers = lookup(_custom_answers(), custom_preset(plan.series[drawn.event]) * 8 + rng.integers(0, 8, rows))
    info = join(
        '{"department":"', department, '","year":"', year, '"', choose(team, in_team, ""), answers, "}"
    )  # fmt: skip
    info = choose(as_text, '"none"', info)
    nested = drawn.hostile & (rng.random(rows) < 0.2)
    info = choose(nested, DEEP_NESTING, info)
    alone = choose(rng.random(rows) < 0.2, "solo", "individual")
    return join(',"registration_type":"', choose(team, "team", alone), '","additional_info":', info)


@cache
def _member_lists() -> list[str]:
    """Team members besides the lead, as forms write them: objects mostly, plain names at times."""
    rng = random_stream(0, 12)
    lists = []
    for _ in range(_MEMBER_LISTS):
        members: list[object] = []
        for _ in range(int(rng.integers(1, 5))):
            number = int(rng.integers(0, 10_000))
            name = f"{people.FIRST_NAMES[number % 32][0]} Teammate-{number:04d}"
            full = {"name": name, "rollNumber": f"DEMO-24-{number:05d}", "email": f"mate{number}@example.net"}
            short = {"name": name, "rollNumber": number}
            members.append((full, full, full, short, name)[int(rng.integers(0, 5))])
        lists.append(json.dumps(members, ensure_ascii=False))
    return lists


@cache
def _custom_answers() -> list[str]:
    """Eight answers for each form: single values, lists, and forms left empty."""
    foods, skills = ("Veg", "Non-veg", "Jain"), (["C"], ["Python", "CAD"], [], ["C", "Python", "CAD"])
    answers: list[str] = []
    for preset in range(len(CUSTOM_FIELDS)):
        for number in range(8):
            values: dict[str, object] = {
                1: {"tshirt": ("S", "M", "L", "XL")[number % 4]},
                2: {"food": foods[number % 3], "skills": skills[number % 4]},
                3: {"why": ("To learn", "मज़े के लिए", "Friends", 'They said "come"')[number % 4]},
            }.get(preset, {})
            skipped = not values or number == 7
            answers.append("" if skipped else f',"custom_fields":{json.dumps(values, ensure_ascii=False)}')
    return answers


def payment(plan: Plan, drawn: Outcomes, ids: Text, status: np.ndarray, rng: np.random.Generator) -> Text:
    """Nothing or an explicit null on free events; status, amount and screenshot on paid ones."""
    fee = plan.fee[drawn.event]
    proof = join(',"payment_screenshot_url":"https://example.org/demo/payments/', ids, '.png"')
    proof = choose(plan.gateway[drawn.event] | (rng.random(len(drawn)) < 0.05), "", proof)
    paid = join(
        ',"payment_status":', lookup([json.dumps(word) for word in PAYMENT_STATUS], status),
        ',"payment_amount":', styled_amounts(fee, rng), proof,
    )  # fmt: skip
    free = choose(rng.random(len(drawn)) < 0.3, ',"payment_status":null', "")
    return choose(fee > 0, paid, free)

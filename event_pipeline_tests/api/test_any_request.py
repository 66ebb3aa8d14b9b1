"""Any request at all is answered as the OpenAPI document says. Some hundred here; ``make fuzz`` asks thousands."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import FlakyStrategyDefinition, Unsatisfiable
from schemathesis import APIOperation, BaseSchema, Case, GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from event_pipeline_tests.api.organisation import Api, running_api, settings_for
from event_pipeline_tests.effort import FUZZ

CASES = 6
"""Of each operation, as many valid as invalid; and walks from answer to request."""
STEPS = 8
ROUNDS = 6
"""Rounds of walks at most, until one has followed an event's id."""

_MEANT = {"headers": {"Idempotency-Key"}, "query": {"cursor"}, "body": {"sql", "until"}}
"""Texts that must mean something which no schema can say; a valid request with one may be refused."""
_DEPENDING = {
    "GET /api/pipeline/exports/analytics/{part}",
    "POST /api/pipeline/exports",
    "POST /api/pipeline/queries/{query_id}/run",
}
"""Routes where one thing decides whether another will do, such as a saved text; no schema can say that either."""
_BY_ITEM = "POST /scans"
"""Each item has an answer of its own: a wrong one beside a right one does not refuse the request."""
_EXPECTED = {
    "checks": {
        # No Dagster answers here, which the document says routes may say; 500 and 504 are never right.
        "not_a_server_error": {"expected-statuses": ["2XX", "3XX", "4XX", "502", "503"]},
        # What is too long is refused before it is looked at.
        "negative_data_rejection": {"expected-statuses": ["4XX", "502", "503"]},
    }
}
_SLOW = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.large_base_example)


@pytest.fixture(scope="module")
def asked(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API over a copy of its own: whatever can be written is written."""
    copy = tmp_path_factory.mktemp("asked") / "data"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("api"))
    with running_api(settings_for(copy)) as running:
        yield running


@pytest.fixture(scope="module")
def described(asked: Api) -> BaseSchema:
    async def started_already(scope: Any, receive: Any, send: Any) -> None:
        """The application without its start and end: every caller would else close it for the next."""
        while scope["type"] == "lifespan":
            stage = (await receive())["type"]
            await send({"type": f"{stage}.complete"})
            if stage == "lifespan.shutdown":
                return
        await asked.app(scope, receive, send)

    config = schemathesis.Config.from_dict(_EXPECTED)
    return schemathesis.openapi.from_asgi("/openapi.json", started_already, config=config)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["valid", "invalid"])
def test_any_request_is_answered_as_described(asked: Api, described: BaseSchema, mode: GenerationMode) -> None:
    headers, failures = asked.headers(), []
    operations = [found.ok() for found in described.get_all_operations() if isinstance(found, Ok)]
    for operation in operations:
        try:
            _ask(operation, mode, headers)
        except (Exception, FailureGroup) as error:  # noqa: BLE001 - whatever it was, the other operations are asked too
            failures.append(f"{operation.label}: {error}")
    assert len(operations) > 10
    assert not failures, "\n\n".join(failures)


def _ask(operation: APIOperation, mode: GenerationMode, headers: dict[str, str]) -> None:
    @_effort(CASES)
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case: Case) -> None:
        case.call_and_validate(headers=headers, excluded_checks=_not_held(case))

    # What takes no value of any kind cannot be asked wrongly.
    with suppress(Unsatisfiable):
        ask()


def test_any_walk_from_answer_to_request_is_answered_as_described(asked: Api, described: BaseSchema) -> None:
    statuses: Counter[tuple[str, int]] = Counter()

    class Walk(described.as_state_machine()):
        def setup(self) -> None:
            self.headers = asked.headers()

        def get_call_kwargs(self, case: Case) -> dict[str, Any]:
            return {"headers": self.headers}

        def validate_response(self, response: Any, case: Case, additional_checks: Any = None, **more: Any) -> None:
            statuses[case.operation.label, response.status_code] += 1
            # What the walk has done so far is kept by the machine that the document becomes.
            recorder = getattr(self, "recorder", None)
            excluded, sent = _not_held(case), more or None
            case.validate_response(response, excluded_checks=excluded, transport_kwargs=sent, recorder=recorder)

    def found() -> int:
        """Ids of events come from the list of events, else nothing would be found."""
        return sum(
            statuses[f"GET /api/pipeline/events/{{event_id}}/{part}", 200] for part in ("analytics", "participants")
        )

    # The API remembers what earlier walks left, such as silences: a walk that could not be repeated proves no less, but
    # it ends all walks of its round.
    for longer in range(ROUNDS):
        with suppress(FlakyStrategyDefinition):
            Walk.run(settings=_effort(CASES * 5, stateful_step_count=STEPS + longer))
        if found():
            break
    assert found() > 0


def _effort(cases: int, **more: Any) -> settings:
    """So many cases, or those of the profile for long runs; the same each time."""
    chosen = settings.get_profile(FUZZ).max_examples if settings.get_current_profile_name() == FUZZ else cases
    return settings(
        max_examples=chosen, derandomize=True, database=None, deadline=None,
        phases=[Phase.generate, Phase.shrink], suppress_health_check=_SLOW, **more,
    )  # fmt: skip


def _not_held(case: Case) -> list[Any]:
    """Checks that cannot be held against this request."""
    sent = {"headers": case.headers, "query": case.query, "body": case.body if isinstance(case.body, dict) else {}}
    is_meant = any(names.intersection(sent[place] or {}) for place, names in _MEANT.items())
    accepted = [positive_data_acceptance] if is_meant or case.operation.label in _DEPENDING else []
    return [*accepted, negative_data_rejection] if case.operation.label == _BY_ITEM else accepted

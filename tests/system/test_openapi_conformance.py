"""Every operation with what its document allows and forbids, alone and in sequences, against a real server.

The same cases each time; API_FUZZ_SEED=<number> tries others.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from copy import deepcopy
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Flaky, FlakyStrategyDefinition, Unsatisfiable
from schemathesis import Case, GenerationMode, checks
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok

from core.api import api
from core.api.http.auth import WORKSPACE_HEADER
from core.api.openapi import document
from core.ids import new_id
from core.installation import Installation
from core.providers import registry
from tests.api import live
from tests.api.conftest import PREFIX, arrive
from tests.factories import installations

AnyCase = Case[Any]
SEED = os.environ.get("API_FUZZ_SEED") or None
FINITE = settings(
    max_examples=10,
    derandomize=SEED is None,
    database=None,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
DOCUMENT = deepcopy(document.of(api, base=PREFIX))  # it is written into
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT).exclude(path="/generations/events")  # a stream that does not end
OPERATIONS = {found.ok().label: found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)}
LEADS_NOWHERE = (
    "^/(catalogue|exchange-rates|people|grants|transfers|uncertain|audit-log|usage|estimate|hooks|models"
    "|statements|attention|export)"
)
"""What is an administrator's alone, or gives nothing that another operation takes."""
BEYOND_A_SCHEMA = ("positive_data_acceptance", "unsupported_method")
"""What a document cannot say: which model exists today, and that an unknown method asks for a token first."""


def seeded(test: Callable[[], None]) -> Callable[[], None]:
    """The test, with the seed that was asked for."""
    return test if SEED is None else seed(int(SEED))(test)


def excluded_checks() -> list[Any]:
    """The checks that do not apply here."""
    checks.load_all_checks()
    return [checks.CHECKS.get_one(name) for name in BEYOND_A_SCHEMA]


@pytest.fixture
def caller(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Where the API is, and the headers of somebody who may do everything a person may, with every provider."""
    for provider in registry.providers():
        monkeypatch.setenv(f"{provider.name.upper()}_API_KEY", "no-order-is-ever-sent")
    installations.reopen()
    ana = arrive("ana@example.org", credits=10**9)
    with live.serving() as address:
        yield {"base_url": address, "headers": {"Authorization": f"Bearer {ana.token}"}}


@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_operation_keeps_to_its_document(caller: dict[str, Any], label: str) -> None:
    """Right and wrong requests get an answer that the document has, of its shape, and never an error of ours."""
    operation = OPERATIONS[label]

    for mode in GenerationMode:

        @seeded
        @FINITE
        @given(case=operation.as_strategy(generation_mode=mode))
        def check(case: AnyCase) -> None:
            case.call_and_validate(**caller, excluded_checks=excluded_checks())

        with suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else nullcontext():
            check()  # where everything is right there is nothing to do wrong


def test_sequences_keep_to_the_document(caller: dict[str, Any]) -> None:
    """What one operation gives, the next one takes, as the links of the document say; what is gone stays gone."""
    seen = Counter[tuple[str, int]]()
    failures: list[BaseException] = []

    theirs = SCHEMA.exclude(path_regex=LEADS_NOWHERE)

    class Story(theirs.as_state_machine()):  # type: ignore[misc]  # the class is made from the document
        def setup(self) -> None:
            person = arrive(f"{new_id()}@example.org")  # a story may revoke its own token
            person.finished()
            person.post(f"/generations/{person.generate()}/cancel")
            person.generate()
            self.caller = caller | {"headers": {"Authorization": f"Bearer {person.token}"}}

        def before_call(self, case: AnyCase) -> None:
            case.headers.pop(WORKSPACE_HEADER, None)  # a made-up workspace is 404, and ends every story

        def get_call_kwargs(self, case: AnyCase) -> dict[str, Any]:
            return self.caller

        def validate_response(self, response: Any, case: AnyCase, **more: Any) -> None:
            seen[case.operation.label, response.status_code] += 1
            try:
                case.validate_response(
                    response, excluded_checks=excluded_checks(), transport_kwargs=self.caller, recorder=self.recorder
                )
            except FailureGroup as group:
                failures.extend(group.exceptions)

    for number in range(3):
        # The server gives new ids each time, which Hypothesis takes for a flaky test once it compares two stories.
        with suppress(Flaky, FlakyStrategyDefinition):
            story = seed(int(SEED or 0) * 1000 + number)(Story)
            story.run(settings=settings(FINITE, derandomize=False, max_examples=8, stateful_step_count=15))

    assert failures == []
    assert seen.total() > 100
    followed = {label for label, status in seen if "{id}" in label and status < 300}
    assert len(followed) > 2, seen

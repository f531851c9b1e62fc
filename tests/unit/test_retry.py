import logging
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import retry

SPECIFIED_SECONDS = [5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600]
"""The example schedule of Standard Webhooks 1.0.0, after the attempt that is made at once."""


@given(attempt=st.integers(-5, 10**6))
def test_delay_at_any_attempt(attempt: int) -> None:
    """Whatever the number, the wait is between 4 s and 12.5 min: nobody is asked without a pause or forgotten."""
    assert timedelta(seconds=3.75) <= retry.delay(attempt) <= timedelta(seconds=750)


@given(attempt=st.integers(1, 7))
def test_delay_doubles(attempt: int) -> None:
    """Each wait is double the one before, within a quarter; the eighth is the longest."""
    usual = 5 * 2 ** (attempt - 1)

    assert usual * 0.75 <= retry.delay(attempt).total_seconds() <= usual * 1.25
    assert retry.delay(8).total_seconds() >= 450


def test_delays_are_spread() -> None:
    """Rows that failed together do not come back together."""
    for waits in ([retry.delay(8) for _ in range(100)], [retry.webhook_delay(9) for _ in range(100)]):
        assert len(set(waits)) > 90


@given(attempts=st.integers(1, 9))
def test_webhook_delay_is_as_specified(attempts: int) -> None:
    """The waits are those of the specification or up to a tenth longer, never shorter."""
    found = retry.webhook_delay(attempts)
    specified = SPECIFIED_SECONDS[attempts - 1]

    assert found is not None
    assert specified <= found.total_seconds() <= specified * 1.1


@given(attempts=st.integers(10, 10**6))
def test_webhook_delay_when_all_attempts_failed(attempts: int) -> None:
    """After the ninth wait the next failure is the last one, and so is any later."""
    assert retry.webhook_delay(attempts) is None


def test_webhook_delay_before_any_attempt() -> None:
    """A delivery that was put back before its first attempt waits the shortest time."""
    found = retry.webhook_delay(0)

    assert found is not None
    assert found.total_seconds() <= 5.5


class Clock:
    """A steady clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_once_a_while_when_it_is_said_again() -> None:
    """A thing is news once an hour, whatever else is said; of very many the oldest are forgotten first."""
    clock = Clock()
    once = retry.OnceAWhile(3600, monotonic=clock, most=2)
    assert [once.is_news("a"), once.is_news("a"), once.is_news("b")] == [True, False, True]
    clock.seconds += 3601
    assert once.is_news("a")
    assert once.is_news("c")

    assert [once.is_news("a"), once.is_news("b")] == [False, True]


def fail() -> Exception:
    """A failure of one place, with another text each time."""
    try:
        int(f"no number: {object()}")
    except ValueError as failure:
        return failure
    raise AssertionError


def test_repeated_failure_when_a_loop_fails_for_long(caplog: pytest.LogCaptureFixture) -> None:
    """A thousand failures of one cause are one entry in the log, the pauses grow to a bound, and the end is a line."""
    clock = Clock()
    trouble = retry.RepeatedFailure(logging.getLogger("loop"), "the loop", longest_seconds=5, monotonic=clock)
    with caplog.at_level(logging.INFO, logger="loop"):
        pauses = [trouble.met(fail()) for _ in range(1000)]
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        trouble.over()
        trouble.over()

    assert pauses[:5] == [0.5, 1, 2, 4, 5]
    assert pauses[-1] == 5
    assert [record.getMessage() for record in caplog.records][1:] == ["the loop works again, after 1000 failures"]
    assert trouble.met(fail()) == 0.5


def test_repeated_failure_when_somebody_else_tells(caplog: pytest.LogCaptureFixture) -> None:
    """What the log has already is not said again, neither its beginning nor its end; what comes beside it is."""
    trouble = retry.RepeatedFailure(logging.getLogger("loop"), "the loop")
    with caplog.at_level(logging.INFO, logger="loop"):
        trouble.met(fail(), is_told=True)
        trouble.over()
        assert caplog.records == []
        trouble.met(TypeError("new"))

    assert len(caplog.records) == 1

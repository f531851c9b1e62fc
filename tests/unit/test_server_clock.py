"""The clock of a server as a process knows it without asking."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import utc_now
from core.db.server_clock import OLD_AFTER_SECONDS, ServerClock

BEGAN = datetime(2026, 11, 30, 12, tzinfo=UTC)


class Steady:
    """A steady clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@given(
    st.lists(
        st.tuples(st.floats(0, 60), st.floats(0, 5), st.floats(0, 1)).map(lambda each: (*each[:2], each[1] * each[2])),
        min_size=1,
        max_size=20,
    )
)
def test_known_time_is_wrong_by_the_last_answer_at_most(answers: list[tuple[float, float, float]]) -> None:
    """However long answers take and wherever in that time the server looked: never further off than the last took."""
    steady = Steady()
    clock = ServerClock(steady)
    for pause, takes, read_after in answers:
        steady.seconds += pause
        began = steady.seconds
        steady.seconds += takes
        clock.said(BEGAN + timedelta(seconds=began + read_after), began, steady.seconds)
        true = BEGAN + timedelta(seconds=steady.seconds)
        assert abs(clock.now() - true) <= timedelta(seconds=takes, microseconds=20)
        steady.seconds += 3
        assert abs(clock.now() - true - timedelta(seconds=3)) <= timedelta(seconds=takes, microseconds=20)


@pytest.mark.parametrize("hours", [-7, 2, 24 * 365])
def test_server_whose_clock_is_set(hours: int) -> None:
    """The next answer is believed at once, whichever way the clock went."""
    steady = Steady()
    clock = ServerClock(steady)
    clock.said(BEGAN, 1_000, 1_000)
    steady.seconds += OLD_AFTER_SECONDS + 1
    assert clock.is_old
    clock.said(BEGAN + timedelta(hours=hours), steady.seconds, steady.seconds)
    assert clock.now() == BEGAN + timedelta(hours=hours)
    assert not clock.is_old


def test_nothing_said_yet() -> None:
    """It is this machine's clock, which is all there is on SQLite."""
    clock = ServerClock()
    assert abs(clock.now() - utc_now()) < timedelta(minutes=1)
    assert clock.is_old


def test_machine_behind_the_server() -> None:
    """A server that is seven hours ahead."""
    clock = ServerClock(Steady())
    clock.said(utc_now() + timedelta(hours=7), 1_000, 1_000)
    assert abs(clock.machine_is_ahead() + timedelta(hours=7)) < timedelta(minutes=1)

from datetime import UTC, datetime, timedelta

import pytest

from core import clock

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "within"),
    [
        (timedelta(0), True),
        (timedelta(minutes=9, seconds=59), True),
        (timedelta(minutes=10), False),
        (timedelta(days=400), False),
        (timedelta(seconds=-30), True),
        (timedelta(minutes=-2), False),
        (timedelta(hours=-7), False),
    ],
)
def test_is_within_at_any_distance(ago: timedelta, within: bool) -> None:
    """The span ends about now: what a clock that was set back has left in the future is not recent."""
    assert clock.is_within(timedelta(minutes=10), NOW - ago, now=NOW) is within


def test_is_within_when_it_never_happened() -> None:
    """What never happened did not happen lately."""
    assert not clock.is_within(timedelta(days=1), None, now=NOW)

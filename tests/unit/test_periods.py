from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import errors
from core.usage import periods
from core.usage.periods import Period

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("name", "since", "until"),
    [
        ("month", date(2026, 11, 1), TODAY),
        ("last-month", date(2026, 10, 1), date(2026, 10, 31)),
        ("quarter", date(2026, 10, 1), TODAY),
        ("last-quarter", date(2026, 7, 1), date(2026, 9, 30)),
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2026-11", date(2026, 11, 1), TODAY),
        ("2025-Q4", date(2025, 10, 1), date(2025, 12, 31)),
        ("1", TODAY, TODAY),
        ("30", date(2026, 10, 23), TODAY),
    ],
)
def test_days_of_a_name(name: str, since: date, until: date) -> None:
    """A name has the days that people mean by it, none of them to come."""
    assert periods.named(name, TODAY) == (since, until)


@pytest.mark.parametrize("name", ["2026-12", "2027-Q1", "2026-13", "0000-01", "2026-Q5", "0", "732", "soon", "-7", ""])
def test_name_that_is_none(name: str) -> None:
    """What has not begun and what is no period is refused."""
    with pytest.raises(errors.InvalidRequest) as refused:
        periods.named(name, TODAY)
    assert list(refused.value.fields) == ["period"]


@pytest.mark.parametrize(
    ("period", "before"),
    [
        (Period(date(2026, 10, 1), date(2026, 10, 31)), (date(2026, 9, 1), date(2026, 9, 30))),
        (Period(date(2026, 3, 1), date(2026, 3, 31)), (date(2026, 2, 1), date(2026, 2, 28))),
        (Period(date(2026, 7, 1), date(2026, 9, 30)), (date(2026, 4, 1), date(2026, 6, 30))),
        (Period(date(2026, 11, 1), TODAY), (date(2026, 10, 1), date(2026, 10, 21))),
        (Period(date(2026, 10, 1), TODAY), (date(2026, 7, 1), date(2026, 8, 21))),
        (Period(date(2026, 10, 23), TODAY), (date(2026, 9, 23), date(2026, 10, 22))),
        (Period(date(2026, 2, 1), date(2026, 4, 30)), (date(2025, 11, 4), date(2026, 1, 31))),
    ],
)
def test_time_before(period: Period, before: tuple[date, date]) -> None:
    """Months and quarters are compared with those before, as far as they have come; the rest with as many days."""
    assert periods.before(period, TODAY) == before


def test_time_before_a_month_that_is_longer_than_the_one_before() -> None:
    """The thirty-first of March has no day in February: all of February is what it is compared with."""
    today = date(2026, 3, 30)
    assert periods.before(periods.named("month", today), today) == (date(2026, 2, 1), date(2026, 2, 28))


def test_time_before_the_calendar() -> None:
    """The first day there is has none before."""
    assert periods.before(Period(date.min, date.min), TODAY) is None


@given(since=st.dates(date(2000, 1, 1), TODAY), length=st.integers(0, 700))
def test_time_before_ends_before(since: date, length: int) -> None:
    """Whatever the days are, what they are compared with ends before them and is not empty."""
    until = min(since + timedelta(days=length), TODAY)
    found = periods.before(Period(since, until), TODAY)
    assert found is not None
    assert found.since <= found.until < since

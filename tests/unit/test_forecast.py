from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.usage.forecast import Forecast, forecast

FIRST, TODAY, LAST = date(2026, 11, 1), date(2026, 11, 21), date(2026, 11, 30)


def spent(*by_days_back: int) -> dict[date, int]:
    """Credits by day, today first."""
    return {TODAY - timedelta(days=back): credits for back, credits in enumerate(by_days_back)}


def test_forecast_when_every_day_is_alike() -> None:
    """A steady pace goes on: what was spent plus the pace for each day left, without a range."""
    found = forecast(spent(*[100] * 29), since=FIRST, today=TODAY, until=LAST)

    assert found == Forecast(LAST, 4, 3000, 3000, 3000)


def test_forecast_range_takes_the_calmest_and_the_busiest_week() -> None:
    """The mean lies between what the calmest and what the busiest whole week would lead to."""
    found = forecast(spent(0, *[70] * 7, *[140] * 7, *[210] * 7), since=FIRST, today=TODAY, until=LAST)

    before = 7 * 70 + 7 * 140 + 6 * 210  # 1 to 20 November
    assert found == Forecast(LAST, 3, before + 10 * 70, before + 10 * 140, before + 10 * 210)


def test_forecast_when_today_is_beyond_the_pace() -> None:
    """Today counts as it is once it is more than an average day."""
    found = forecast(spent(1000, *[100] * 28), since=FIRST, today=TODAY, until=LAST)

    assert found is not None
    assert found.expected_credits == 20 * 100 + 1000 + 9 * 100


@pytest.mark.parametrize(
    "history",
    [
        {},
        spent(100),
        spent(0, *[100] * 12),
        spent(0, 100, *[0] * 12, 100, 100, 100),
        {TODAY - timedelta(days=40): 100_000},
    ],
    ids=["nothing", "today only", "less than two weeks", "four active days", "long ago"],
)
def test_forecast_when_there_is_too_little_to_tell(history: dict[date, int]) -> None:
    """Less than two weeks or five active days make no forecast."""
    assert forecast(history, since=FIRST, today=TODAY, until=LAST) is None


@pytest.mark.parametrize("today", [LAST, LAST + timedelta(days=1), FIRST - timedelta(days=1)])
def test_forecast_when_the_month_is_not_under_way(today: date) -> None:
    """The last day of a span, and days outside of it, leave nothing to foretell."""
    history = {today - timedelta(days=back): 100 for back in range(29)}

    assert forecast(history, since=FIRST, today=today, until=LAST) is None


@given(st.dictionaries(st.integers(0, 40), st.integers(1, 100_000), min_size=1))
def test_forecast_is_in_order_and_never_below_what_is_spent(history: dict[int, int]) -> None:
    """Low, expected and high are in order, and none is less than what was spent already."""
    days = {TODAY - timedelta(days=back): credits for back, credits in history.items()}
    found = forecast(days, since=FIRST, today=TODAY, until=LAST)
    if found is None:
        return

    already = sum(credits for day, credits in days.items() if FIRST <= day <= TODAY)
    assert already <= found.low_credits <= found.expected_credits <= found.high_credits

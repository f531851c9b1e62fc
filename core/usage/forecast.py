"""What a month will probably come to, from the weeks before today; pure, and silent when they tell too little."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

WEEKS = 4
FEWEST_WEEKS = 2
FEWEST_ACTIVE_DAYS = 5


@dataclass(frozen=True, slots=True)
class Forecast:
    """Credits spent by the end of `until`: as the mean of the last `weeks` weeks goes on, and as the calmest or the
    busiest of them would."""

    until: date
    weeks: int
    low_credits: int
    expected_credits: int
    high_credits: int


def forecast(spent: Mapping[date, int], *, since: date, today: date, until: date) -> Forecast | None:
    """What will have been spent from `since` to the end of `until`, given `spent` credits by day.

    The pace is the mean a day over whole weeks ending yesterday, so that weekends weigh as often as they come: four
    weeks, or as many as there are since the first spend, at least two with five active days among them; None below
    that, and for a span that does not reach beyond today. The range takes the least and the most spent of these weeks.
    """
    history = [today - timedelta(days=back) for back in range(1, 7 * WEEKS + 1)]
    active = [day for day in history if spent.get(day, 0)]
    if not since <= today < until or len(active) < FEWEST_ACTIVE_DAYS:
        return None
    weeks = (today - active[-1]).days // 7
    if weeks < FEWEST_WEEKS:
        return None
    by_week = [sum(spent.get(day, 0) for day in history[7 * week : 7 * week + 7]) for week in range(weeks)]
    before_today = sum(credits for day, credits in spent.items() if since <= day < today)
    days_left = (until - today).days

    def at(credits: int, days: int) -> int:
        today_at_least = max(spent.get(today, 0), _per_day(credits, days, 1))
        return before_today + today_at_least + _per_day(credits, days, days_left)

    return Forecast(until, weeks, at(min(by_week), 7), at(sum(by_week), 7 * weeks), at(max(by_week), 7))


def _per_day(credits: int, days: int, times: int) -> int:
    """`credits` in `days` days, for `times` days, half up."""
    return (2 * credits * times + days) // (2 * days)

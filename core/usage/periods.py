"""Periods by their names, as first and last day (UTC, both included), and the time that each is compared with; pure.

`month` and `quarter` are those under way, as far as they have come; `last-month` and `last-quarter` the ones before;
`2026-10` a month and `2026-Q3` a quarter by name; a number is so many days up to and with today.
"""

import re
from calendar import monthrange
from datetime import date, timedelta
from typing import NamedTuple

from core import errors
from core.messages import message

LAST_MONTH = "last-month"
MOST_DAYS = 731

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_QUARTER = re.compile(r"(\d{4})-Q([1-4])")
_DAYS = re.compile(r"[1-9]\d{0,2}")


class Period(NamedTuple):
    """First and last day, both included."""

    since: date
    until: date


def named(name: str, today: date) -> Period:
    """The days of a period that its name tells, none of them to come; InvalidRequest for a name that is none."""
    if _DAYS.fullmatch(name) and int(name) <= MOST_DAYS:
        return Period(today - timedelta(days=int(name) - 1), today)
    first, months = _first(name, today)
    if first > today:
        raise errors.InvalidRequest(fields={"period": message("period_to_come")})
    return Period(first, min(months_later(first, months) - timedelta(days=1), today))


def _first(name: str, today: date) -> tuple[date, int]:
    """The first day, and how many months it is."""
    this_month = today.replace(day=1)
    this_quarter = this_month.replace(month=(today.month - 1) // 3 * 3 + 1)
    known = {
        "month": (this_month, 1),
        LAST_MONTH: (months_later(this_month, -1), 1),
        "quarter": (this_quarter, 3),
        "last-quarter": (months_later(this_quarter, -3), 3),
    }
    try:
        if found := _MONTH.fullmatch(name):
            return date(int(found[1]), int(found[2]), 1), 1
        if found := _QUARTER.fullmatch(name):
            return date(int(found[1]), 3 * int(found[2]) - 2, 1), 3
    except ValueError:  # there is no year 0
        pass
    if name not in known:
        raise errors.InvalidRequest(fields={"period": message("period_unknown")})
    return known[name]


def before(period: Period, today: date) -> Period | None:
    """What a period is compared with; None where the calendar does not reach that far back.

    Whole months, from the first to the last day, with as many months before them; a month or a quarter that is under
    way with as many days of the one before; anything else with as many days just before.
    """
    try:
        return _before(period, today)
    except (OverflowError, ValueError):
        return None


def _before(period: Period, today: date) -> Period:
    since, until = period
    for months in (1, 3):
        first = months_later(since, -months)
        last = months_later(since, months) - timedelta(days=1)
        if since.day != 1 or until > last or (months == 3 and since.month % 3 != 1):
            continue
        if until == last:
            return Period(first, since - timedelta(days=1))
        if until == today and (months == 1 or until >= months_later(since, 1)):
            return Period(first, min(first + (until - since), since - timedelta(days=1)))
    length = until - since + timedelta(days=1)
    return Period(since - length, since - timedelta(days=1))


def month_of(day: date) -> Period:
    """The whole month that a day is in."""
    return Period(day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1]))


def months_later(first: date, months: int) -> date:
    """The first of a month, so many months after another."""
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return date(year, month + 1, 1)

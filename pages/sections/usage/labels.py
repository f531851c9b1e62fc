"""How days, months, shares and axes of the usage page are worded in the reader's language; nothing is drawn here."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any

from babel import Locale, dates, numbers

from core.catalog import in_force
from core.providers import registry
from core.usage.reports import Group
from pages.ui import language, wording
from pages.ui.language import N_, _, plural

STEPS: Mapping[Group, str] = {Group.DAY: N_("Day"), Group.WEEK: N_("Week"), Group.MONTH: N_("Month")}
SERIES: Mapping[Group, str] = {
    Group.MODEL: N_("Model"),
    Group.PROVIDER: N_("Provider"),
    Group.PROJECT: N_("Project"),
    Group.USER: N_("Person"),
    Group.WORKSPACE: N_("Workspace"),
}
INTERVALS: Mapping[Group, str] = {Group.DAY: N_("Daily"), Group.WEEK: N_("Weekly"), Group.MONTH: N_("Monthly")}
SPLITS: Mapping[Group, str] = {
    Group.MODEL: N_("By model"),
    Group.PROVIDER: N_("By provider"),
    Group.PROJECT: N_("By project"),
    Group.USER: N_("By person"),
    Group.WORKSPACE: N_("By workspace"),
}
NONE = "–"


def day(when: date) -> str:
    """`21 Nov 2026`."""
    return wording.day(datetime.combine(when, time(), UTC))


def days(since: date, until: date) -> str:
    """`1 Nov 2026 to 21 Nov 2026`."""
    return _("{first} to {last}").format(first=day(since), last=day(until))


def month(when: date) -> str:
    """`November 2026`."""
    return dates.format_date(when, "LLLL y", locale=language.locale())


def step(at: date, group: Group) -> str:
    """A bar's time: a day, the week of a day, a month."""
    if group is Group.MONTH:
        return month(at)
    return _("Week of {day}").format(day=day(at)) if group is Group.WEEK else day(at)


def share(part: float | None) -> str:
    """`93%`; a dash for none."""
    return NONE if part is None else wording.share(part)


def clips(amount: int) -> str:
    """`1 clip`, `1,200 clips`."""
    return plural("{number} clip", "{number} clips", amount).format(number=wording.credits(amount))


def seconds(amount: float) -> str:
    """`75 s`."""
    return _("{number} s").format(number=wording.decimal(amount, 0))


def change(now: float, before: float) -> str | None:
    """By how much a figure differs from an earlier one: `+12%`, or that it does not; None where there was nothing."""
    if not before:
        return None
    if round(100 * now / before) == 100:
        return _("no change")
    return numbers.format_percent(now / before - 1, format="+#,##0%;-#,##0%", locale=language.locale())


def model(model_id: str) -> str:
    """A model's name; its id once it is no longer offered."""
    entry = in_force.find(model_id)
    return entry.model.name if entry else model_id


def provider(name: str) -> str:
    """A provider's name; its id once it is no longer offered."""
    return registry.provider_class(name).display_name


def axis_label() -> str:
    """How an axis of large amounts is labelled, as an expression of Vega: `20K` and `1.5M`, in Indonesian `1,5 jt`.

    Vega's own short form has the letters of physics only: G for a thousand million, which in Indonesian is M.
    """
    patterns = language.locale().compact_decimal_formats["short"]["other"]
    shown = "format(datum.value, '~r')"
    for power in (3, 6, 9, 12):
        unit = str(patterns[f"1{'0' * power}"].pattern).lstrip("0")
        shown = f"abs(datum.value) >= 1e{power} ? format(datum.value / 1e{power}, '~r') + '{unit}' : {shown}"
    return shown


def vega_locale() -> dict[str, Any]:
    """Numbers and dates of a chart in the reader's language, as Vega takes them (the locale files of D3)."""
    return _vega_locale(language.current())


@cache
def _vega_locale(tag: str) -> dict[str, Any]:
    here = Locale.parse(tag)
    sunday_first = (6, 0, 1, 2, 3, 4, 5)
    days, short_days = dates.get_day_names("wide", locale=here), dates.get_day_names("abbreviated", locale=here)
    return {
        "number": {
            "decimal": numbers.get_decimal_symbol(here),
            "thousands": numbers.get_group_symbol(here),
            "grouping": [3],
            "currency": ["Rp ", ""],
        },
        "time": {
            "dateTime": "%d %b %Y, %X",
            "date": "%d %b %Y",
            "time": "%H:%M:%S",
            "periods": ["AM", "PM"],
            "days": [days[number] for number in sunday_first],
            "shortDays": [short_days[number] for number in sunday_first],
            "months": list(dates.get_month_names("wide", locale=here).values()),
            "shortMonths": list(dates.get_month_names("abbreviated", locale=here).values()),
        },
    }

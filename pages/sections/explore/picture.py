"""The chart of an answer of the explorer, and the colours of its rows, which the table beside it tells; pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from core.usage.dimensions import Interval, Value
from core.usage.exploration import Exploration
from core.usage.reports import Group
from core.usage.views import View
from pages.sections.explore import words
from pages.sections.usage import charts, labels
from pages.sections.usage.charts import Spec
from pages.sections.usage.choice import Choice
from pages.ui.language import _

BARS, COLOURS = 10, 5
"""So many bars and so many colours have a name of their own; the rest is one."""

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart; the number of the colour of each row by its keys, and every figure of it as lines of a table."""

    spec: Spec
    colours: Mapping[Key, int]
    lines: Sequence[charts.Value] = ()


def key_of(values: Sequence[Value]) -> Key:
    """What tells a row apart."""
    return tuple(value.key for value in values)


def flat(view: View, found: Exploration) -> Picture:
    """Bars of the first dimension in the colours of the second."""
    by_first: defaultdict[str, float] = defaultdict(float)
    by_second: defaultdict[str, float] = defaultdict(float)
    cells: list[tuple[Key, str, str, float]] = []
    for row in found.rows:
        names = [*words.names(view.by, row.values), words.MEASURES[view.measure]]
        amount = words.figure(row.amounts, view.measure, view.unit)
        cells.append((key_of(row.values), names[0], names[1], amount))
        by_first[names[0]] += amount
        by_second[names[1]] += amount
    bars, series = _most(by_first, BARS), _most(by_second, COLOURS)
    sums: defaultdict[tuple[str, str], float] = defaultdict(float)
    colours: dict[Key, int] = {}
    for key, first, second, amount in cells:
        sums[_shown(first, bars), _shown(second, series)] += amount
        if amount and len(view.by) > 1:
            colours[key] = series.index(_shown(second, series)) + 1
    values: list[charts.Value] = [
        {"name": first, "series": second, "amount": amount, "place": series.index(second)}
        for (first, second), amount in sums.items()
        if amount
    ]
    unit = words.head(view.measure, view.unit)
    return Picture(charts.ranking(values, names=bars, series=series, unit=unit, has_legend=False), colours)


def over_time(view: View, found: Exploration) -> Picture:
    """Bars over time in the colours of the rows with most."""
    interval = view.over or Interval.DAY
    step, unit = Group(interval.value), words.head(view.measure, view.unit)
    names = {key_of(row.values): " · ".join(words.names(view.by, row.values)) for row in found.rows}
    spent = {names[key_of(row.values)]: words.figure(row.amounts, view.measure, view.unit) for row in found.rows}
    series = _most(spent, COLOURS)
    sums: defaultdict[tuple[date, str], float] = defaultdict(float)
    lines: list[charts.Value] = []
    for one in found.steps:
        amount = words.figure(one.amounts, view.measure, view.unit)
        at = date.fromisoformat(f"{one.at}-01" if interval is Interval.MONTH else one.at)
        if amount:
            sums[at, _shown(names[key_of(one.values)], series)] += amount
        heads = [words.DIMENSIONS[dimension] for dimension in view.by]
        told = dict(zip(heads, words.names(view.by, one.values), strict=True))
        lines.append({_(labels.STEPS[step]): one.at, **told, unit: amount})
    values: list[charts.Value] = [
        {"at": at.isoformat(), "when": labels.step(at, step), "series": name, "amount": amount, "place": place}
        for (at, name), amount in sorted(sums.items())
        if (place := series.index(name)) >= 0
    ]
    steps = Choice(found.asked.selection, step, Group.MODEL).steps
    spec = charts.bars(values, steps=steps, step=step, series=series, unit=unit, has_legend=False)
    colours = {key: series.index(_shown(name, series)) + 1 for key, name in names.items() if spent[name]}
    return Picture(spec, colours, lines)


def _most(sums: Mapping[str, float], number: int) -> list[str]:
    """The names with most; where there are many more, the rest is one at the end."""
    ranked = sorted((name for name, amount in sums.items() if amount > 0), key=lambda name: (-sums[name], name))
    return ranked if len(ranked) <= number + 1 else [*ranked[:number], _("Others")]


def _shown(name: str, series: Sequence[str]) -> str:
    return name if name in series else _("Others")

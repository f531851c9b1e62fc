"""The charts of the usage page as Vega-Lite specifications: pure dictionaries, coloured by the theme."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from core.usage.budgets import Month
from core.usage.reports import Group
from pages.sections.usage import labels
from pages.ui.language import _

Spec = dict[str, Any]
Value = dict[str, Any]

HEIGHT = 260
BAR_HEIGHT = 34
AXIS_HEIGHT = 60
LEGEND_COLUMNS = 2
LABEL_PX, LONG_LABEL_PX = 130, 300
LONG_NAME_CHARS = 20
"""From here on a name would be cut before what tells it from another; a legend of such has one column."""
TICKS = 7
FEW_BARS = 5
OPENED = "opened"
"""The selection that a click on a part of a bar is."""
_AXIS_FORMAT = {Group.DAY: "%-d %b", Group.WEEK: "%-d %b", Group.MONTH: "%b %Y"}


def bars(
    values: Sequence[Value],
    *,
    steps: Sequence[date],
    step: Group,
    series: Sequence[str],
    unit: str,
    has_legend: bool = True,
    opens: bool = False,
) -> Spec:
    """Stacked bars over time; values have `at` (ISO), `when` (words), `series` and `amount`.

    The first series lies at the bottom. A pointer on one makes the others step back, and is told every part of the bar
    and the whole of it; with `opens` a click is a selection of that name, of `at` and `series`.
    Without a legend of its own another part of the page says what the colours mean.
    """
    whole = _whole(values, series)
    values = [value | {"share": value["amount"] / whole[value["at"]]["whole"]} for value in values]
    parts = [
        {"field": field, "type": "quantitative", "title": name, "format": ",d"}
        for field, name in zip(_parts(series), series, strict=True)
    ]
    domain = [at.isoformat() for at in steps]
    spread = max(1, -(-len(domain) // TICKS))
    width: Any = 48 if len(domain) <= FEW_BARS else {"band": 0.82}
    return {
        "data": {"values": list(values)},
        "transform": [
            {
                "lookup": "at",
                "from": {"data": {"values": list(whole.values())}, "key": "at", "fields": ["whole", *_parts(series)]},
            }
        ],
        "mark": {"type": "bar", "width": width, "aria": False} | ({"cursor": "pointer"} if opens else {}),
        "height": HEIGHT + (_legend_height(series) if has_legend else 0),
        "config": _config(),
        "params": [
            {"name": "pointed", "select": {"type": "point", "on": "pointerover", "fields": ["series"]}},
            *([{"name": OPENED, "select": {"type": "point", "on": "click", "fields": ["at", "series"]}}] * opens),
        ],
        "encoding": {
            "opacity": {"condition": {"param": "pointed", "value": 1}, "value": 0.35},
            "x": {
                "field": "at",
                "type": "ordinal",
                "scale": {"domain": domain},
                "axis": {
                    "title": None,
                    "values": domain[::spread],
                    "labelExpr": f"utcFormat(toDate(datum.value), '{_AXIS_FORMAT[step]}')",
                    "labelAngle": 0,
                    "labelOverlap": "greedy",
                    "ticks": False,
                },
            },
            "y": _amounts("amount", unit),
            "color": _colours(series) if has_legend else _colours(series) | {"legend": None},
            "order": {"field": "place", "type": "quantitative"},
            "tooltip": [
                {"field": "when", "type": "nominal", "title": _(labels.STEPS[step])},
                {"field": "series", "type": "nominal", "title": _("What")},
                {"field": "share", "type": "quantitative", "title": _("Share"), "format": ".0%"},
                *(parts if len(parts) > 1 else ()),
                {
                    "field": "whole",
                    "type": "quantitative",
                    "title": _("In all") if len(parts) > 1 else unit,
                    "format": ",d",
                },
            ],
        },
    }


def _whole(values: Sequence[Value], series: Sequence[str]) -> dict[str, Value]:
    """Bar -> what it and each of its series came to."""
    found: dict[str, Value] = {}
    for value in values:
        of_bar = found.setdefault(value["at"], {"at": value["at"], "whole": 0} | dict.fromkeys(_parts(series), 0))
        of_bar["whole"] += value["amount"]
        of_bar[f"part{series.index(value['series'])}"] += value["amount"]
    return found


def _parts(series: Sequence[str]) -> Sequence[str]:
    """The fields of a bar that hold what each series came to in it."""
    return [f"part{place}" for place in range(len(series))]


def ranking(
    values: Sequence[Value], *, names: Sequence[str], series: Sequence[str], unit: str, has_legend: bool = True
) -> Spec:
    """Stacked bars lying down, a name each, in the order given; values have `name`, `series` and `amount`.

    Without a legend of its own another part of the page says what the colours mean.
    """
    is_long = any(len(name) > LONG_NAME_CHARS for name in names)
    return {
        "data": {"values": list(values)},
        "mark": {"type": "bar", "aria": False},
        "height": BAR_HEIGHT * len(names) + AXIS_HEIGHT + (_legend_height(series) if has_legend else 0),
        "config": _config(),
        "encoding": {
            "y": {
                "field": "name",
                "type": "nominal",
                "sort": list(names),
                "axis": {"title": None, "labelLimit": 170 if is_long else LABEL_PX, "ticks": False},
            },
            "x": _amounts("amount", unit) | {"axis": {"title": unit, "labelExpr": labels.axis_label(), "tickCount": 4}},
            "color": _colours(series) if has_legend else _colours(series) | {"legend": None},
            "order": {"field": "place", "type": "quantitative"},
            "tooltip": [
                {"field": "name", "type": "nominal", "title": _("Name")},
                {"field": "series", "type": "nominal", "title": _("What")},
                {"field": "amount", "type": "quantitative", "title": unit, "format": ",d"},
            ],
        },
    }


def cumulated(month: Month, today: date) -> Spec:
    """Credits spent so far day by day, the forecast dashed in its range, and the budget as a line across."""
    spent, budget = _("Spent"), _("Budget")
    series = [spent] if month.budget_credits is None else [spent, budget]
    colour = _colours(series)
    if colour["legend"]:
        colour["legend"] |= {"symbolType": "stroke", "symbolOpacity": 1, "symbolStrokeWidth": 3}
    across: Spec = {
        "field": "at",
        "type": "temporal",
        "scale": {"type": "utc", "domain": [month.first.isoformat(), month.last.isoformat()]},
        "axis": {"title": None, "format": "%-d %b", "grid": False, "tickCount": TICKS, "labelOverlap": "greedy"},
    }
    until = min(today, month.last)
    line = {
        "mark": {"type": "line", "strokeWidth": 2.5, "point": month.first == until, "aria": False},
        "encoding": {
            "y": _amounts("amount", _("Credits")),
            "color": {"datum": spent} | colour,
            "tooltip": [
                {"field": "when", "type": "nominal", "title": _("Until")},
                {"field": "amount", "type": "quantitative", "title": spent, "format": ",d"},
            ],
        },
    }
    layers: list[Spec] = [line]
    if month.forecast is not None:
        now = {"at": until.isoformat(), "low": month.spent_credits, "high": month.spent_credits}
        end = {"at": month.last.isoformat(), "low": month.forecast.low_credits, "high": month.forecast.high_credits}
        middle = [now | {"amount": month.spent_credits}, end | {"amount": month.forecast.expected_credits}]
        layers.append(
            {
                "data": {"values": middle},
                "mark": {"type": "area", "opacity": 0.18, "aria": False},
                "encoding": {
                    "y": {"field": "low", "type": "quantitative"},
                    "y2": {"field": "high"},
                },
            }
        )
        layers.append(
            {
                "data": {"values": middle},
                "mark": {"type": "line", "strokeDash": [5, 4], "strokeWidth": 2, "aria": False},
                "encoding": {"y": {"field": "amount", "type": "quantitative"}, "color": {"datum": spent}},
            }
        )
    if month.budget_credits is not None:
        layers.append(
            {
                "data": {"values": [{}]},
                "mark": {"type": "rule", "strokeWidth": 2, "aria": False},
                "encoding": {"x": None, "y": {"datum": month.budget_credits}, "color": {"datum": budget}},
            }
        )
    return {
        "data": {"values": running(month, until)},
        "height": HEIGHT + _legend_height(series),
        "config": _config(),
        "encoding": {"x": across},
        "layer": layers,
    }


def running(month: Month, until: date) -> list[Value]:
    """What was spent from the first of a month to the end of each of its days."""
    total = 0
    found: list[Value] = []
    for place in range((until - month.first).days + 1):
        at = date.fromordinal(month.first.toordinal() + place)
        total += month.by_day.get(at, 0)
        found.append({"at": at.isoformat(), "when": labels.day(at), "amount": total})
    return found


def _config() -> Spec:
    """The reader's language, and none of Vega's own descriptions, which are English: each has ours, and a table."""
    return {"locale": labels.vega_locale(), "aria": False, "background": "transparent"}


def _amounts(field: str, unit: str) -> Spec:
    axis = {"title": unit, "format": ",d", "tickCount": 5, "tickMinStep": 1}
    return {"field": field, "type": "quantitative", "axis": axis}


def _legend_height(series: Sequence[str]) -> int:
    """What the legend takes of a chart, so that it does not take it from the bars."""
    return 0 if len(series) < 2 else 40 + 18 * -(-len(series) // _legend_columns(series))


def _legend_columns(series: Sequence[str]) -> int:
    return 1 if any(len(name) > LONG_NAME_CHARS for name in series) else LEGEND_COLUMNS


def _colours(series: Sequence[str]) -> Spec:
    columns = _legend_columns(series)
    limit_px = LONG_LABEL_PX if columns == 1 else LABEL_PX
    legend = (
        {"title": None, "orient": "bottom", "columns": columns, "labelLimit": limit_px} if len(series) > 1 else None
    )
    return {"field": "series", "type": "nominal", "scale": {"domain": list(series)}, "legend": legend}

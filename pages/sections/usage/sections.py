"""The sections of the usage page, each a chart with its table and its files. Draws only."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import streamlit as st

from core.insights.model_stats import SPEED_SAMPLE, TimeRange
from core.usage import budgets
from core.usage.reports import Group, UsageTotals
from pages.elements import sorted_table
from pages.elements.sorted_table import Cell, Column
from pages.sections.usage import charts, labels
from pages.sections.usage.charts import Value
from pages.sections.usage.choice import Choice
from pages.sections.usage.figures import Shown
from pages.sections.usage.tables import behind, chart, charted, download_of
from pages.ui import wording
from pages.ui.downloads import MakeFile
from pages.ui.language import _

TOP_PROJECTS = 10
NARROWED_BY = {Group.MODEL: "model", Group.PROVIDER: "provider", Group.PROJECT: "project", Group.USER: "whose"}
"""What bars are stacked by -> the filter of the library that shows one part of them."""


def spend(shown: Shown, choice: Choice, file: MakeFile) -> None:
    """Credits over time, stacked."""
    lines: list[Value] = []
    values: list[Value] = []
    for at in choice.steps:
        for place, name in enumerate(shown.series):
            if credits := shown.stacked.get((at, name), 0):
                when = labels.step(at, choice.step)
                values.append({"at": at.isoformat(), "when": when, "series": name, "amount": credits, "place": place})
                lines.append(
                    {
                        _(labels.STEPS[choice.step]): choice.key(at),
                        _(labels.SERIES[choice.series]): name,
                        _("Credits"): credits,
                    }
                )
    spec = charts.bars(
        values,
        steps=choice.steps,
        step=choice.step,
        series=shown.series,
        unit=_("Credits"),
        has_legend=False,
        opens=_opens(choice),
    )

    def open_clips(at: str, name: str) -> None:
        narrowed = {NARROWED_BY[choice.series]: shown.series_ids[name]} if name in shown.series_ids else {}
        _open_clips(choice, at, narrowed | {"status": "completed"})

    days = labels.days(choice.selection.since, choice.selection.until)
    alt = _("Bars of credits spent, {days}, stacked by {series}; {credits} in all. The table holds the same.").format(
        days=days,
        series=_(labels.SERIES[choice.series]).lower(),
        credits=wording.priced(shown.total.settled_credits),
    )
    left, right = st.columns([3, 2], gap="medium")
    with left, st.container(border=True, key="card_usage_spend", height="stretch"):
        st.header(_("Spent over time"), anchor=False)
        chart(spec, key="spend", alt=alt, on_opened=open_clips if _opens(choice) else None)
    with right, st.container(border=True, key="card_usage_series", height="stretch"):
        st.header(_(labels.SPLITS[choice.series]), anchor=False)
        _series(shown, choice)
    behind(lines, key="spend", file=file)


def _opens(choice: Choice) -> bool:
    """Whether a part of a bar leads to its clips: not of everybody's, which are not all for who looks."""
    return not choice.selection.everybody and choice.series in NARROWED_BY


def _open_clips(choice: Choice, at: str, narrowed: dict[str, str]) -> None:
    """Go to the clips of a part of a bar."""
    st.switch_page("history.py", query_params=choice.clips(date.fromisoformat(at)) | narrowed)


def _series(shown: Shown, choice: Choice) -> None:
    """The legend of the chart, with what each series came to, its share and how it differs from before."""
    others = _("Others")
    sums = dict.fromkeys(shown.series, 0)
    for (_at, name), credits in shown.stacked.items():
        sums[name] += credits
    total = sum(sums.values())
    columns = [
        Column(_(labels.SERIES[choice.series])),
        Column(_("Credits"), is_number=True),
        Column("Rp", is_number=True),
        Column(_("Share"), is_number=True),
    ]
    rows: list[list[Cell | str]] = []
    for name, credits in sums.items():
        share = credits / total if total else None
        row: list[Cell | str] = [
            name,
            Cell(wording.credits(credits), credits),
            Cell(wording.worth(credits).removeprefix("Rp "), credits),
            Cell(labels.share(share), share),
        ]
        if shown.series_before:
            before = shown.series_before.get(name, 0)
            row.append(Cell(labels.change(credits, before) or labels.NONE, credits / before - 1 if before else None))
        rows.append(row)
    if shown.series_before:
        columns.append(Column(_("Change"), is_number=True, explained=_("Compared with the equally long time before")))
    sorted_table.show(
        columns,
        rows,
        key="usage_series",
        name=_(labels.SPLITS[choice.series]),
        swatches=list(range(1, len(rows) + 1)),
        fixed_last=others in sums,
    )


def outcome(shown: Shown, choice: Choice) -> None:
    """Completed and failed clips over time, and beside them the credits that went back."""
    step = _(labels.STEPS[choice.step])
    series = [_("Completed"), _("Failed"), _("Cancelled")]
    values: list[Value] = []
    refunds: list[Value] = []
    lines: list[Value] = []
    for at, figures in sorted(shown.by_step.items()):
        when = labels.step(at, choice.step)
        base = {"at": at.isoformat(), "when": when}
        counts = (figures.completed, figures.failed, figures.cancelled)
        values += [
            {**base, "series": name, "amount": amount, "place": place}
            for place, (name, amount) in enumerate(zip(series, counts, strict=True))
            if amount
        ]
        if figures.released_credits:
            refunds.append(base | {"series": _("Returned"), "amount": figures.released_credits, "place": 0})
        lines.append(
            {step: choice.key(at), **dict(zip(series, counts, strict=True)), _("Returned"): figures.released_credits}
        )

    def open_clips(at: str, name: str) -> None:
        _open_clips(choice, at, {"status": ("completed", "failed", "cancelled")[series.index(name)]})

    left, right = st.columns(2, gap="medium")
    total = shown.total
    with left:
        st.header(_("Completed and failed"), anchor=False)
        alt = _("Bars of clips by how they ended: {completed} completed, {failed} failed, {cancelled} cancelled.")
        charted(
            charts.bars(
                values, steps=choice.steps, step=choice.step, series=series, unit=_("Clips"), opens=_opens(choice)
            ),
            lines,
            key="outcome",
            on_opened=open_clips if _opens(choice) else None,
            alt=alt.format(
                **{name: wording.credits(getattr(total, name)) for name in ("completed", "failed", "cancelled")}
            ),
        )
    with right:
        st.header(_("Credits returned"), anchor=False)
        alt = _("Bars of credits returned for clips that failed or were cancelled; {credits} in all.")
        spec = charts.bars(refunds, steps=choice.steps, step=choice.step, series=[_("Returned")], unit=_("Credits"))
        charted(
            spec,
            [{step: line[step], _("Returned"): line[_("Returned")]} for line in lines],
            key="refunds",
            alt=alt.format(credits=wording.priced(total.released_credits)),
        )


def month(found: budgets.Month, today: date) -> None:
    """The month's running total against its budget and forecast, and how the forecast is made."""
    name = labels.month(found.first)
    st.header(_("{month}, day by day").format(month=name), anchor=False)
    alt = _("Line of credits spent in {month} so far: {credits}.").format(
        month=name, credits=wording.priced(found.spent_credits)
    )
    if found.budget_credits is not None:
        alt += " " + _("The budget is {credits}.").format(credits=wording.priced(found.budget_credits))
    if found.forecast is not None:
        alt += " " + _forecast_words(found)
    lines = [
        {_("Until"): line["at"], _("Spent"): line["amount"]} for line in charts.running(found, min(today, found.last))
    ]
    charted(charts.cumulated(found, today), lines, key="month", alt=alt)
    if found.forecast is not None:
        st.caption(
            _forecast_words(found)
            + " "
            + _(
                "It continues the daily average of the last {weeks} whole weeks; its range is what the calmest and the "
                "busiest of these weeks would lead to."
            ).format(weeks=found.forecast.weeks)
        )
    elif found.first <= today < found.last:
        st.caption(_("A forecast needs five days with charges, the first at least two weeks ago."))


def _forecast_words(found: budgets.Month) -> str:
    forecast = found.forecast
    if forecast is None:
        return ""
    return _("Forecast to the end of the month: about {credits}, between {low} and {high}.").format(
        credits=wording.priced(forecast.expected_credits),
        low=wording.credits(forecast.low_credits),
        high=wording.credits(forecast.high_credits),
    )


JUDGED_FROM = 10
"""What a kept second costs is told from so many judged clips on: fewer say little of a model."""


def models(shown: Shown, speeds: Mapping[str, TimeRange]) -> None:
    """What each model came to, how well it did and how long it took, to be sorted by any of it."""
    st.header(_("By model"), anchor=False)
    columns = [
        Column(_("Model")),
        *(
            Column(head, is_number=True, explained=explained)
            for head, explained in (
                (_("Credits"), ""),
                ("Rp", ""),
                (_("Clips"), ""),
                (_("Failed"), ""),
                (_("Success"), _("Of the clips that were not cancelled")),
                (_("Usual time"), _("Half of the clips were done within it")),
                (_("Slow time"), _("Nine in ten clips were done within it")),
                (_("Timed"), _("So many clips the times are based on")),
                (_("Judged"), _("So many clips were kept or rejected")),
                (
                    _("Credits per kept second"),
                    _("From {number} judged clips on").format(number=wording.credits(JUDGED_FROM)),
                ),
            )
        ),
    ]
    rows: list[list[Cell | str]] = []
    lines: list[Value] = []
    for one in shown.models:
        figures, took = one.figures, speeds.get(one.id)
        judged = figures.kept_count + figures.rejected_count
        each = _rounded(figures.credits_per_kept_second) if judged >= JUDGED_FROM else None
        values = (
            (figures.settled_credits, wording.credits),
            (figures.settled_idr, wording.credits),
            (figures.completed, wording.credits),
            (figures.failed, wording.credits),
            (figures.success_rate, wording.share),
            (took.p50_seconds if took else None, labels.seconds),
            (took.p90_seconds if took else None, labels.seconds),
            (took.based_on if took else 0, wording.credits),
            (judged, wording.credits),
            (each, wording.decimal),
        )
        rows.append([one.name, *(_cell(value, worded) for value, worded in values)])
        lines.append(
            dict(zip((at.head for at in columns), (one.name, *(value for value, _worded in values)), strict=True))
        )
    sorted_table.show(columns, rows, key="usage_models", name=_("By model"))
    download_of(lines, key="models")
    st.caption(
        _(
            "Times run from the order's acceptance by the provider to the finished clip. They are based on each "
            "model's newest {number} clips that ended in this period, everybody's, as it is the model that is timed."
        ).format(number=wording.credits(SPEED_SAMPLE))
    )


def _cell(value: Any, worded: Callable[[Any], str]) -> Cell:
    return Cell(labels.NONE if value is None else worded(value), value)


def projects(shown: Shown) -> None:
    """Where most was spent."""
    st.header(_("Top projects"), anchor=False)
    top = [one for one in shown.projects if one.figures.settled_credits][:TOP_PROJECTS]
    lines = [
        {
            _("Project"): one.name,
            _("Credits"): one.figures.settled_credits,
            _("Share"): one.figures.settled_credits / shown.total.settled_credits
            if shown.total.settled_credits
            else None,
            _("Clips"): one.figures.completed,
            _("Credits per kept second"): _rounded(one.figures.credits_per_kept_second),
        }
        for one in shown.projects
    ]
    names = [one.name for one in top]
    spent = _("Spent")
    values = [
        {"name": name, "series": spent, "amount": one.figures.settled_credits, "place": 0}
        for name, one in zip(names, top, strict=True)
    ]
    spec = charts.ranking(values, names=names, series=[spent], unit=_("Credits"))
    alt = _("Bars of credits spent in each of the {number} projects with most.").format(number=len(top))
    charted(spec, lines, key="projects", alt=alt, percent=(_("Share"),))


def cost(shown: Shown) -> None:
    """What the providers took and what was left, with the estimates marked."""
    st.header(_("Provider cost and margin"), anchor=False)
    names = [_("Cost, reported"), _("Cost, estimate"), _("Cost, adjusted"), _("Margin")]
    is_adjusted = any(one.figures.adjusted_cost_idr for one in shown.models)
    series = names if is_adjusted else [names[0], names[1], names[3]]
    values: list[Value] = []
    lines: list[Value] = []
    for one in shown.models:
        figures = one.figures
        if not (figures.settled_credits or figures.adjusted_cost_idr):
            continue
        parts = [figures.reported_cost_idr, figures.still_estimated_idr, figures.margin_idr]
        if is_adjusted:
            parts.insert(2, figures.adjusted_cost_idr)
        values += [
            {"name": one.name, "series": name, "amount": amount, "place": place}
            for place, (name, amount) in enumerate(zip(series, parts, strict=True))
            if amount
        ]
        charged = {_("Model"): one.name, _("Charged, Rp"): figures.settled_idr}
        lines.append(
            charged
            | {f"{name}, Rp": amount for name, amount in zip(series, parts, strict=True)}
            | {
                _("Paid for nothing, Rp"): figures.wasted_cost_idr,
                _("Clips of unknown cost"): figures.cost_unknown_count,
            }
            | {_("Markup"): None if figures.markup is None else round(figures.markup, 2)}
        )
    spec = charts.ranking(values, names=[str(line[_("Model")]) for line in lines], series=series, unit=_("Rupiah"))
    total = shown.total
    alt = _("Bars of what each model's clips were charged, split into provider cost and margin: {cost} and {margin}.")
    charted(
        spec,
        lines,
        key="cost",
        alt=alt.format(cost=wording.rupiah(total.cost_idr), margin=wording.rupiah(total.margin_idr)),
    )
    st.caption(
        _(
            "A reported cost is what the provider stated. Where it states none, the cost is an estimate from the "
            "provider's price. Both are in the dollar of each order's day. The margin is what was charged less the "
            "cost, so it is an estimate as far as the cost is."
        )
    )
    _cost_notes(total)


def _cost_notes(total: UsageTotals) -> None:
    """What of the cost is not as it seems; nothing where it is."""
    if total.adjusted_cost_idr:
        st.caption(
            _("{cost} of it come from differences that were accepted in providers' statements.").format(
                cost=wording.rupiah(total.adjusted_cost_idr)
            )
        )
    if total.wasted_cost_idr:
        st.caption(
            _("{cost} of it were paid for nothing: for jobs that gave no clip.").format(
                cost=wording.rupiah(total.wasted_cost_idr)
            )
        )
    if total.cost_unknown_count:
        st.caption(
            _("Of {clips} nobody knows what they cost, so that they are in no cost.").format(
                clips=labels.clips(total.cost_unknown_count)
            )
        )
    if total.estimate_from_price_idr:
        st.caption(
            _("{cost} are an older estimate, a share of our own price.").format(
                cost=wording.rupiah(total.estimate_from_price_idr)
            )
        )


def _rounded(amount: float | None) -> float | None:
    return None if amount is None else round(amount, 1)

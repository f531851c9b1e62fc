"""What was spent, on what and how well it went: all figures from the daily roll-ups."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import streamlit as st

from core import db, errors, usage, usage_csv
from core.models import utc_now
from core.providers import registry
from pages import components, visitor, wording

PERIODS = {"7": "7 days", "30": "30 days", "90": "90 days", "own": "Own dates"}
LONGEST_DAYS = 731

person = visitor.person()


def choose_period(today: date) -> tuple[date, date]:
    """First and last day, both included, UTC."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        period = st.radio(
            "Period",
            list(PERIODS),
            index=1,
            format_func=PERIODS.__getitem__,
            horizontal=True,
            key="usage_period",
            width="content",
            persist_state="session",
        )
        if period != "own":
            return today - timedelta(days=int(period or 30) - 1), today
        chosen = st.date_input(
            "From and to",
            (today - timedelta(days=29), today),
            min_value=today - timedelta(days=LONGEST_DAYS),
            max_value=today,
            key="usage_dates",
            format="YYYY-MM-DD",
            width=260,
        )
    days = chosen if isinstance(chosen, tuple) else (chosen,)
    if len(days) != 2:
        st.caption("Choose the last day, too.")
        st.stop()
    return days


def model_name(model_id: str) -> str:
    """A model's name; its id once it is no longer offered."""
    try:
        return registry.model(model_id).name
    except errors.NotFound:
        return model_id


def figures(totals: usage.Totals) -> None:
    """The period in six numbers."""
    rate = totals.success_rate
    seconds = totals.video_seconds
    with st.grid(3, min_column_width=200):
        figure("Spent credits", wording.credits(totals.settled_credits), wording.worth(totals.settled_credits))
        figure("Clips", wording.credits(totals.completed), f"{totals.failed} failed, {totals.cancelled} cancelled")
        figure(
            "Success rate",
            "–" if rate is None else f"{rate:.0%}",
            f"of {wording.credits(totals.completed + totals.failed)} not cancelled",
        )
        figure("Seconds of video", wording.credits(seconds), f"{seconds / 60:.1f} minutes")
        figure("Credits given back", wording.credits(totals.released_credits), wording.worth(totals.released_credits))
        figure("Provider cost", wording.rupiah(totals.estimated_cost_idr), "estimate, from price and markup")


def figure(label: str, value: str, note: str) -> None:
    """One number with a word on it."""
    st.metric(label, value, note, delta_color="off", delta_arrow="off", border=True)


def chart(rows: Sequence[usage.Row], since: date, until: date) -> None:
    """Credits a day, stacked by model."""
    values = [
        {"day": row.day.isoformat(), "model": model_name(row.model_id), "credits": row.settled_credits}
        for row in rows
        if row.settled_credits
    ]
    domain = [since.isoformat(), (until + timedelta(days=1)).isoformat()]
    spec: dict[str, Any] = {
        "data": {"values": values},
        "mark": {"type": "bar", "tooltip": True},
        "height": 280,
        "encoding": {
            "x": {
                "field": "day",
                "type": "temporal",
                "timeUnit": "utcyearmonthdate",
                "scale": {"type": "utc", "domain": domain},
                "axis": {"title": None, "format": "%-d %b", "grid": False},
            },
            "y": {"field": "credits", "type": "quantitative", "axis": {"title": "Credits", "format": ",d"}},
            "color": {
                "field": "model",
                "type": "nominal",
                "legend": {"title": None, "orient": "bottom", "columns": 2},
            },
            "tooltip": [
                {"field": "day", "type": "temporal", "timeUnit": "utcyearmonthdate", "title": "Day (UTC)"},
                {"field": "model", "title": "Model"},
                {"field": "credits", "title": "Credits", "format": ",d"},
            ],
        },
    }
    spent = sum(value["credits"] for value in values if isinstance(value["credits"], int))
    alt = f"Bars of credits spent a day from {since} to {until}, stacked by model; {wording.priced(spent)} in all."
    st.vega_lite_chart(spec=spec, width="stretch", alt=alt, key="usage_chart")


def table(rows: Sequence[usage.Row]) -> None:
    """The period by model, most spent first."""
    by_model: dict[str, list[usage.Row]] = defaultdict(list)
    for row in rows:
        by_model[row.model_id].append(row)
    sums = sorted(
        ((model_id, usage.totals(some)) for model_id, some in by_model.items()),
        key=lambda pair: -pair[1].settled_credits,
    )
    st.dataframe(
        [
            {
                "Model": model_name(model_id),
                "Credits": total.settled_credits,
                "Rupiah": wording.worth(total.settled_credits),
                "Clips": total.completed,
                "Failed": total.failed,
                "Cancelled": total.cancelled,
                "Success": None if total.success_rate is None else round(total.success_rate, 2),
                "Seconds": total.video_seconds,
                "Cost, estimate": wording.rupiah(total.estimated_cost_idr),
            }
            for model_id, total in sums
        ],
        hide_index=True,
        column_config={
            "Credits": st.column_config.NumberColumn(format="localized"),
            "Success": st.column_config.NumberColumn(
                format="percent", help="Completed of those that were not cancelled"
            ),
            "Seconds": st.column_config.NumberColumn(format="localized"),
        },
        alt="Spend by model with clips, failures and success rate",
    )


with components.calm():
    since, until = choose_period(utc_now().date())
    with db.session(read_only=True) as session:
        rows = usage.by_day_and_model(session, person, since=since, until=until)
    if not rows:
        components.empty_state(
            "Nothing ended in this time",
            "A clip counts on the day it is delivered, fails or is cancelled. Choose other dates, or make a clip.",
            icon="bar_chart",
        )
        with st.container(horizontal_alignment="center"):
            st.page_link("generate.py", label="Make a clip", icon=":material/movie:")
        st.stop()
    figures(usage.totals(rows))
    st.header("Spent a day", anchor=False)
    chart(rows, since, until)
    st.header("By model", anchor=False)
    table(rows)
    st.download_button(
        "Download CSV",
        data=lambda: usage_csv.write(rows, usage.totals(rows)),
        file_name=f"usage-{since}-{until}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="usage_csv",
    )

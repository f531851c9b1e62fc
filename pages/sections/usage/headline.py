"""The head of the usage page: what was spent as a sentence with its course, and the figures that go with the charts."""

import base64
import html
from collections.abc import Sequence
from datetime import timedelta

import streamlit as st

from core.usage import budgets
from pages.sections.usage import labels
from pages.sections.usage.choice import Choice
from pages.sections.usage.figures import Shown
from pages.sections.usage.labels import NONE
from pages.ui import components, wording
from pages.ui.language import _, plural

LINE_WIDTH, LINE_HEIGHT = 160, 36
LINE_COLOUR = "#2A93A0"
"""Seen on the cards of both themes: a picture cannot take the colour of what is around it."""


def show(shown: Shown, choice: Choice, section: str, month: budgets.Month | None) -> None:
    """The sentence, and beside it three figures of the section, each with how it differs from the time before."""
    figures = {"spending": _of_spending, "outcome": _of_outcome, "cost": _of_cost}[section]
    with st.container(border=True, key="card_usage_head"):
        lead, beside = st.columns([2, 3], gap="medium", vertical_alignment="center")
        with lead:
            st.html(_sentence(shown, choice, month))
        with beside, st.grid(3, min_column_width=92, gap="small"):
            for label, value, change, note in figures(shown):
                components.bare_figure(label, value, change, note)


Figure = tuple[str, str, str | None, str]
"""Label, value, how it differs from before, and a word on it."""


def _sentence(shown: Shown, choice: Choice, month: budgets.Month | None) -> str:
    """`407,314 credits in 30 days · +1% · November 2026 will end at about 421,740`, its worth, and its course."""
    now, before = shown.total.settled_credits, shown.before.settled_credits
    parts = [f"<strong>{html.escape(wording.priced(now))}</strong> {html.escape(_in_days(choice))}"]
    if change := labels.change(now, before):
        parts.append(html.escape(change))
    if month is not None and month.forecast is not None:
        ends = _("{month} will end at about {credits}").format(
            month=labels.month(month.first), credits=wording.credits(month.forecast.expected_credits)
        )
        parts.append(html.escape(ends))
    compared = _("compared with {days}").format(days=labels.days(choice.before.since, choice.before.until))
    small = html.escape(f"{wording.worth(now)} · {compared}")
    steps = [shown.by_step[at].settled_credits if at in shown.by_step else 0 for at in choice.steps]
    return (
        f'<p class="studio-lead">{" · ".join(parts)}</p>'
        f'<div class="studio-lead-below"><span>{small}</span>{_course(steps)}</div>'
    )


def _in_days(choice: Choice) -> str:
    """`in November 2026` for a month from its first day on, else `in 30 days`."""
    since, until = choice.selection.since, choice.selection.until
    ends_month = (until + timedelta(days=1)).day == 1
    if since.day == 1 and (since.year, since.month) == (until.year, until.month) and ends_month:
        return _("in {month}").format(month=labels.month(since))
    days = (until - since).days + 1
    return plural("in {number} day", "in {number} days", days).format(number=wording.credits(days))


def _course(amounts: Sequence[int]) -> str:
    """A small line of amounts one after the other; the chart below says the same in full."""
    if len(amounts) < 2 or not any(amounts):
        return ""
    most = max(amounts)
    across = (LINE_WIDTH - 4) / (len(amounts) - 1)
    points = " ".join(
        f"{2 + place * across:.1f},{LINE_HEIGHT - 3 - (LINE_HEIGHT - 6) * amount / most:.1f}"
        for place, amount in enumerate(amounts)
    )
    drawn = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LINE_WIDTH} {LINE_HEIGHT}"><polyline points="{points}" '
        f'fill="none" stroke="{LINE_COLOUR}" stroke-width="2" stroke-linejoin="round"/></svg>'
    )
    source = f"data:image/svg+xml;base64,{base64.b64encode(drawn.encode()).decode()}"
    return f'<img alt="" width="{LINE_WIDTH}" height="{LINE_HEIGHT}" src="{source}">'


def _of_spending(shown: Shown) -> Sequence[Figure]:
    now, before = shown.total, shown.before
    judged, each = now.kept_count + now.rejected_count, now.credits_per_kept_second
    return (
        _clips(shown),
        (
            _("Seconds of video"),
            wording.credits(now.video_seconds),
            labels.change(now.video_seconds, before.video_seconds),
            _("{minutes} minutes").format(minutes=wording.decimal(now.video_seconds / 60)),
        ),
        (
            _("Credits per kept second"),
            NONE if each is None else wording.decimal(each),
            None if each is None else labels.change(each, before.credits_per_kept_second or 0),
            _("{kept} of {judged} judged clips kept").format(
                kept=wording.credits(now.kept_count), judged=wording.credits(judged)
            )
            if judged
            else _("no clip was judged yet"),
        ),
    )


def _clips(shown: Shown) -> Figure:
    now, before = shown.total, shown.before
    failed, cancelled = wording.credits(now.failed), wording.credits(now.cancelled)
    note = _("{failed} failed, {cancelled} cancelled").format(failed=failed, cancelled=cancelled)
    return _("Clips"), wording.credits(now.completed), labels.change(now.completed, before.completed), note


def _of_outcome(shown: Shown) -> Sequence[Figure]:
    now, before = shown.total, shown.before
    return (
        (
            _("Success rate"),
            labels.share(now.success_rate),
            _points(now.success_rate, before.success_rate),
            _("of {clips} not cancelled").format(clips=labels.clips(now.completed + now.failed)),
        ),
        _clips(shown),
        (
            _("Credits returned"),
            wording.credits(now.released_credits),
            labels.change(now.released_credits, before.released_credits),
            _("for clips that failed or were cancelled"),
        ),
    )


def _of_cost(shown: Shown) -> Sequence[Figure]:
    now, before = shown.total, shown.before
    short = wording.is_wide(now.cost_idr) or wording.is_wide(now.margin_idr)  # of a row, all are or none is
    money = wording.rupiah_in_short if short else wording.rupiah
    charged = labels.share(now.margin_idr / now.settled_idr if now.settled_idr else None)
    return (
        _clips(shown),
        (
            _("Provider cost"),
            money(now.cost_idr),
            labels.change(now.cost_idr, before.cost_idr),
            _cost_note(shown),
        ),
        (
            _("Margin"),
            money(now.margin_idr),
            labels.change(now.margin_idr, before.margin_idr) if before.margin_idr > 0 else None,
            _("{share} of what was charged").format(share=charged),
        ),
    )


def _points(now: float | None, before: float | None) -> str | None:
    if now is None or before is None:
        return None
    points = round(100 * now) - round(100 * before)
    return (
        plural("{number} point", "{number} points", abs(points)).format(number=f"{points:+d}")
        if points
        else _("no change")
    )


def _cost_note(shown: Shown) -> str:
    if not shown.total.cost_idr:
        return _("nothing yet")
    if not shown.total.reported_cost_idr:
        return _("estimate, from providers' prices")
    share = labels.share(shown.total.still_estimated_idr / shown.total.cost_idr)
    return _("{share} of it an estimate").format(share=share)

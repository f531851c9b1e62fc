"""The head of the usage page: a time in eight figures, each compared with the equally long time before."""

import streamlit as st

from pages.sections.usage import labels
from pages.sections.usage.choice import Choice
from pages.sections.usage.figures import Shown
from pages.sections.usage.labels import NONE
from pages.ui import components, wording
from pages.ui.language import _, plural


def show(shown: Shown, choice: Choice) -> None:
    """The period in eight figures, each with how it differs from the time before."""
    now, before = shown.total, shown.before
    judged = now.kept_count + now.rejected_count
    with st.grid(4, min_column_width=150):
        components.figure(
            _("Spent credits"),
            wording.credits(now.settled_credits),
            labels.change(now.settled_credits, before.settled_credits),
            wording.worth(now.settled_credits),
        )
        components.figure(
            _("Clips"),
            wording.credits(now.completed),
            labels.change(now.completed, before.completed),
            _("{failed} failed, {cancelled} cancelled").format(
                failed=wording.credits(now.failed), cancelled=wording.credits(now.cancelled)
            ),
        )
        components.figure(
            _("Success rate"),
            labels.share(now.success_rate),
            _points(now.success_rate, before.success_rate),
            _("of {clips} not cancelled").format(clips=labels.clips(now.completed + now.failed)),
        )
        components.figure(
            _("Seconds of video"),
            wording.credits(now.video_seconds),
            labels.change(now.video_seconds, before.video_seconds),
            _("{minutes} minutes").format(minutes=wording.decimal(now.video_seconds / 60)),
        )
        components.figure(
            _("Credits returned"),
            wording.credits(now.released_credits),
            labels.change(now.released_credits, before.released_credits),
            _("for clips that failed or were cancelled"),
        )
        each = now.credits_per_kept_second
        components.figure(
            _("Credits per kept second"),
            NONE if each is None else wording.decimal(each),
            None if each is None else labels.change(each, before.credits_per_kept_second or 0),
            _("{kept} of {judged} judged clips kept").format(
                kept=wording.credits(now.kept_count), judged=wording.credits(judged)
            )
            if judged
            else _("no clip was judged yet"),
            explained=_(
                "All credits charged for clips of this period, divided by the seconds of those that people marked as "
                "kept. Mark clips on the History page to see it."
            ),
        )
        short = wording.is_wide(now.cost_idr) or wording.is_wide(now.margin_idr)  # of a row, all are or none is
        _rupiah(
            _("Provider cost"),
            now.cost_idr,
            short,
            labels.change(now.cost_idr, before.cost_idr),
            _cost_note(shown),
        )
        _rupiah(
            _("Margin"),
            now.margin_idr,
            short,
            labels.change(now.margin_idr, before.margin_idr) if before.margin_idr > 0 else None,
            _("{share} of what was charged").format(
                share=labels.share(now.margin_idr / now.settled_idr if now.settled_idr else None)
            ),
        )
    st.caption(
        _("Percentages compare with {days}. Days are UTC; a clip counts on the day it ends.").format(
            days=labels.days(choice.before.since, choice.before.until)
        )
    )


def _rupiah(label: str, amount_idr: int, short: bool, change: str | None, note: str) -> None:
    """A figure of money; one that is shortened to fit is explained by the whole of it."""
    whole = wording.rupiah(amount_idr)
    shown = wording.rupiah_in_short(amount_idr) if short else whole
    components.figure(label, shown, change, note, explained=whole if short else None)


def _points(now: float | None, before: float | None) -> str | None:
    if now is None or before is None:
        return None
    points = round(100 * now) - round(100 * before)
    return plural("{number} point", "{number} points", abs(points)).format(number=f"{points:+d}") if points else None


def _cost_note(shown: Shown) -> str:
    if not shown.total.cost_idr:
        return _("nothing yet")
    if not shown.total.reported_cost_idr:
        return _("estimate, from providers' prices")
    share = labels.share(shown.total.still_estimated_idr / shown.total.cost_idr)
    return _("{share} of it an estimate").format(share=share)

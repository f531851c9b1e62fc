"""The table of the explorer, which is the legend of its chart: sorted by any column, with a total and ways to clips."""

from collections.abc import Mapping, Sequence

import streamlit as st

from core.db.enums import Status
from core.usage.exploration import Amounts, ClipFilter, Exploration, Measure, Row
from core.usage.views import View
from pages.elements import sorted_table
from pages.elements.sorted_table import Cell, Column
from pages.sections.explore import words
from pages.sections.explore.picture import Key, key_of
from pages.sections.history import filters
from pages.sections.usage import labels
from pages.ui import wording
from pages.ui.language import _

MOST_ROWS = 200
"""More are in the file."""

HIGH_FROM_ROWS = 14
HEIGHT_PX = 560

_STATUS = {Status.COMPLETED: "completed", Status.FAILED: "failed", Status.CANCELLED: "cancelled"}


def show(view: View, found: Exploration, colours: Mapping[Key, int]) -> None:
    """Draw it."""
    shown, left = found.rows[:MOST_ROWS], found.rows[MOST_ROWS:]
    rows = [[*words.names(view.by, row.values), *_figures(view, row)] for row in shown]
    blank = [""] * (len(view.by) - 1)
    if left and found.adds_up:
        name = _("Others ({number})").format(number=wording.credits(len(left)))
        rows.append([name, *blank, *_figures(view, _together(left))])
    total = Row((), found.totals, 1.0 if found.totals.of(view.measure) else None, found.previous_totals)
    rows.append([_("Total"), *blank, *_figures(view, total)])
    fixed = len(rows) - len(shown)
    swatches = [colours.get(key_of(row.values)) for row in shown] + [None] * fixed
    columns = [Column(words.DIMENSIONS[dimension]) for dimension in view.by]
    is_high = len(rows) > HIGH_FROM_ROWS
    with st.container(height=HEIGHT_PX if is_high else "content", border=False):
        sorted_table.show(
            [*columns, *_heads(view)],
            rows,
            key="explore_table",
            name=_("Every figure of the chart"),
            swatches=swatches,
            swatch_column=1 if len(view.by) > 1 and view.over is None else 0,
            fixed_last=fixed,
        )
    if left:
        st.caption(
            _("The first {number} rows are shown; the file has all {all}.").format(
                number=wording.credits(len(shown)), all=wording.credits(len(found.rows))
            )
        )


def _heads(view: View) -> Sequence[Column]:
    found = [
        Column(words.head(view.measure, view.unit), is_number=True),
        Column(_("Share"), is_number=True),
        Column(_("Change"), is_number=True, explained=_("Compared with the time before")),
    ]
    clips = Column(_("Clips"), is_number=True, explained=_("Delivered, failed and cancelled; leads to the clips"))
    return [clips, *found[1:]] if view.measure is Measure.CLIPS else [*found, clips]


def _figures(view: View, row: Row) -> list[Cell | str]:
    now = words.figure(row.amounts, view.measure, view.unit)
    before = words.figure(row.previous, view.measure, view.unit) if row.previous else 0
    clips = Cell(
        wording.credits(row.amounts.clips), row.amounts.clips, _address(row.clips) if row.amounts.clips else None
    )
    found: list[Cell | str] = [
        Cell(words.written(now, view.measure, view.unit), now),
        Cell(labels.share(row.share), row.share),
        Cell(labels.change(now, before) or labels.NONE, now / before - 1 if before else None),
    ]
    return [clips, *found[1:]] if view.measure is Measure.CLIPS else [*found, clips]


def _together(rows: Sequence[Row]) -> Row:
    """What is not shown by itself."""

    def added(every: Sequence[Amounts]) -> Amounts:
        names = Amounts.__dataclass_fields__
        return Amounts(**{name: sum(getattr(each, name) for each in every) for name in names})

    previous = [row.previous for row in rows if row.previous is not None]
    share = sum(row.share or 0 for row in rows)
    return Row((), added([row.amounts for row in rows]), share, added(previous) if previous else None)


def _address(clips: ClipFilter | None) -> str | None:
    """Where the library shows them."""
    if clips is None:
        return None
    wanted = {
        "days": filters.span(clips.since, clips.until),
        "where": "all" if clips.everywhere else None,
        "project": clips.project_id,
        "whose": clips.maker_id,
        "model": clips.model_id,
        "provider": clips.provider,
        "tag": clips.tag,
        "status": _STATUS[clips.status] if clips.status else None,
    }
    return filters.address(**wanted)

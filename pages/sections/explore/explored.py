"""The explorer: the sentence first, then the chart, and beside it the table that is its legend, and files."""

import html
from datetime import date

import streamlit as st

from core import audit_log, db, installation
from core.usage import budgets, explorer, explorer_file, periods
from core.usage.exploration import Exploration, Measure
from core.usage.spreadsheet import Separator, SpreadsheetFormat
from core.usage.views import Unit, View, Whose
from core.workspaces.access import Member
from pages.sections.explore import asked, picture, saved, scheduled, table, words
from pages.sections.usage import labels
from pages.sections.usage.tables import behind, chart
from pages.ui import components, current_member, downloads, wording
from pages.ui.language import _, plural


def show(person: Member, today: date) -> None:
    """Draw it all."""
    head = st.container(border=True, key="card_explore_head")
    fields = st.container(horizontal=True, gap="small", vertical_alignment="center")
    view = asked.choose(person, today, fields)
    if view is None:
        return
    with fields:
        saved.show(person, view)
        scheduled.show(person)
    with db.read_session() as session:
        found = explorer.explore(session, person, view.question(today), installation.current().usage)
    with head:
        st.html(_sentence(person, view, found, today))
    if not found.rows:
        components.empty_state(
            _("No clip ended in this period"),
            _("A clip counts on the day it is delivered, fails or is cancelled; days are UTC. Choose other dates."),
            icon="bar_chart",
        )
        return

    def file(form: SpreadsheetFormat, separator: Separator) -> bytes:
        return _file(current_member.current_member(), view, today, form, separator)

    drawn = picture.over_time(view, found) if view.over else picture.flat(view, found)
    left, right = st.columns([2, 3], gap="medium")
    with left, st.container(border=True, key="card_explore_chart"):
        st.header(_heading(view), anchor=False)
        chart(drawn.spec, key="explore", alt=_alt(view, found))
    with right, st.container(border=True, key="card_explore_table"):
        st.header(_title(view), anchor=False)
        table.show(view, found, drawn.colours)
        if not found.adds_up:
            st.caption(
                _(
                    "A clip with several tags stands under each of them, so the rows come to more than the total, "
                    "which counts each clip once."
                )
            )
        if not view.over:
            downloads.figures(file, name="usage-explore", key="explore")
    if view.over:
        behind(drawn.lines, key="explore", file=file)


def _file(
    person: Member, view: View, today: date, form: SpreadsheetFormat, separator: Separator = Separator.COMMA
) -> bytes:
    """The same as the API gives for the same question."""
    workspace_id = person.workspace_id if view.whose is Whose.PRESENT else None
    audit_log.record_export(person.user, what="usage", workspace_id=workspace_id, format=form)
    with db.read_session() as session:
        found = explorer.explore(session, person, view.question(today), installation.current().usage)
    return b"".join(explorer_file.write(found, form, separator))


def _heading(view: View) -> str:
    measure = words.MEASURES[view.measure]
    return _("{measure} over time").format(measure=measure) if view.over else measure


def _alt(view: View, found: Exploration) -> str:
    """The chart for those who do not see it; the table beside it has every figure."""
    amount = words.told(words.figure(found.totals, view.measure, view.unit), view.measure, view.unit)
    days = labels.days(found.asked.selection.since, found.asked.selection.until)
    return _("Bars of {what} by {by}, {days}: {amount} in all. The table holds the same.").format(
        what=words.MEASURES[view.measure].lower(), by=_title(view).lower(), days=days, amount=amount
    )


def _title(view: View) -> str:
    names = [words.DIMENSIONS[dimension] for dimension in view.by]
    return names[0] if len(names) == 1 else _("{first} and {second}").format(first=names[0], second=names[1].lower())


def _sentence(person: Member, view: View, found: Exploration, today: date) -> str:
    """`407,314 credits in October 2026 · +12%`, what the month will end at, and below who has most."""
    days = found.asked.selection
    now = words.figure(found.totals, view.measure, view.unit)
    amount = words.told(now, view.measure, view.unit)
    parts = [f"<strong>{html.escape(amount)}</strong> {html.escape(_in(days.since, days.until))}"]
    below = [_("Days are UTC")]
    if (compared := found.asked.compared) and found.previous_totals:
        before = words.figure(found.previous_totals, view.measure, view.unit)
        if change := labels.change(now, before):
            parts.append(html.escape(change))
        below.insert(0, _("compared with {days}").format(days=labels.days(*compared)))
    if ends := _forecast(person, view, found, today):
        parts.append(html.escape(ends))
    if found.rows and (share := found.rows[0].share):
        name = " · ".join(words.names(view.by, found.rows[0].values))
        below.insert(0, _("Most: {name} ({share})").format(name=name, share=labels.share(share)))
    small = html.escape(" · ".join(below))
    return f'<p class="studio-lead">{" · ".join(parts)}</p><div class="studio-lead-below"><span>{small}</span></div>'


def _in(since: date, until: date) -> str:
    """`in October 2026` for a whole month, else `in 30 days`."""
    if (since, until) == periods.month_of(since):
        return _("in {month}").format(month=labels.month(since))
    days = (until - since).days + 1
    return plural("in {number} day", "in {number} days", days).format(number=wording.credits(days))


def _forecast(person: Member, view: View, found: Exploration, today: date) -> str | None:
    """What the month under way will probably come to, where the days end in it."""
    chosen = found.asked.selection
    is_said = view.measure is Measure.SPENT and view.unit is not Unit.USD and view.whose is not Whose.MINE
    if not is_said or periods.month_of(chosen.until) != periods.month_of(today):
        return None
    with db.read_session() as session:
        month = budgets.month(session, person, chosen, today=today, cache=installation.current().usage)
    if month.forecast is None:
        return None
    credits = month.forecast.expected_credits
    amount = wording.worth(credits) if view.unit is Unit.IDR else wording.credits(credits)
    return _("{month} will end at about {credits}").format(month=labels.month(month.first), credits=amount)

"""Closed months of the books, and the form that closes a further one; for administrators."""

from datetime import UTC

import streamlit as st

from core import db
from core.billing import months
from core.sample import presence
from core.sample.presence import Presence
from core.usage import closing
from pages.sections.usage import labels
from pages.ui import components, current_member, wording
from pages.ui.language import _

SHOWN = 24


def show() -> None:
    """What is closed, and what can be."""
    st.header(_("Closed months"), anchor=False)
    st.caption(
        _(
            "Figures of a closed month never change: what comes later is booked in the open one, and every row is "
            "chained to the one before, so that a changed byte is found. A closed month stays closed."
        )
    )
    member = current_member.administrator()
    with db.read_session() as session:
        closed = closing.periods(session, member)
        open_months = closing.can_be_closed(session, member)
        has_sample = presence.presence(session) is Presence.THERE
    _form(open_months)
    if has_sample:
        st.caption(
            _(
                "Months of the sample company are left out here: only what moved in workspaces of your own can be "
                "closed. A charge-back of its months is on Credits."
            )
        )
    if not closed:
        st.caption(_("No month is closed yet."))
        return
    components.table(
        [_("Month"), _("Closed, UTC"), _("By"), _("Entries"), _("Charged"), _("Hash")],
        [
            (
                _name(period.month),
                wording.moment(period.closed_at, UTC),
                period.closed_by,
                wording.credits(period.entry_count),
                wording.credits(period.totals["ledger"].get("settle", 0)),
                period.hash,
            )
            for period in closed[:SHOWN]
        ],
        numbers=(3, 4),
        wide=(5,),
    )
    st.caption(_("Keep the newest hash outside of this installation: with it anybody can prove later what was closed."))


def _form(open_months: list[str]) -> None:
    if not open_months:
        st.caption(_("A month can be closed one hour after it has ended, in UTC."))
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(width=260):
            month = st.selectbox(_("Month to close"), open_months, format_func=_name, key="admin_close_month")
        with st.popover(_("Close the month"), icon=":material/lock:", key="admin_close_popover"):
            said = _("{month} is closed, and every open month before it. Nobody can open it again.")
            st.markdown(said.format(month=_name(month)))
            if st.button(_("Close for good"), key="admin_close", type="primary"):
                components.save_and_rerun(
                    lambda session: closing.close(session, current_member.administrator(), month),
                    done=_("{month} is closed.").format(month=_name(month)),
                )


def _name(month: str) -> str:
    """`October 2026`."""
    return labels.month(months.bounds(month)[0].date())

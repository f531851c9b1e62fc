"""The month that budgets are for: which, until when, and in whose time; managers choose the time zone."""

from datetime import timedelta

import streamlit as st

from core.usage.budget_overview import Overview
from core.workspaces import months
from pages.ui import components, current_member, wording
from pages.ui.language import _


def show(found: Overview, *, may_set: bool) -> None:
    """A line that says it, and beside it the button for the time zone."""
    last_day = found.ends_at - timedelta(days=1)
    words = _("Budgets are for a calendar month. This one ends with {day}, by the clock of {zone}.")
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(words.format(day=wording.day(last_day), zone=_place(found.time_zone)), width="content")
        if may_set and st.button(_("Time zone"), icon=":material/schedule:", key="budgets_zone"):
            st.dialog(_("Time zone"))(_choose)(found.time_zone)


def _choose(present: str) -> None:
    """Choose another one."""
    zones = months.zones()
    st.markdown(
        _("The months of all budgets here begin and end at midnight there. Orders of before stay in their month.")
    )
    zone = st.selectbox(
        _("Time zone"),
        zones,
        index=zones.index(present) if present in zones else 0,
        format_func=_place,
        key="budgets_zone_choice",
    )
    if st.button(_("Save"), type="primary", key="budgets_zone_save"):
        person = current_member.current_member()
        components.save_and_rerun(
            lambda session: months.set_zone(session, person, zone), done=_("The time zone is saved.")
        )


def _place(zone: str) -> str:
    """A time zone as people write it: `Asia/Ho Chi Minh`."""
    return zone.replace("_", " ")

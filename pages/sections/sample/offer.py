"""Offers the sample company where there is nothing to see yet, and makes or removes it with one press."""

import streamlit as st

from core import db, installation
from core.sample import presence
from core.sample.presence import Presence
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.sections.sample import making, removing
from pages.ui import current_member
from pages.ui.language import _


def is_offered(person: Member) -> bool:
    """Whether the company can be made by this person, and is not there already."""
    if not presence.is_allowed(installation.current().settings) or not person.may(Action.OPERATE):
        return False
    return not current_member.is_looking_as() and _presence() is not Presence.THERE


def show(person: Member, *, key: str) -> None:
    """What it is and the button that makes it; nothing where it cannot be, or is there already."""
    if not is_offered(person):
        return
    with st.container(horizontal_alignment="center"), st.container(border=True, width=460, key="card_sample"):
        st.markdown(
            _(
                "Or look around first: a sample company of twelve people in three teams, with a year of clips and "
                "figures, in workspaces of its own. You can look as any of them, and one press removes it."
            )
        )
        _make_button(person, key=key)


def panel(person: Member) -> None:
    """For administrators: whether it is there, and the button for the other; nothing where it neither is nor can be."""
    removing.finish()
    found, is_allowed = _presence(), presence.is_allowed(installation.current().settings)
    is_busy = removing.is_under_way()
    if found is Presence.NONE and not is_allowed:
        return
    st.header(_("Sample company"), anchor=False)
    if found is Presence.THERE:
        st.markdown(
            _(
                "Twelve people in three teams with a year of work, in workspaces of their own; figures of everybody "
                "hold theirs, too. Choose in the bar as whom you look."
            )
        )
    elif found is Presence.UNFINISHED and not is_busy:
        st.markdown(_("It was not finished, so nobody sees it. Make it anew, or remove what there is of it."))
    elif found is Presence.NONE:
        st.markdown(_("Twelve people in three teams with a year of work, to see what a team sees."))
    with st.container(horizontal=True):
        if found is not Presence.THERE and is_allowed:
            _make_button(person, key="sample_make_admin", disabled=is_busy)
        if found is not Presence.NONE:
            removing.button(disabled=is_busy)
    if is_busy:
        removing.follow()


def say_included() -> None:
    """Beside figures of everybody: that the sample company is among them, while it is there."""
    if _presence() is Presence.THERE:
        st.caption(_("The people of the sample company are among everybody here, until it is removed under Admin."))


def _presence() -> Presence:
    with db.read_session() as session:
        return presence.presence(session)


def _make_button(person: Member, *, key: str, disabled: bool = False) -> None:
    if st.button(_("Try it as a team"), type="primary", icon=":material/groups:", key=key, disabled=disabled):
        making.begin(person)
    making.show_refusal()

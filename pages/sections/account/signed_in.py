"""Where somebody signs out: of this browser, or of every browser that they have signed in with."""

import streamlit as st

from core import db, installation
from core.identity import sessions
from core.workspaces.access import Member
from pages.ui import components, current_member, links
from pages.ui.language import _, plural


def show(person: Member) -> None:
    """The ways out; nothing where nobody signs in."""
    settings = installation.current().settings
    if not settings.has_sign_in:
        return
    with db.read_session() as session:
        number = sessions.count_live(session, person.user, idle=settings.session_idle)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(links.in_this_tab(links.from_page("/auth/logout"), _("Sign out")), width="content")
        if number > 1:
            st.button(_("Sign out everywhere"), key="account_sign_out_everywhere", on_click=_end_all)
            told = plural("Signed in with {number} browser.", "Signed in with {number} browsers.", number)
            st.caption(told.format(number=number))


def _end_all() -> None:
    """End every session of this person, that of this browser too: the run that follows says so."""
    person = current_member.current_member().user
    with components.error_boundary(), db.write_session() as session:
        sessions.end_all_of(session, person, by=person)

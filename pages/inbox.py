"""The inbox: what its person was told, newest first, with the way to what it is about."""

import streamlit as st

from core import db, errors
from core.notifications import inbox
from pages.sections.inbox import rows
from pages.ui import components, current_member
from pages.ui.language import N_, _

PAGES = "inbox_pages"
EVERYTHING, UNREAD = N_("Everything"), N_("Unread")

person = current_member.current_member()


def show() -> None:
    """The choice, the notices, and the pager."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        chosen = components.segmented(
            _("Show"),
            [EVERYTHING, UNREAD],
            key="inbox_which",
            names=_,
            label_visibility="collapsed",
            on_change=lambda: st.session_state.pop(PAGES, None),
        )
        with st.container(horizontal=True, width="content", vertical_alignment="center"):
            if st.button(_("Mark all as read"), key="inbox_all", icon=":material/done_all:", type="tertiary"):
                components.save_and_rerun(
                    lambda session: inbox.mark_all_read(session, person), done=_("Everything is read.")
                )
            if st.button(_("How I am told"), key="inbox_ways", icon=":material/tune:", type="tertiary"):
                st.session_state["account_tabs"] = _("Being told")
                st.switch_page("account.py")
    pages: list[str] = st.session_state.setdefault(PAGES, [""])
    try:
        with db.read_session() as session:
            found = inbox.list_page(
                session,
                person,
                is_unread=chosen == UNREAD,
                before_id=pages[-1] or None,
                limit=inbox.PAGE_SIZE + 1,
            )
    except errors.NotFound:  # where the page began is gone meanwhile
        st.session_state.pop(PAGES)
        st.rerun()
    if not found:
        nothing = _("You have read everything.") if chosen == UNREAD else _("Nothing has happened yet.")
        text = _("Here you are told when clips are finished or fail, when credits run low, and where you belong.")
        components.empty_state(nothing, text, icon="notifications")
    for told in found[: inbox.PAGE_SIZE]:
        rows.show(person, told)
    components.pager(pages, found[inbox.PAGE_SIZE - 1].id if len(found) > inbox.PAGE_SIZE else None, key="inbox")


with components.error_boundary():
    show()

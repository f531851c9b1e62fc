"""Saved views of the explorer: opened, kept under a name, shared with the workspace, and forgotten."""

from collections.abc import Mapping

import streamlit as st

from core import db
from core.db import WriteSession
from core.db.tables import UsageView
from core.usage import saved_views
from core.usage.views import View
from core.workspaces import named, profiles
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.sections.explore import asked
from pages.ui import components, current_member
from pages.ui.language import _

_NAME, _SHARED = "explore_view_name", "explore_view_shared"


def show(person: Member, view: View) -> None:
    """Draw what there is to open, and a form to keep what is shown."""
    with db.read_session() as session:
        rows = saved_views.list_visible(session, person)
        people = profiles.people(session, [row.user_id for row in rows if row.user_id != person.id])
        kept = [(row.id, _label(row, people), row.user_id == person.id, View.from_json(row.asked)) for row in rows]
    with st.popover(_("Saved views"), icon=":material/bookmark:", key="explore_views"):
        for view_id, label, is_mine, each in kept:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.button(
                    label, key=f"explore_open_{view_id}", type="tertiary", on_click=asked.open_view, args=(person, each)
                )
                if is_mine:
                    st.button(
                        _("Delete"),
                        key=f"explore_forget_{view_id}",
                        type="tertiary",
                        icon=":material/delete:",
                        on_click=_forget,
                        args=(view_id,),
                    )
        if not kept:
            st.caption(_("None yet. Keep what is shown under a name; a period such as last month moves along."))
        st.text_input(_("Name"), key=_NAME, max_chars=named.NAME_LIMIT_CHARS)
        if person.may(Action.EDIT):
            st.checkbox(_("Share with the workspace"), key=_SHARED)
        st.button(_("Save this view"), key="explore_keep", on_click=_keep, args=(view,))


def _label(row: UsageView, people: Mapping[str, profiles.Profile]) -> str:
    name = components.escaped(row.name)
    if row.user_id in people:
        return _("{name}, shared by {person}").format(name=name, person=components.escaped(people[row.user_id].name))
    return _("{name}, shared").format(name=name) if row.shared else name


def _keep(view: View) -> None:
    name, is_shared = st.session_state.get(_NAME, ""), bool(st.session_state.get(_SHARED))
    person = current_member.current_member()

    def action(session: WriteSession) -> object:
        return saved_views.create(session, person, name=name, view=view, shared=is_shared)

    components.act_in_callback(action, done=_("Saved."))


def _forget(view_id: str) -> None:
    person = current_member.current_member()
    components.act_in_callback(lambda session: saved_views.delete(session, person, view_id), done=_("Deleted."))

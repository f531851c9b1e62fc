"""The project that is looked at and ordered for; another one never takes its place unsaid."""

from collections.abc import Mapping

import streamlit as st

from core.workspaces.access import Member
from pages.sections.generate import draft, form_state
from pages.sections.sample import offer
from pages.ui import components, look
from pages.ui.language import _

WIDTH_PX = 280
_LAST = form_state.name("project_last")
"""Workspace and project that the page last showed."""
_INSTEAD = form_state.name("project_instead")
"""The same and its name, of a project that took the place of one that is gone."""


def choose(person: Member, names: Mapping[str, str]) -> str | None:
    """Draw the list of projects; the id of the chosen one, None where there is none yet."""
    wished = form_state.value("project")
    is_gone = wished is not None and wished not in names
    was_here = st.session_state.get(_LAST) == (person.workspace_id, wished)
    if is_gone:
        gone = _("The project that was chosen is not here any more.") if was_here else None
        draft.holds_another(gone)
    if not names:
        if offer.is_offered(person):
            with st.popover(_("Look around first"), icon=":material/groups:", key="generate_look_around"):
                offer.show(person, key="generate_sample")
        return None
    st.selectbox(
        _("Project"),
        list(names),
        key=form_state.name("project"),
        format_func=lambda known: names[known],
        label_visibility="collapsed",
        width=WIDTH_PX,
        persist_state="session",
        index=form_state.keep_valid("project", list(names), next(iter(names))),
    )
    chosen: str = form_state.value("project")
    st.session_state[_LAST] = person.workspace_id, chosen
    if is_gone and was_here:
        st.session_state[_INSTEAD] = person.workspace_id, chosen, names[chosen]
    look.name_window(_("Generate"), names[chosen])
    return chosen


def say_what_is_gone() -> None:
    """That another project stands in the place of the one that was chosen, until something else is chosen."""
    workspace_id, project_id, project = st.session_state.get(_INSTEAD) or ("", "", "")
    if project_id and (workspace_id, project_id) == st.session_state.get(_LAST):
        words = _("The project that was chosen is not here any more. What you order now goes to {project}.")
        st.caption(f":material/info: {words.format(project=components.escaped(project))}")
    else:
        settle()


def settle() -> None:
    """Whoever has ordered, or chosen anew, knows where it goes."""
    st.session_state.pop(_INSTEAD, None)

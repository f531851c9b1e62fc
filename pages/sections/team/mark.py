"""Whether clips of a workspace show that they were made by AI; its managers decide."""

import streamlit as st

from core.workspaces import workspaces
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from core.workspaces.workspaces import Overview
from pages.ui import components
from pages.ui.language import _


def show(person: Member, here: Overview) -> None:
    """The switch, for who may turn it."""
    if not person.may(Action.MARK_CLIPS, here.id):
        return
    key = f"team_mark_{here.id}"
    if st.session_state.get(key) != here.visible_mark:  # another tab may have turned it
        st.session_state[key] = here.visible_mark
    is_on = not here.visible_mark
    st.toggle(
        _("Show “AI” in a corner of new clips"),
        key=key,
        help=_(
            "Put into the picture of every clip that is ordered from then on. All clips carry signed content "
            "credentials that say so, too; those are not seen."
        ),
        on_change=components.act_in_callback,
        args=(lambda session: workspaces.set_visible_mark(session, person, here.id, is_on=is_on),),
        kwargs={"done": _("New clips show that AI made them.") if is_on else _("New clips show no mark.")},
    )

"""Where the person is at work: said in the bar, and changed there by who has more than one workspace."""

import streamlit as st

from core import errors
from core.db import Reader
from core.workspaces import choices
from core.workspaces.access import Member
from pages.ui import components, current_member, wording
from pages.ui.language import _

NAME_CHARS = 28
"""Of a longer name so much is shown, so that the role after it is."""
SEARCHED_FROM = 9
"""So many workspaces are too many to look through; fewer need no keyboard, which would cover half a phone."""

_KEY = "bar_workspace"


def show(reader: Reader, person: Member) -> None:
    """The list of their workspaces, with what they are in each; nothing for who has just one."""
    if len(person.roles) < 2:
        return
    names = {choice.id: _label(choice) for choice in choices.list_choices(reader, person)}
    st.session_state[_KEY] = person.workspace_id  # on each run: a browser would keep a label whose role has changed
    with st.container(key="bar_first_list"):
        st.selectbox(
            _("Workspace"),
            list(names),
            format_func=lambda known: names.get(known, ""),
            key=_KEY,
            on_change=_move,
            icon=":material/workspaces:",
            filter_mode="fuzzy" if len(names) >= SEARCHED_FROM else None,
            label_visibility="collapsed",
        )


def find_person() -> Member:
    """Who is looking, in the workspace that the address names; a way out of an address where they may not be."""
    try:
        return current_member.current_member()
    except errors.NotFound as elsewhere:
        components.error_box(elsewhere)
        st.button(_("Go to my workspace"), key="bar_workspace_leave", on_click=current_member.leave_address)
        st.stop()


def _label(choice: choices.Choice) -> str:
    if choice.is_own:
        return _("My workspace")
    name = choice.name if len(choice.name) <= NAME_CHARS else f"{choice.name[: NAME_CHARS - 1].rstrip()}…"
    return f"{name} · {wording.WORKSPACE_ROLE[choice.role]}"


def _move() -> None:
    with components.error_boundary():
        current_member.move_to(st.session_state[_KEY])

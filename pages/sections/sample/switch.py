"""The switch in the bar to look as somebody of the sample company, and the line that says so and leads back."""

from collections.abc import Mapping, Sequence

import streamlit as st

from core.db import Reader
from core.db.enums import Role, WorkspaceRole
from core.sample import presence
from core.sample.presence import SamplePerson
from core.workspaces.access import Member
from pages.ui import components, current_member
from pages.ui.language import N_, _

_KEY = "bar_look_as"
_ONESELF = ""
_ROLES: Mapping[Role | WorkspaceRole, str] = {
    WorkspaceRole.MAKER: N_("producer"),
    WorkspaceRole.MANAGER: N_("manager"),
    WorkspaceRole.VIEWER: N_("viewer"),
    Role.ANALYST: N_("analyst"),
    Role.ADMIN: N_("administrator"),
}


def people(reader: Reader) -> Sequence[SamplePerson]:
    """Those that one can look as here; nobody where people sign in."""
    return presence.people(reader) if current_member.may_look_as() else ()


def show(found: Sequence[SamplePerson], *, is_second: bool) -> None:
    """The list of oneself and of them; nothing without them. In the bar it `is_second` where workspaces are first."""
    if not found:
        return
    names = {_ONESELF: _("You")} | {one.email: label(one) for one in found}
    looked_as = current_member.looked_as() or _ONESELF
    if st.session_state.get(_KEY) != looked_as:
        st.session_state[_KEY] = looked_as
    with st.container(key="bar_second_list" if is_second else "bar_first_list"):
        st.selectbox(
            _("You look as"),
            list(names),
            format_func=lambda known: names.get(known, known),
            key=_KEY,
            on_change=_change,
            label_visibility="collapsed",
            icon=":material/theater_comedy:",
            filter_mode=None,
        )


def banner(found: Sequence[SamplePerson], person: Member) -> None:
    """Say as whom one looks, and lead back."""
    one = next((one for one in found if one.id == person.id), None)
    if one is None:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="card_look_as_banner"):
        told = _("You look as **{name}**, {role}. Your own work is among what they see.")
        if one.role is Role.USER and one.workspace_role is None:
            told = _("You look as **{name}**, who is in no team. What you do here, you do as them.")
        elif one.role is Role.USER:
            told = _(
                "You look as **{name}**, {role} in {team}. What you do here, you do as them, in the sample company."
            )
        st.markdown(told.format(name=one.name, role=_role(one), team=one.team), width="stretch")
        st.button(
            _("Back to yourself"),
            icon=":material/undo:",
            key="look_as_nobody",
            on_click=current_member.look_as,
            args=(None,),
        )


def label(one: SamplePerson) -> str:
    """A name and what they are, for a list."""
    return f"{one.name} · {_role(one)}" if _role(one) else one.name


def _role(one: SamplePerson) -> str:
    role: Role | WorkspaceRole | None = one.workspace_role if one.role is Role.USER else one.role
    return "" if role is None else _(_ROLES[role])


def _change() -> None:
    with components.error_boundary():
        current_member.look_as(st.session_state[_KEY] or None)

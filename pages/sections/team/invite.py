"""Inviting by link: one address, once, for a week; the link is shown once and given to the person by who invites."""

import streamlit as st

from core import db, errors
from core.db.enums import Role, WorkspaceRole
from core.workspaces import invitations, members
from core.workspaces.access import Member
from core.workspaces.invitations import Invited
from pages.ui import components, links, wording
from pages.ui.language import _

_MADE = "invite_made"
_NUMBER = "invite_number"


def show(person: Member, workspace_id: str | None, *, key: str) -> None:
    """Draw the form and the open invitations, of a team, or of the installation where none is named."""
    _link()
    number = st.session_state.setdefault(_NUMBER, 0)
    with st.form(f"{key}_form_{number}", border=True):
        st.markdown(_("**Add or invite somebody**"))
        with st.grid(3, min_column_width=200, vertical_alignment="bottom"):
            email = st.text_input(_("E-mail address"), key=f"{key}_email_{number}", max_chars=254, autocomplete="off")
            if workspace_id is None:
                role = st.selectbox(
                    _("Role in the installation"),
                    list(Role),
                    format_func=wording.ROLE.__getitem__,
                    key=f"{key}_role_{number}",
                    filter_mode=None,
                )
                workspace_role = None
            else:
                role = Role.USER
                workspace_role = st.selectbox(
                    _("Role"),
                    list(WorkspaceRole),
                    index=1,
                    format_func=wording.WORKSPACE_ROLE.__getitem__,
                    key=f"{key}_workspace_role_{number}",
                    filter_mode=None,
                )
            pressed = st.form_submit_button(_("Add or invite"), type="primary")
        if pressed:
            _invite(person, workspace_id, email or "", role or Role.USER, workspace_role)
    with db.read_session() as session:
        found = invitations.list_open(session, person, workspace_id=workspace_id)
    for invited in found:
        _row(person, invited, key=key)


def _invite(
    person: Member, workspace_id: str | None, email: str, role: Role, workspace_role: WorkspaceRole | None
) -> None:
    """Add who is known here; for everybody else make a link."""
    try:
        with components.outage_refuses():
            if workspace_id is None or workspace_role is None or not _add(person, workspace_id, email, workspace_role):
                with db.write_session() as session:
                    invited, token = invitations.create(
                        session,
                        person,
                        email=email,
                        workspace_id=workspace_id,
                        workspace_role=workspace_role,
                        role=role,
                    )
                st.session_state[_MADE] = (invited.email, links.for_others(f"/{invitations.PAGE}?token={token}"))
    except errors.AppError as problem:
        components.error_box(problem)
        return
    st.session_state[_NUMBER] += 1  # the next form is an empty one
    st.rerun()


def _add(person: Member, workspace_id: str, email: str, role: WorkspaceRole) -> bool:
    """Put somebody who is known here into the team at once; False for who is not."""
    try:
        with db.write_session() as session:
            entry = members.add(session, person, workspace_id, email=email, role=role)
    except errors.InvalidRequest:
        return False
    components.flash(_("{email} is in this workspace now.").format(email=entry.email))
    return True


def _link() -> None:
    """The link just made, until it was put away."""
    made = st.session_state.get(_MADE)
    if made is None:
        return
    email, address = made
    with st.container(border=True, key="card_invite_made"):
        st.markdown(_("**The invitation.** Send this link to the person: it is not shown again."))
        components.plain_text(_("For {email} only, once, within a week.").format(email=email), small=True)
        st.code(address, language=None)
        if st.button(_("I have copied it"), key="invite_copied", type="primary"):
            del st.session_state[_MADE]
            st.rerun()


def _row(person: Member, invited: Invited, *, key: str) -> None:
    what = wording.WORKSPACE_ROLE[invited.workspace_role] if invited.workspace_role else wording.ROLE[invited.role]
    facts = [
        what,
        invited.workspace_name or "",
        _("invited by {name}").format(name=invited.invited_by),
        _("until {day}").format(day=wording.day(invited.expires_at)),
    ]
    with (
        st.container(border=True, key=f"card_{key}_{invited.id}"),
        st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"),
    ):
        with st.container(gap="xsmall", width="content"):
            components.plain_text(invited.email, strong=True)
            components.plain_text(" · ".join(filter(None, facts)), small=True)
        if st.button(_("Take back"), key=f"{key}_revoke_{invited.id}"):
            components.save_and_rerun(
                lambda session: invitations.revoke(session, person, invited.id),
                done=_("The invitation is taken back: its link opens nothing any more."),
            )

"""Where the link of an invitation leads to: what it is for, and the button that takes it up."""

import streamlit as st

from core import db, errors
from core.workspaces import invitations
from core.workspaces.invitations import Invited
from pages.ui import components, current_member, wording
from pages.ui.language import _

person = current_member.current_member()


def offer(invited: Invited, token: str) -> None:
    """Say who invites into what, and let this person accept."""
    if invited.workspace_name and invited.workspace_role:
        role = wording.WORKSPACE_ROLE[invited.workspace_role]
        said = _("{name} invites you into the team {team} as {role}.").format(
            name=invited.invited_by, team=invited.workspace_name, role=role
        )
    else:
        said = _("{name} invites you as {role}.").format(name=invited.invited_by, role=wording.ROLE[invited.role])
    with st.container(border=True, width=560, key="card_invitation"):
        components.plain_text(said, strong=True)
        facts = [
            _("For {email}").format(email=invited.email),
            _("until {day}").format(day=wording.day(invited.expires_at)),
        ]
        components.plain_text(" · ".join(facts), small=True)
        if st.button(_("Accept"), type="primary", key="invitation_accept"):
            accept(token)


def accept(token: str) -> None:
    """Take it up, and go where it leads."""
    try:
        with components.outage_refuses(), db.write_session() as session:
            invited = invitations.accept(session, person, token)
    except errors.AppError as problem:
        components.error_box(problem)
        return
    components.flash(_("Welcome."))
    if invited.workspace_id is not None:
        current_member.move_to(invited.workspace_id)
    st.switch_page("projects.py")


with components.error_boundary():
    token = st.query_params.get("token", "")
    with db.read_session() as session:
        offer(invitations.look(session, token), token)

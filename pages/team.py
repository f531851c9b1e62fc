"""The workspace and its people: who is in it, invitations, its credits and name; and all workspaces of the person."""

import streamlit as st

from core import db
from core.db.enums import WorkspaceKind
from core.workspaces import workspaces
from core.workspaces.permissions import Action
from core.workspaces.workspaces import Overview
from pages.sections.sample import offer
from pages.sections.team import giving, invite, mark, own, roster
from pages.ui import components, current_member
from pages.ui.language import _

person = current_member.current_member()


def team(here: Overview) -> None:
    """Everything about a team that this person may see and do."""
    st.header(here.name, anchor=False)
    if person.may(Action.MANAGE_MEMBERS):
        people, invitations, settings = st.tabs(
            [_("People"), _("Add or invite"), _("Name and credits")], key="team_tabs", on_change="rerun"
        )
        with people:
            if people.open:
                roster.show(person, here.id, key="team_people")
        with invitations:
            if invitations.open:
                invite.show(person, here.id, key="team_invite")
        with settings:
            if settings.open:
                rename(here)
                mark.show(person, here)
                giving.show(person, here.id, here.name, key="team_credits")
        return
    roster.show(person, here.id, key="team_people")
    giving.show(person, here.id, here.name, key="team_credits")


def rename(here: Overview) -> None:
    """Call the team otherwise."""
    with st.form("team_rename", border=True):
        name = st.text_input(_("Name of the team"), value=here.name, max_chars=workspaces.NAME_LIMIT_CHARS)
        if st.form_submit_button(_("Save")):
            components.save_and_rerun(
                lambda session: workspaces.rename(session, person, here.id, name=name or ""),
                done=_("The team has another name."),
            )


def alone(found: list[Overview]) -> None:
    """What a personal workspace is, and how one comes into a team."""
    st.markdown(
        _(
            "You are in your personal workspace: nobody else sees what is in it. In a team, projects, clips and "
            "credits are shared."
        )
    )
    if person.may(Action.MANAGE_WORKSPACES):
        if st.button(_("Make a team"), icon=":material/group_add:", type="tertiary", key="team_make"):
            st.session_state["people_tabs"] = _("Workspaces")
            st.switch_page("people.py")
    elif len(found) == 1:
        st.caption(_("An administrator makes teams, and its managers invite you by a link."))


with components.error_boundary():
    with db.read_session() as session:
        found = list(workspaces.list_own(session, person))
    here = next(each for each in found if each.id == person.workspace_id)
    if here.kind is WorkspaceKind.TEAM:
        team(here)
    else:
        alone(found)
        offer.show(person, key="team_sample")
        mark.show(person, here)
    own.show(person, found)

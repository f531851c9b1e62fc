"""The workspaces of a person: what they are in each, and the way into it."""

from collections.abc import Sequence

import streamlit as st

from core.db.enums import WorkspaceKind
from core.workspaces import members
from core.workspaces.access import Member
from core.workspaces.choices import Choice
from core.workspaces.workspaces import Overview
from pages.ui import components, current_member, wording
from pages.ui.language import _, plural


def show(person: Member, found: Sequence[Overview]) -> None:
    """Draw all of them, the present one marked."""
    st.header(_("Your workspaces"), anchor=False)
    for each in found:
        _row(person, each)


def name_of(each: Overview, person: Member) -> str:
    """What a workspace is called by the person who looks."""
    return _("My workspace") if each.id == person.id else each.name


def label(choice: Choice) -> str:
    """What a workspace is called in a list to choose from."""
    return _("My workspace") if choice.is_own else choice.name


def _row(person: Member, each: Overview) -> None:
    people = plural("{number} person", "{number} people", each.member_count).format(number=each.member_count)
    is_team = each.kind is WorkspaceKind.TEAM
    facts = [people if is_team else "", _("{credits} available").format(credits=wording.priced(each.available_credits))]
    with (
        st.container(border=True, key=f"card_team_own_{each.id}"),
        st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"),
    ):
        with st.container(gap="xsmall", width="content"):
            components.plain_text(name_of(each, person), strong=True)
            components.plain_text(" · ".join(filter(None, facts)), small=True)
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            if each.role is not None:
                st.badge(wording.WORKSPACE_ROLE[each.role], color="gray")
            if each.id == person.workspace_id:
                st.badge(_("You are here"), color="green")
            else:
                st.button(_("Go there"), key=f"team_go_{each.id}", on_click=current_member.move_to, args=(each.id,))
            if is_team:
                with st.popover(_("Leave"), key=f"team_leave_popover_{each.id}"):
                    st.markdown(_("Your tokens and webhooks there end at once. What you made stays with the team."))
                    if st.button(_("Leave this team"), key=f"team_leave_{each.id}", type="primary"):
                        components.save_and_rerun(
                            lambda session: members.leave(session, person, each.id),
                            done=_("You have left the team."),
                            then=current_member.leave_address,
                        )

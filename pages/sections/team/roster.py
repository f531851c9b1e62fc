"""Who is in a workspace: everybody sees it, managers and administrators change roles and take people out."""

import streamlit as st

from core import db
from core.db.enums import MemberSource, WorkspaceRole
from core.workspaces import members
from core.workspaces.access import Member
from core.workspaces.members import RosterEntry
from core.workspaces.permissions import Action
from pages.ui import avatar, components, current_member, wording
from pages.ui.language import _

PAGE_SIZE = 25
ROLE_WIDTH_PX = 150


def show(person: Member, workspace_id: str, *, key: str) -> None:
    """Draw the list, a page at a time, found by name or address; `key` tells several lists apart."""
    search = st.text_input(
        _("Search people"),
        key=f"{key}_search",
        type="search",
        placeholder=_("Name or e-mail address"),
        live=True,
        max_chars=120,
        label_visibility="collapsed",
        width=320,
    )
    asked = (workspace_id, search or "")
    if st.session_state.get(f"{key}_found") != asked:
        st.session_state[f"{key}_found"], st.session_state[f"{key}_pages"] = asked, [""]
    pages: list[str] = st.session_state[f"{key}_pages"]
    with db.read_session() as session:
        found = members.list_page(
            session, person, workspace_id, search=search or "", after_email=pages[-1], limit=PAGE_SIZE + 1
        )
    if not found:
        st.caption(_("Nobody matches."))
    may_change = person.may(Action.MANAGE_MEMBERS, workspace_id) or person.may(Action.MANAGE_WORKSPACES)
    for entry in found[:PAGE_SIZE]:
        _row(person, workspace_id, entry, key=key, may_change=may_change)
    components.pager(pages, found[PAGE_SIZE - 1].email if len(found) > PAGE_SIZE else None, key=key)


def _row(person: Member, workspace_id: str, entry: RosterEntry, *, key: str, may_change: bool) -> None:
    """One person with what they are; those whom groups have put there are changed where the groups are kept."""
    place = f"{key}_{entry.user_id}"
    with (
        st.container(border=True, key=f"card_{place}"),
        st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"),
    ):
        with st.container(gap="xsmall", width="content"):
            st.html(avatar.named(entry.name or entry.email, entry.user_id), width="content")
            components.plain_text(" · ".join(_facts(entry)), small=True)
        if not may_change or entry.source is MemberSource.CLAIMS:
            st.badge(wording.WORKSPACE_ROLE[entry.role], color="gray")
            return
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            role_key = f"{place}_role"
            st.session_state[role_key] = entry.role
            st.selectbox(
                _("Role"),
                list(WorkspaceRole),
                format_func=wording.WORKSPACE_ROLE.__getitem__,
                key=role_key,
                label_visibility="collapsed",
                filter_mode=None,
                width=ROLE_WIDTH_PX,
                on_change=_change,
                args=(workspace_id, entry.user_id, role_key),
            )
            with st.popover(_("Remove"), key=f"{place}_popover"):
                st.markdown(_("Their tokens and webhooks here end at once. What they made stays."))
                if st.button(_("Remove from this workspace"), key=f"{place}_remove", type="primary"):
                    components.save_and_rerun(
                        lambda session: members.remove(session, person, workspace_id, entry.user_id),
                        done=_("{email} is not in this workspace any more.").format(email=entry.email),
                    )


def _facts(entry: RosterEntry) -> list[str]:
    facts = [entry.email, _("since {day}").format(day=wording.day(entry.since))]
    if entry.source is MemberSource.CLAIMS:
        facts.append(_("by the groups of their sign-in"))
    if not entry.is_active:
        facts.append(_("deactivated"))
    return facts


def _change(workspace_id: str, user_id: str, role_key: str) -> None:
    role = WorkspaceRole(st.session_state[role_key])
    components.act_in_callback(
        lambda session: members.change_role(session, current_member.current_member(), workspace_id, user_id, role),
        done=_("The role is changed."),
    )

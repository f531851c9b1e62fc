"""For administrators: everybody of the installation and all workspaces: roles, invitations, merging, credits."""

import streamlit as st

from core import db
from core.db.enums import Role, WorkspaceKind
from core.workspaces import merging, people, workspaces
from core.workspaces.people import Person
from core.workspaces.permissions import Action
from core.workspaces.workspaces import Overview
from pages.sections.team import erase, giving, invite, roster
from pages.ui import avatar, components, current_member, wording
from pages.ui.language import N_, _, plural
from pages.ui.wording import TranslatedLabels

PAGE_SIZE = 25
_LEFT_ALONE = "people_left_alone"
_MORE_TURN = "people_more_turn"
ROLE_WIDTH_PX = 170
KINDS = TranslatedLabels({WorkspaceKind.TEAM: N_("Teams"), WorkspaceKind.PERSONAL: N_("Personal ones")})

person = current_member.require(Action.MANAGE_PEOPLE)


def pages_of(key: str, asked: object) -> list[str]:
    """Behind what each page of a list begins; begins anew when something else is asked for."""
    if st.session_state.get(f"{key}_asked") != asked:
        st.session_state[f"{key}_asked"], st.session_state[f"{key}_pages"] = asked, [""]
    found: list[str] = st.session_state[f"{key}_pages"]
    return found


def search_field(key: str, placeholder: str) -> str:
    """Draw the search of a list."""
    search = st.text_input(
        placeholder,
        key=f"{key}_search",
        type="search",
        placeholder=placeholder,
        live=True,
        max_chars=120,
        label_visibility="collapsed",
        width=320,
    )
    return search or ""


def everybody() -> None:
    """People by address, found by name or address, a page at a time."""
    with st.container(horizontal=True, vertical_alignment="center"):
        search = search_field("people", _("Name or e-mail address"))
        gone = st.toggle(_("Deactivated"), key="people_gone", width=160)
    pages = pages_of("people", (search, gone))
    with db.read_session() as session:
        found = people.list_page(
            session, person, search=search, deactivated=gone, after_email=pages[-1], limit=PAGE_SIZE + 1
        )
    if not found:
        st.caption(_("Nobody matches."))
    for each in found[:PAGE_SIZE]:
        row(each)
    components.pager(pages, found[PAGE_SIZE - 1].email if len(found) > PAGE_SIZE else None, key="people")


def row(each: Person) -> None:
    """One person with their role, and what an administrator can do about them."""
    with (
        st.container(border=True, key=f"card_people_{each.id}"),
        st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"),
    ):
        with st.container(gap="xsmall", width="content"):
            st.html(avatar.named(each.name or each.email, each.id), width="content")
            components.plain_text(" · ".join(facts(each)), small=True)
        if each.erased_at is not None:
            st.badge(_("Erased"), color="gray")
            return
        if each.merged_into_id is not None:
            st.badge(_("Merged"), color="gray")
            return
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            if each.is_being_erased:
                erase.state(each)
                return
            if each.deactivated_at is not None:
                erase.button(each)
                if st.button(_("Let in again"), key=f"people_back_{each.id}"):
                    components.save_and_rerun(
                        lambda session: people.reactivate(session, person, each.id),
                        done=_("{email} can sign in again.").format(email=each.email),
                    )
                return
            key = f"people_role_{each.id}"
            st.session_state[key] = each.role
            st.selectbox(
                _("Role in the installation"),
                list(Role),
                format_func=wording.ROLE.__getitem__,
                key=key,
                label_visibility="collapsed",
                filter_mode=None,
                width=ROLE_WIDTH_PX,
                on_change=change_role,
                args=(each.id, key),
            )
            turn = st.session_state.setdefault(_MORE_TURN, 0)
            with st.popover(_("More"), key=f"people_more_{each.id}_{turn}"):
                st.markdown(
                    _(
                        "Deactivated, they have no page, no token and no webhook. Clips under way finish, what they "
                        "made stays."
                    )
                )
                if st.button(_("Deactivate"), key=f"people_off_{each.id}", type="primary"):
                    deactivate(each)
                if st.button(_("Merge into another person"), key=f"people_merge_{each.id}", on_click=close_more):
                    st.dialog(_("Merge into another person"))(merge)(each)
                erase.button(each, on_click=close_more)


def close_more() -> None:
    """Close what *More* has opened, which would lie over the dialog: the next run draws another."""
    st.session_state[_MORE_TURN] += 1


def facts(each: Person) -> list[str]:
    """Address, how many workspaces, and when they were last here."""
    number = each.workspace_count
    seen = each.last_seen_at
    return [
        each.email,
        plural("{number} workspace", "{number} workspaces", number).format(number=number),
        _("last here {day}").format(day=wording.day(seen))
        if seen
        else _("since {day}").format(day=wording.day(each.created_at)),
    ]


def deactivate(each: Person) -> None:
    """Let somebody in no more, and say which teams need another manager for it."""
    left_alone: list[str] = []

    def action(session: db.WriteSession) -> None:
        people.deactivate(session, person, each.id)
        left_alone.extend(people.teams_left_alone(session, person, each.id))

    def warn() -> None:
        if left_alone:
            st.session_state[_LEFT_ALONE] = ", ".join(left_alone)

    components.save_and_rerun(action, done=_("{email} is deactivated.").format(email=each.email), then=warn)


def change_role(user_id: str, key: str) -> None:
    """Carry out what was chosen in a row."""
    role = Role(st.session_state[key])
    components.act_in_callback(
        lambda session: people.set_role(session, current_member.require(Action.MANAGE_PEOPLE), user_id, role),
        done=_("The role is changed."),
    )


def merge(each: Person) -> None:
    """Say what merging means, ask into whom, and do it."""
    with components.error_boundary():
        components.plain_text(each.email, strong=True)
        st.markdown(
            _(
                "Sign-ins, memberships, webhooks and tokens move to the other person. What was this person's own "
                "workspace becomes a team of the other one. This cannot be undone."
            )
        )
        search = st.text_input(_("Into whom"), key="people_merge_search", placeholder=_("Name or e-mail address"))
        with db.read_session() as session:
            found = people.list_page(session, person, search=search or "", deactivated=False, limit=20)
        others = {one.id: f"{one.name} · {one.email}" for one in found if one.id != each.id}
        into = st.selectbox(
            _("Person"), list(others), index=None, format_func=others.__getitem__, key="people_merge_into"
        )
        if st.button(_("Merge"), type="primary", disabled=into is None, key="people_merge_do") and into:
            components.save_and_rerun(
                lambda session: merging.merge(session, current_member.current_member(), gone_id=each.id, into_id=into),
                done=_("They are one person now."),
            )


def teams() -> None:
    """Workspaces with their people and credits; the form that makes a team."""
    with st.container(horizontal=True, vertical_alignment="center"):
        search = search_field("teams", _("Name of a workspace"))
        kind = st.segmented_control(
            _("Kind"),
            list(WorkspaceKind)[::-1],
            format_func=KINDS.__getitem__,
            default=WorkspaceKind.TEAM,
            required=True,
            key="teams_kind",
            label_visibility="collapsed",
        )
        archived = st.toggle(_("Archived"), key="teams_archived", width=130)
        turn = st.session_state.setdefault("teams_made", 0)
        with st.popover(_("New team"), type="primary", icon=":material/add:", key=f"teams_new_{turn}"):
            new_team()
    pages = pages_of("teams", (search, archived, kind))
    with db.read_session() as session:
        found = workspaces.list_all(
            session,
            person,
            search=search,
            archived=archived,
            kind=kind,
            after_id=pages[-1] or None,
            limit=PAGE_SIZE + 1,
        )
    if not found:
        st.caption(_("No workspace matches."))
    for each in found[:PAGE_SIZE]:
        workspace_row(each)
    components.pager(pages, found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None, key="teams")


def new_team() -> None:
    """Name and first manager."""
    with st.form("teams_new", border=False):
        name = st.text_input(_("Name of the team"), max_chars=workspaces.NAME_LIMIT_CHARS)
        email = st.text_input(_("E-mail address of its manager"), placeholder=person.email, max_chars=254)
        if st.form_submit_button(_("Make the team"), type="primary"):
            st.session_state["teams_made"] += 1
            components.save_and_rerun(
                lambda session: workspaces.create(
                    session, person, name=name or "", manager_email=(email or "").strip() or None
                ),
                done=_("The team is there. Give it credits, and let its manager invite people."),
            )


def workspace_row(each: Overview) -> None:
    """One workspace with its figures; a team can be looked into and changed."""
    is_team = each.kind is WorkspaceKind.TEAM
    number = each.member_count
    words = [
        plural("{number} person", "{number} people", number).format(number=number) if is_team else _("Personal"),
        _("{credits} available").format(credits=wording.priced(each.available_credits)),
        _("{credits} spent").format(credits=wording.priced(each.spent_credits)),
    ]
    label = components.escaped(each.name)
    with st.expander(f"{label} · {' · '.join(words)}", key=f"teams_{each.id}", on_change="rerun") as opened:
        if opened.open:
            details(each)


def details(each: Overview) -> None:
    """People, invitations and credits of one workspace, and taking it out of use."""
    with components.error_boundary():
        if each.archived_at is not None:
            if st.button(_("Bring it back"), key=f"teams_restore_{each.id}", type="primary"):
                components.save_and_rerun(
                    lambda session: workspaces.restore(session, person, each.id), done=_("The team is back.")
                )
            return
        giving.show(person, each.id, each.name, key=f"teams_credits_{each.id}")
        if each.kind is not WorkspaceKind.TEAM:
            return
        invite.show(person, each.id, key=f"teams_invite_{each.id}")
        roster.show(person, each.id, key=f"teams_roster_{each.id}")
        with st.popover(_("Archive"), key=f"teams_archive_popover_{each.id}"):
            st.markdown(_("Nobody works in it from then on. Clips, charges and credits stay; it can come back."))
            if st.button(_("Archive this team"), key=f"teams_archive_{each.id}", type="primary"):
                components.save_and_rerun(
                    lambda session: workspaces.archive(session, person, each.id), done=_("The team is archived.")
                )


with components.error_boundary():
    if teams_alone := st.session_state.pop(_LEFT_ALONE, None):
        said = _("Nobody who can act manages these teams any more: {teams}")
        st.warning(said.format(teams=components.escaped(teams_alone)), icon=":material/warning:")
    people_tab, teams_tab, invite_tab = st.tabs(
        [_("People"), _("Workspaces"), _("Invitations")], key="people_tabs", on_change="rerun"
    )
    with people_tab:
        if people_tab.open:
            everybody()
    with teams_tab:
        if teams_tab.open:
            teams()
    with invite_tab:
        if invite_tab.open:
            invite.show(person, None, key="people_invite")

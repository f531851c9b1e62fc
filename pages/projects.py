"""Projects as cards: make, find, sort, rename, put away, and go on in one."""

from collections.abc import Mapping, Sequence

import streamlit as st

from core import db, installation
from core.projects import projects, transfer
from core.projects.projects import Sort
from core.workspaces import choices, profiles
from core.workspaces.permissions import Action
from core.workspaces.profiles import Profile
from pages.elements import project_cards
from pages.sections.sample import offer
from pages.ui import components, connection, current_member
from pages.ui.language import N_, _

PAGE_SIZE = 24
MAX_PEOPLE = 4  # so many of those who made clips this month are on a card

SORTS = {
    Sort.ACTIVITY: N_("Last activity"),
    Sort.NAME: N_("Name"),
    Sort.SPENT: N_("Most spent"),
    Sort.NEWEST: N_("Newest"),
}

ALLOWED = {"generate": Action.ORDER, "edit": Action.EDIT, "archive": Action.EDIT, "delete": Action.DELETE}
# What is pressed on a card -> what one must be allowed for it to be there.

person = current_member.current_member()


def create_form(name: str = "") -> None:
    """Ask for a name, make the project and go on to its first clip; the fields are new ones after each."""
    turn = st.session_state.get("projects_made", 0)
    name = st.text_input(_("Name"), name, key=f"projects_new_name_{turn}") or ""
    description = st.text_area(
        _("Description (optional)"),
        key=f"projects_new_description_{turn}",
        height=90,
    )
    if st.button(_("Create project"), type="primary", key="projects_create"):
        st.session_state["projects_made"] = turn + 1
        made: list[str] = []
        components.save_and_rerun(
            lambda session: made.append(projects.create(session, person, name=name, description=description or "").id),
            done=_("Project created."),
            then=lambda: st.switch_page("generate.py", query_params={"project": made[-1]}),
        )
        st.session_state["projects_made"] = turn  # it was refused: what was typed stays


def edit(project: projects.Summary) -> None:
    """Change the texts of a project."""
    with components.error_boundary():
        key = f"projects_edit_{project.id}"
        name = st.text_input(_("Name"), project.name, key=f"{key}_name")
        description = st.text_area(
            _("Description"),
            project.description,
            key=f"{key}_description",
            height=120,
        )
        cost_centre = st.text_input(
            _("Cost centre"),
            project.cost_centre,
            key=f"{key}_cost_centre",
            max_chars=projects.COST_CENTRE_LIMIT_CHARS,
            help=_("What finance charges it to; it stands in charge-back sheets."),
        )
        if st.button(_("Save"), type="primary", key=f"{key}_save"):
            components.save_and_rerun(
                lambda session: projects.update(
                    session,
                    current_member.current_member(),
                    project.id,
                    name=name,
                    description=description or "",
                    cost_centre=cost_centre or "",
                ),
                done=_("Saved."),
            )


def delete(project: projects.Summary, name: str) -> None:
    """Say what deleting means, then do it; what has charges on record is archived instead."""
    with components.error_boundary():
        components.plain_text(name, strong=True)
        if project.generation_count or project.in_flight_count:
            st.markdown(
                _(
                    "This project has clips, and what they cost stays on record, so it cannot be deleted. Archive it "
                    "instead: it leaves this list, its clips and charges stay as they are, and you can bring it back."
                )
            )
            if project.archived_at is None and st.button(_("Archive"), type="primary", key="projects_archive"):
                archive(project)
            return
        st.markdown(_("It is empty, so nothing but its name and description is lost. This cannot be undone."))
        if st.button(_("Delete project"), type="primary", key="projects_delete"):
            components.save_and_rerun(
                lambda session: projects.delete(session, current_member.current_member(), project.id),
                done=_("Project deleted."),
            )


def archive(project: projects.Summary) -> None:
    """Put a project away, or bring it back."""
    away = project.archived_at is None
    done = _("Archived. Find it under Archived.") if away else _("The project is back.")
    components.save_and_rerun(
        lambda session: projects.update(session, current_member.current_member(), project.id, archived=away), done=done
    )


def move(project: projects.Summary, name: str) -> None:
    """Say what moving means, ask to where, and do it."""
    with components.error_boundary():
        components.plain_text(name, strong=True)
        st.markdown(
            _(
                "Its clips go with it, and everybody there sees them. What was charged stays in the books of this "
                "workspace, under an archived project of the same name."
            )
        )
        mover = current_member.current_member()
        with db.read_session() as session:
            others = {
                choice.id: choice.name
                for choice in choices.list_choices(session, mover)
                if choice.id != mover.workspace_id and mover.may(Action.TRANSFER, choice.id)
            }
        to_id = st.selectbox(
            _("To"), list(others), index=None, format_func=others.__getitem__, key=f"projects_move_{project.id}"
        )
        if st.button(_("Move"), type="primary", disabled=to_id is None, key="projects_move") and to_id:
            quota_bytes = installation.current().settings.storage_quota_bytes
            components.save_and_rerun(
                lambda session: transfer.transfer(
                    session, mover, project.id, to_workspace_id=to_id, quota_bytes=quota_bytes
                ),
                done=_("The project is in {workspace} now.").format(workspace=others[to_id]),
            )


def allowed() -> list[str]:
    """What may be pressed on cards; moving only for who has somewhere to move to."""
    found = [name for name, action in ALLOWED.items() if person.may(action)]
    elsewhere = any(person.may(Action.TRANSFER, other) for other in person.roles if other != person.workspace_id)
    return [*found, "transfer"] if elsewhere and person.may(Action.TRANSFER) else found


def carry_out(action: str, project: projects.Summary, *, name: str) -> None:
    """What was pressed on a card of this name, which tells it from its namesakes."""
    if action == "open":
        st.switch_page("history.py", query_params={"project": project.id})
    elif action == "generate":
        st.switch_page("generate.py", query_params={"project": project.id})
    elif action == "edit":
        st.dialog(_("Rename and describe"))(edit)(project)
    elif action == "archive":
        archive(project)
    elif action == "transfer":
        st.dialog(_("Move to another workspace"))(move)(project, name)
    elif action == "delete":
        st.dialog(_("Delete this project?"))(delete)(project, name)


def welcome() -> None:
    """What a newcomer reads, with the one button that begins; for who may not begin, who may."""
    components.lead_to_figures(person)
    if not person.may(Action.EDIT):
        text = _("Whoever makes clips here makes projects for them. You can watch and download everything in them.")
        components.empty_state(_("No projects yet"), text, icon="movie")
        return
    components.empty_state(
        _("Make your first project"),
        _(
            "A project keeps the clips of one film, campaign or idea together. You see the price of every clip before "
            "you order it, and only a clip that was delivered is charged."
        ),
        icon="movie",
    )
    with st.container(horizontal_alignment="center"), st.container(border=True, width=460, key="card_first"):
        create_form(_("My first project"))
    offer.show(person, key="projects_sample")


def toolbar() -> tuple[str, Sort, bool]:
    """Search, order, the archive and the button for a new one; (search text, order, archived)."""
    with st.container(horizontal=True, vertical_alignment="center"):
        search = st.text_input(
            _("Search"),
            key="projects_search",
            type="search",
            placeholder=_("Search projects"),
            live=True,
            max_chars=120,
            label_visibility="collapsed",
            width=280,
        )
        sort = st.selectbox(
            _("Sort by"),
            list(SORTS),
            format_func=lambda sort: _(SORTS[sort]),
            key="projects_sort",
            label_visibility="collapsed",
            persist_state="session",
            width=170,
        )
        archived = st.toggle(_("Archived"), key="projects_archived", width=130)
        st.space("stretch")
        if person.may(Action.EDIT):
            turn = st.session_state.get("projects_made", 0)
            with st.popover(_("New project"), type="primary", icon=":material/add:", key=f"projects_new_{turn}"):
                create_form()
    return search or "", sort or Sort.ACTIVITY, archived


def spenders(session: db.ReadSession, found: Sequence[projects.Summary]) -> Mapping[str, Sequence[Profile]]:
    """Project id -> who was charged most in it this month, at most `MAX_PEOPLE`."""
    most = installation.current().usage.spenders(session, person, [project.id for project in found])
    first = {project_id: ids[:MAX_PEOPLE] for project_id, ids in most.items()}
    people = profiles.people(session, {id for ids in first.values() for id in ids})
    return {project_id: [people[id] for id in ids if id in people] for project_id, ids in first.items()}


def nothing(search: str, archived: bool) -> None:
    """Why the list is empty."""
    st.space("small")
    if search:
        st.caption(_("No project matches."))
    else:
        st.caption(_("Nothing is archived.") if archived else _("No active project."))


with components.error_boundary():
    with db.read_session() as session:
        has_any = any(projects.names(session, person, archived=archived, limit=1) for archived in (False, True))
    if not has_any:
        is_at_home = person.workspace_id == person.id
        if is_at_home and connection.is_first_run():  # a newcomer first sees a clip, and files it later
            st.switch_page("generate.py", query_params=dict(st.query_params))
        welcome()
        st.stop()
    search, sort, archived = toolbar()
    shown = int(st.session_state.get("projects_limit", PAGE_SIZE))
    with db.read_session() as session:
        found = projects.list_page(session, person, search=search, archived=archived, sort=sort, limit=shown + 1)
        names = components.told_apart(session, person, {project.id: project.name for project in found[:shown]})
        people = spenders(session, found[:shown])
    if not found:
        nothing(search, archived)
    else:
        pressed = project_cards.show(
            person, found[:shown], key="projects_cards", allowed=allowed(), names=names, people=people
        )
        if pressed is not None:
            carry_out(*pressed, name=names[pressed[1].id])
    if len(found) > shown and st.button(_("Show more"), key="projects_more"):
        st.session_state["projects_limit"] = shown + PAGE_SIZE
        st.rerun()

"""Projects as cards: make, find, rename, put away, and go on in one."""

import html
from collections.abc import Callable
from typing import Any

import streamlit as st

from core import db, projects
from core.models import utc_now
from pages import components, visitor, wording

PAGE_SIZE = 24

person = visitor.person()


def create_form(name: str = "") -> None:
    """Ask for a name and make the project; the fields are new ones after each."""
    turn = st.session_state.get("projects_made", 0)
    name = st.text_input("Name", name, key=f"projects_new_name_{turn}", max_chars=projects.NAME_LIMIT_CHARS) or ""
    description = st.text_area(
        "Description (optional)",
        key=f"projects_new_description_{turn}",
        max_chars=projects.DESCRIPTION_LIMIT_CHARS,
        height=90,
    )
    if st.button("Create project", type="primary", key="projects_create"):
        st.session_state["projects_made"] = turn + 1
        save(
            lambda session: projects.create(session, person, name=name, description=description or ""),
            done="Project created.",
        )
        st.session_state["projects_made"] = turn  # it was refused: what was typed stays


@st.dialog("Rename and describe")
def edit(project: projects.Summary) -> None:
    """Change the texts of a project."""
    with components.calm():
        key = f"projects_edit_{project.id}"
        name = st.text_input("Name", project.name, key=f"{key}_name", max_chars=projects.NAME_LIMIT_CHARS)
        description = st.text_area(
            "Description",
            project.description,
            key=f"{key}_description",
            max_chars=projects.DESCRIPTION_LIMIT_CHARS,
            height=120,
        )
        if st.button("Save", type="primary", key=f"{key}_save"):
            save(
                lambda session: projects.change(session, person, project.id, name=name, description=description or ""),
                done="Saved.",
            )


@st.dialog("Delete this project?")
def delete(project: projects.Summary) -> None:
    """Say what deleting means, then do it."""
    with components.calm():
        components.plain(project.name, strong=True)
        st.markdown(
            "It is empty, so nothing but its name and description is lost. This cannot be undone. "
            "A project that ever had a clip cannot be deleted, because its charges stay on record: archive it instead."
        )
        if st.button("Delete project", type="primary", key="projects_delete"):
            save(lambda session: projects.delete(session, person, project.id), done="Project deleted.")


def save(action: Callable[[Any], object], *, done: str) -> None:
    """Carry out a change in one transaction, then draw the page again."""

    def transaction() -> None:
        with db.session() as session:
            action(session)

    if components.attempt(transaction, done=done):
        st.rerun()


def cover(project: projects.Summary) -> None:
    """The newest picture, or a quiet place for it."""
    link = components.media_link(project.cover_key)
    box = "display:block;width:100%;aspect-ratio:16/9;border-radius:8px;"
    if link:
        st.html(
            f'<img src="{html.escape(link)}" alt="" loading="lazy" style="{box}object-fit:contain;background:#0b1012">'
        )
    else:
        st.html(
            f'<div style="{box}display:grid;place-items:center;background:rgb(128 140 140 / 14%);font-size:.85rem">'
            "No clip yet</div>"
        )


def card(project: projects.Summary) -> None:
    """One project with what can be done in it."""
    with st.container(border=True, gap="small", height="stretch", key=f"project_{project.id}"):
        cover(project)
        components.plain(project.name, strong=True, lines=2)
        if project.description:
            components.plain(project.description, small=True, lines=2)
        facts = [wording.count(project.generation_count, "clip")]
        if project.in_flight_count:
            facts.append(f"{project.in_flight_count} under way")
        facts.append(f"changed {wording.age(project.updated_at, utc_now())}")
        st.caption(" · ".join(facts))
        st.space("stretch")
        with st.container(horizontal=True, vertical_alignment="center"):
            if project.archived_at is None and st.button(
                "Generate", key=f"project_generate_{project.id}", type="primary"
            ):
                st.switch_page("generate.py", query_params={"project": project.id})
            if st.button("Open", key=f"project_open_{project.id}"):
                st.switch_page("history.py", query_params={"project": project.id})
            menu(project)


def menu(project: projects.Summary) -> None:
    """The rarer things."""
    archive = "Archive" if project.archived_at is None else "Bring back"
    options = ["Rename and describe", archive]
    if project.generation_count == 0 and project.in_flight_count == 0:
        options.append("Delete")
    chosen = st.menu_button(
        "More", options, key=f"project_menu_{project.id}", type="tertiary", icon=":material/more_horiz:"
    )
    if chosen == "Delete":
        delete(project)
    elif chosen == archive:
        archived = project.archived_at is None
        done = "Archived. It waits under Archived." if archived else "It is back."
        save(lambda session: projects.change(session, person, project.id, archived=archived), done=done)
    elif chosen:
        edit(project)


def welcome() -> None:
    """What a newcomer reads, with the one button that begins."""
    components.empty_state(
        "Make your first project",
        "A project keeps the clips of one film, campaign or idea together. You see the price of every clip before you "
        "order it, and only a clip that was delivered is charged.",
        icon="movie",
    )
    with st.container(horizontal_alignment="center"), st.container(border=True, width=460):
        create_form("My first project")


def toolbar() -> tuple[str, bool]:
    """Search, the archive and the button for a new one; (search text, archived)."""
    with st.container(horizontal=True, vertical_alignment="center"):
        search = st.text_input(
            "Search",
            key="projects_search",
            type="search",
            placeholder="Search projects",
            live=True,
            max_chars=120,
            label_visibility="collapsed",
            width=280,
        )
        archived = st.toggle("Archived", key="projects_archived", width="content")
        turn = st.session_state.get("projects_made", 0)
        with st.popover("New project", type="primary", icon=":material/add:", key=f"projects_new_{turn}"):
            create_form()
    return search or "", archived


with components.calm():
    with db.session(read_only=True) as session:
        has_any = any(projects.browse(session, person, archived=archived, limit=1) for archived in (False, True))
    if not has_any:
        welcome()
        st.stop()
    search, archived = toolbar()
    shown = int(st.session_state.get("projects_limit", PAGE_SIZE))
    with db.session(read_only=True) as session:
        found = projects.browse(session, person, search=search, archived=archived, limit=shown + 1)
    if not found:
        st.space("small")
        st.caption("No project matches." if search else ("Nothing is archived." if archived else "No active project."))
    else:
        with st.grid(min_column_width=270, gap="medium"):
            for project in found[:shown]:
                card(project)
    if len(found) > shown and st.button("Show more", key="projects_more"):
        st.session_state["projects_limit"] = shown + PAGE_SIZE
        st.rerun()

"""The frame around every page: look and name of the window, who is looking, the bar; then the page runs."""

from functools import partial

import streamlit as st

from core import db, installation
from core.billing import ledger
from core.db import Reader
from core.generations import approval_list
from core.insights import attention
from core.notifications import inbox
from core.projects import projects
from core.workspaces.access import Charge, Member
from core.workspaces.permissions import Action
from pages.elements import live
from pages.sections import progress_text, workspace_state
from pages.sections.bar import frame, pages, workspace
from pages.sections.sample import making, switch
from pages.ui import components, connection, current_member, language, look, run

look.begin()


def project_in_address(reader: Reader, person: Member) -> str | None:
    """What the project that the address names is called; None for none of this workspace."""
    wanted = st.query_params.get("project")
    return projects.name_of(reader, person, wanted) if wanted else None


def waiting(reader: Reader, person: Member, current: str, outage: str) -> dict[str, int]:
    """Path of a page -> how many things wait there for this person: for approval, for managers and for operators.

    That nobody works here is one more for who runs it; every page says so.
    """
    opened, found = installation.current(), {}
    if person.may(Action.OPERATE):
        found["admin"] = Charge.of_operator(person)
    if person.may(Action.ATTEND):
        found["attention"] = Charge.of_manager(person)
    counts = {
        path: opened.attention.count(
            charge, partial(attention.look, reader, opened.settings, charge), anew=current == path
        )
        for path, charge in found.items()
    }
    if outage and "admin" in counts:
        counts["admin"] += 1
    return counts | {"approvals": approval_list.count(reader, person)}


connection.count_run()
with run.begun(), components.error_boundary():
    person = workspace.find_person()
    workspace_state.follow(person)
    language.set_language(person.user.language)
    with db.read_connection() as reader:  # one for the whole frame; a session would cost as much as what is asked
        page = st.navigation(pages.offered(person), position="hidden")
        look.name_window(page.title, project_in_address(reader, person))
        components.show_flash()

        sample_people = switch.people(reader)
        outage = progress_text.outage()
        with st.container(key="bar"):
            live.show(reader, person, outage)
            workspace.show(reader, person)
            switch.show(sample_people, is_second=len(person.roles) > 1)
            frame.show(
                person,
                current=page.url_path,
                balance=ledger.balance(reader, person.workspace_id),
                waiting=waiting(reader, person, page.url_path, outage),
                unread=inbox.unread_count(reader, person.id),
                may_look_as=bool(sample_people),
            )
    with st.container(key="quiet_title" if page.url_path in pages.QUIET_TITLES else "title"):
        st.title(page.title, anchor=False, width="content")
    with st.container(key="told"):  # a place of its own: what comes and goes in it begins no clip below it anew
        switch.banner(sample_people, person)
        if outage:
            st.warning(outage, icon=":material/hourglass_disabled:")
        making.follow()
    with current_member.set_current_member(person):
        page.run()

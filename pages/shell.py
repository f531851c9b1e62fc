"""The frame around every page: settings of the window, who is looking, navigation and balance; then the page runs."""

import streamlit as st

from core import db
from core.billing import ledger
from core.insights import attention
from core.workspaces.permissions import Action
from pages.elements import live
from pages.sections import progress_text, workspace_state
from pages.sections.bar import pages, workspace
from pages.sections.sample import switch
from pages.ui import components, connection, current_member, language
from pages.ui.language import _

st.set_page_config(page_title="AI Video Generator", page_icon="🎬", layout="wide")

connection.count_run()
with components.error_boundary():
    person = workspace.find_person()
    workspace_state.follow(person)
    language.set_language(person.user.language)
    with db.read_connection() as reader:  # one for the whole frame; a session would cost as much as what is asked
        waiting = attention.waiting(reader).count if person.may(Action.OPERATE) else 0
        page = st.navigation(pages.offered(person, waiting=waiting), position="top")
        components.show_flash()

        sample_people = switch.people(reader)
        outage = progress_text.outage()
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.title(_("Admin") if page.url_path == "admin" else page.title, anchor=False, width="content")
            # Invisible; above the title it would push the page down while its code is loaded.
            live.show(reader, person, outage)
            # The bar's right side, part by part; each is as wide as it will be before its code is here.
            with st.container(horizontal=True, vertical_alignment="center", width="content", key="bar"):
                workspace.show(reader, person)
                switch.show(sample_people)
                components.balance_line(ledger.balance(reader, person.workspace_id))
    switch.banner(sample_people, person)
    if outage:
        st.warning(outage, icon=":material/hourglass_disabled:")
    with current_member.set_current_member(person):
        page.run()

"""The frame around every page: settings of the window, who is looking, navigation and balance; then the page runs."""

import streamlit as st

from core import db
from core.billing import ledger
from core.insights import attention
from core.workspaces.permissions import Action
from pages.elements import live
from pages.sections import progress_text, workspace_state
from pages.sections.bar import workspace
from pages.sections.sample import switch
from pages.ui import components, connection, current_member, language
from pages.ui.language import _

st.set_page_config(page_title="AI Video Generator", page_icon="🎬", layout="wide")

connection.count_run()
with components.error_boundary():
    person = workspace.find_person()
    workspace_state.follow(person)
    language.set_language(person.user.language)
    pages = [
        st.Page("projects.py", title=_("Projects"), icon=":material/folder:", default=True),
        st.Page("generate.py", title=_("Generate"), icon=":material/movie:"),
        st.Page("history.py", title=_("History"), icon=":material/grid_view:"),
        st.Page("usage.py", title=_("Usage"), icon=":material/bar_chart:"),
        st.Page("team.py", title=_("Team"), icon=":material/group:"),
        st.Page("verify.py", title=_("Verify"), icon=":material/verified_user:"),
    ]
    if person.may(Action.MANAGE_PEOPLE):
        pages.append(st.Page("people.py", title=_("People"), icon=":material/manage_accounts:"))
    if person.may(Action.OPERATE):
        with db.read_session() as session:
            waiting = attention.waiting(session).count
        label = _("Admin ({number})").format(number=waiting) if waiting else _("Admin")
        pages.append(st.Page("admin.py", title=label, icon=":material/shield_person:"))
    if person.may(Action.READ_AUDIT_LOG):
        pages.append(st.Page("audit_log.py", title=_("Audit log"), icon=":material/policy:"))
    pages.append(st.Page("account.py", title=_("Account"), icon=":material/account_circle:"))
    pages.append(st.Page("invitation.py", title=_("Invitation"), visibility="hidden"))
    page = st.navigation(pages, position="top")
    components.show_flash()

    sample_people = switch.people()
    outage = progress_text.outage()
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.title(_("Admin") if page.url_path == "admin" else page.title, anchor=False, width="content")
        with db.read_session() as session:
            # Invisible; above the title it would push the page down while its code is loaded.
            live.show(session, person, outage)
            # The bar's right side, part by part; each is as wide as it will be before its code is here.
            with st.container(horizontal=True, vertical_alignment="center", width="content", key="bar"):
                workspace.show(session, person)
                switch.show(sample_people)
                components.balance_line(ledger.balance(session, person.workspace_id))
    switch.banner(sample_people, person)
    if outage:
        st.warning(outage, icon=":material/hourglass_disabled:")
    with current_member.set_current_member(person):
        page.run()

"""The frame around every page: settings of the window, who is looking, navigation and balance; then the page runs."""

import streamlit as st

from core import db, ledger
from core.models import Role
from pages import components, live, visitor

st.set_page_config(page_title="AI Video Generator", page_icon="🎬", layout="wide")

with components.calm():
    person = visitor.person()
    pages = [
        st.Page("projects.py", title="Projects", icon=":material/folder:", default=True),
        st.Page("generate.py", title="Generate", icon=":material/movie:"),
        st.Page("history.py", title="History", icon=":material/grid_view:"),
        st.Page("usage.py", title="Usage", icon=":material/bar_chart:"),
    ]
    if person.role is Role.ADMIN:
        pages.append(st.Page("admin.py", title="Admin", icon=":material/shield_person:"))
    page = st.navigation(pages, position="top")
    components.announced()

    with st.container(gap=None):  # the element is invisible and takes no room
        live.show(person)
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.title(page.title, anchor=False, width="content")
            with db.session(read_only=True) as session:
                balance = ledger.balance(session, person.id)
            components.balance_line(balance)
    page.run()

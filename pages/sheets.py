"""Order from a spreadsheet, or from a prompt with lists: one table, one total, all or none, and what becomes of it."""

import streamlit as st

from core import db
from core.generations.sheets import kept
from core.workspaces.permissions import Action
from pages.sections.sheets import address, begin, earlier, editing, following
from pages.ui import components, current_member

with components.error_boundary():
    person = current_member.current_member()
    sheet_id = address.named()
    if sheet_id is None:
        if person.may(Action.ORDER):
            begin.show(person)
        earlier.show(person)
    else:
        address.way_back()
        with db.read_session() as session:
            sheet = kept.get(session, person, sheet_id)
        if sheet.ordered_at is None:
            editing.show(person, sheet)
        else:
            following.show(person, sheet)
    st.space("small")

"""The tables of the workspace, newest first: those that were ordered, and those that wait to be."""

import streamlit as st

from core import db
from core.generations.sheets import kept
from core.workspaces.access import Member
from pages.sections.sheets import address
from pages.ui import components, wording
from pages.ui.language import _, plural

_PAGES = "sheets_pages"


def show(person: Member) -> None:
    """A line a table, with a button that opens it."""
    pages: list[str] = st.session_state.setdefault(_PAGES, [""])
    with db.read_session() as session:
        page = kept.list_page(session, person, cursor=pages[-1] or None)
    st.header(_("Batches"), anchor=False)
    if not page.sheets:
        st.caption(_("Nothing was ordered from a table here yet."))
        return
    for sheet in page.sheets:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            with st.container(gap="xsmall"):
                components.plain_text(sheet.name, strong=True, lines=1)
                rows = plural("{number} row", "{number} rows", sheet.row_count)
                said = [rows.format(number=wording.credits(sheet.row_count)), wording.minute(sheet.created_at)]
                if sheet.ordered_at is None:
                    said.append(_("not ordered"))
                else:
                    said.append(_("ordered for {price}").format(price=wording.priced(sheet.total_credits)))
                st.caption(" · ".join(said))
            st.button(
                _("Open"), key=f"sheets_open_{sheet.id}", on_click=address.go_to, args=(sheet.id,), width="content"
            )
    components.pager(pages, page.next_cursor, key="sheets_pager")

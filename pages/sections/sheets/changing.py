"""Changes of a table on its page: kept at once, so that a reload, a restart or another device shows them."""

from collections.abc import Callable

import streamlit as st

from core import db, errors
from core.generations.sheets import kept
from core.generations.sheets.checked import Defaults
from core.generations.sheets.tables import Table
from pages.sections.sheets import address
from pages.ui import components, current_member


def revise(
    sheet_id: str,
    *,
    table: Callable[[Table], Table] = lambda before: before,
    defaults: Callable[[Defaults], Defaults] = lambda before: before,
) -> None:
    """Change a kept table; for callbacks. A refusal is said where the page begins.

    One that becomes the same as another table of the workspace is that one from then on.
    """
    try:
        with components.outage_refuses(), db.write_session() as session:
            person = current_member.current_member()
            sheet = kept.get(session, person, sheet_id, is_locked=True)
            after_table, after_defaults = table(kept.table_of(sheet)), defaults(kept.defaults_of(sheet))
            now = kept.revise(session, person, sheet_id, after_table, after_defaults)
    except errors.AppError as problem:
        st.session_state["refusal"] = problem
    else:
        address.go_to(now.id)

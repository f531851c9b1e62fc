"""Which table is open stands in the address (`?sheet=`), so that reload, Back and a link lead to it."""

import streamlit as st

from core import ids
from pages.ui.language import _

PARAM = "sheet"


def named() -> str | None:
    """The table that the address names; None for none."""
    found = st.query_params.get(PARAM)
    return found if found and ids.is_id(found) else None


def go_to(sheet_id: str) -> None:
    """Open a table; for callbacks."""
    st.query_params[PARAM] = sheet_id


def leave() -> None:
    """To the beginning; for callbacks."""
    st.query_params.pop(PARAM, None)


def way_back() -> None:
    """The button that leads to the beginning."""
    st.button(_("All batches"), icon=":material/arrow_back:", type="tertiary", on_click=leave, key="sheets_back")

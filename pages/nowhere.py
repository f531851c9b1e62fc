"""What stands at an address that is no page of this person's: that there is nothing, and ways on."""

import streamlit as st

from pages.ui import components
from pages.ui.language import _

components.empty_state(
    _("Nothing is at this address"),
    _("The link may be old, or lead to a page that is not for you. Nothing was lost or changed."),
    icon="explore_off",
)
with st.container(horizontal=True, horizontal_alignment="center"):
    st.page_link("projects.py", label=_("Projects"), icon=":material/folder:")
    st.page_link("history.py", label=_("History"), icon=":material/grid_view:")

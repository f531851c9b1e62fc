"""Buttons that save a table as a file for a spreadsheet."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from core.usage.spreadsheet import SpreadsheetFormat
from pages.ui import current_member
from pages.ui.language import _


def table(make: Callable[[SpreadsheetFormat], bytes], *, name: str, key: str) -> None:
    """A button for each kind of file, which is made when it is pressed; `name` has no ending.

    The current member is then the one whose page has the button.
    """
    current_member_again = current_member.keep()

    def made(form: SpreadsheetFormat) -> bytes:
        with current_member_again():
            return make(form)

    labels = {SpreadsheetFormat.CSV: _("Download CSV"), SpreadsheetFormat.XLSX: _("Download Excel")}
    with st.container(horizontal=True, width="content"):
        for form, label in labels.items():
            st.download_button(
                label,
                data=partial(made, form),
                file_name=f"{name}.{form}",
                mime=form.media_type,
                icon=":material/download:",
                on_click="ignore",
                key=f"{key}_{form}",
            )

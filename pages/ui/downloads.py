"""Buttons that save a table as a file for a spreadsheet."""

from collections.abc import Callable
from functools import partial

import streamlit as st
from babel import numbers

from core.usage.spreadsheet import Separator, SpreadsheetFormat
from pages.ui import current_member, language
from pages.ui.language import _

MakeFile = Callable[[SpreadsheetFormat, Separator], bytes]


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


def figures(make: MakeFile, *, name: str, key: str) -> None:
    """The same for a table of figures, with the choice of what separates the cells of a CSV."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = separator(key=f"{key}_separator")
        table(lambda form: make(form, chosen), name=name, key=key)


def pdf(make: Callable[[], bytes], *, name: str, key: str) -> None:
    """A button for a file for people, made when it is pressed as those of a table are; `name` has no ending."""
    current_member_again = current_member.keep()

    def made() -> bytes:
        with current_member_again():
            return make()

    st.download_button(
        _("Download PDF"),
        data=made,
        file_name=f"{name}.pdf",
        mime="application/pdf",
        icon=":material/picture_as_pdf:",
        on_click="ignore",
        key=f"{key}_pdf",
    )


def separator(*, key: str) -> Separator:
    """A choice of what stands between the cells of a CSV; first that of spreadsheets in the reader's language."""
    names = {Separator.COMMA: _("Comma"), Separator.SEMICOLON: _("Semicolon"), Separator.TAB: _("Tab")}
    has_comma = numbers.get_decimal_symbol(language.locale()) == ","
    first = Separator.SEMICOLON if has_comma else Separator.COMMA
    options = [first, *(each for each in names if each is not first)]
    with st.container(width=170):
        return st.selectbox(
            _("Separator in CSV"),
            options,
            format_func=names.__getitem__,
            key=key,
            help=_("If a CSV opens in one column only, choose another one. With semicolons decimals have a comma."),
        )

"""The look of every page: its style sheet, the mark, the name of the window; colours are in `look.css` and the theme.

Custom elements take their colours and sizes from the properties that `look.css` defines on `:root`. What would jump if
it came with its page is here, too: `dock.css` is the frame of the studio, `frame.css` that of the viewer.
"""

import base64
from pathlib import Path

import streamlit as st

from pages.ui import early_code

NAME = "AI Video Generator"
"""What the product is called, in every language."""

_HERE = Path(__file__).parent

MARK = f"data:image/svg+xml;base64,{base64.b64encode((_HERE / 'mark.svg').read_bytes()).decode()}"

_FRAMES = (_HERE / "look.css", _HERE / "dock.css", _HERE.parent / "sections" / "clip" / "frame.css")

_SHEETS = "".join(sheet.read_text(encoding="utf-8") for sheet in _FRAMES)

HEAD = f'<link rel="icon" type="image/svg+xml" href="{MARK}"><style>{_SHEETS}</style>{early_code.links()}'
"""What the document of every page has in its head, so that the first paint is the last one's place and colours."""


def begin() -> None:
    """Set up the window; the shell does it first on every run."""
    st.set_page_config(page_title=NAME, page_icon=MARK, layout="wide", initial_sidebar_state="collapsed")


def name_window(*parts: str | None) -> None:
    """Call the window, and so its tab, by its page and what is on it: `History · Lake film – AI Video Generator`.

    A page may do it again when it knows more than the address says.
    """
    st.set_page_config(page_title=f"{' · '.join(filter(None, parts))} – {NAME}")

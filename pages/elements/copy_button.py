"""Buttons that copy a text, or the address of a clip, to the clipboard of the person who presses them."""

from pathlib import Path

import streamlit as st

from pages.ui.language import _

_HERE = Path(__file__)
_element = st.components.v2.component(
    "copy_button",
    html='<div class="row"></div>',
    css=_HERE.with_suffix(".css").read_text(encoding="utf-8"),
    js=_HERE.with_suffix(".js").read_text(encoding="utf-8"),
)


def show(prompt: str, clip_id: str, *, key: str) -> None:
    """One button for the prompt and one for the link; the address is that of the page, with nothing but the clip."""
    buttons = [
        {"label": _("Copy prompt"), "text": prompt},
        {"label": _("Copy link"), "query": f"?clip={clip_id}"},
    ]
    words = {"done": _("Copied"), "failed": _("This browser does not allow copying")}
    _element(key=key, data={"buttons": buttons, "words": words})

"""Buttons that copy a text, or the address of a clip, to the clipboard of the person who presses them."""

from collections.abc import Mapping, Sequence

from pages.ui.custom_element import custom_element
from pages.ui.language import _

_element = custom_element(
    __file__,
    "copy_button",
    html='<div class="row"></div>',
)


def show(prompt: str, clip_id: str, *, key: str) -> None:
    """One button for the prompt and one for the link; the address is that of the page, with nothing but the clip."""
    buttons = [
        {"label": _("Copy prompt"), "text": prompt},
        {"label": _("Copy link"), "query": f"?clip={clip_id}"},
    ]
    _draw(buttons, key=key)


def text(label: str, copied: str, *, key: str) -> None:
    """One button that copies a text."""
    _draw([{"label": label, "text": copied}], key=key)


def _draw(buttons: Sequence[Mapping[str, str]], *, key: str) -> None:
    words = {"done": _("Copied"), "failed": _("This browser does not allow copying")}
    _element(key=key, data={"buttons": buttons, "words": words})

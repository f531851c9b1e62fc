"""Mounts a custom element whose CSS and JavaScript lie beside its module under the same name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st


def custom_element(module_file: str, name: str, *, html: str, triggers: tuple[str, ...] = ()) -> Callable[..., Any]:
    """A function that draws the element from `key`, `data` and its size; what it returns says what was just done.

    The data travel in a list: in a dictionary Streamlit (1.67) looks for tables, for which it imports pandas.

    What the element's function returns is called when the element goes, and also when newer data overtake its call
    before the code is here: the element is still connected then, and its newer call may have been made already.

    `html` is the element's frame; each of `triggers` is an attribute of the result, None unless it was just pulled.
    """
    here = Path(module_file)
    element = st.components.v2.component(
        name,
        html=html,
        css=here.with_suffix(".css").read_text(encoding="utf-8"),
        js=here.with_suffix(".js").read_text(encoding="utf-8"),
    )
    offered: dict[str, Any] = {f"on_{trigger}_change": _nothing for trigger in triggers}

    def draw(*, key: str, data: dict[str, Any], **size: Any) -> Any:
        return element(key=key, data=[data], **size, **offered)

    return draw


def _nothing() -> None:
    """Streamlit offers a trigger as a result only where it has a callback."""

"""Mounts a custom element whose CSS and JavaScript lie beside its module under the same name."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

_NOTHING: Mapping[str, Callable[[], None]] = {}


def custom_element(
    module_file: str, name: str, *, html: str, triggers: tuple[str, ...] = (), parts: tuple[str, ...] = ()
) -> Callable[..., Any]:
    """A function that draws the element from `key`, `data` and its size; what it returns says what was just done.

    Its `on` names functions that are called when a trigger was pulled, or a state of that name has changed, before the
    run begins that shows it.

    It also takes `on_<trigger>_change`, a callback of the same kind.

    The data travel in a list: in a dictionary Streamlit (1.67) looks for tables, for which it imports pandas.

    What the element's function returns is called when the element goes, and also when newer data overtake its call
    before the code is here: the element is still connected then, and its newer call may have been made already.

    `parts` are files of JavaScript beside it that stand before its own, which together are one module.
    `html` is the element's frame; each of `triggers` is an attribute of the result, None unless it was just pulled.
    """
    here = Path(module_file)
    scripts = (*map(here.with_name, parts), here.with_suffix(".js"))
    element = st.components.v2.component(
        name,
        html=html,
        css=here.with_suffix(".css").read_text(encoding="utf-8"),
        js="\n".join(script.read_text(encoding="utf-8") for script in scripts),
    )
    offered: dict[str, Any] = {f"on_{trigger}_change": _nothing for trigger in triggers}

    def draw(*, key: str, data: dict[str, Any], on: Mapping[str, Callable[[], None]] = _NOTHING, **more: Any) -> Any:
        heard = {f"on_{name}_change": act for name, act in on.items()}
        return element(key=key, data=[data], **(offered | heard | more))

    return draw


def _nothing() -> None:
    """Streamlit offers a trigger as a result only where it has a callback."""

"""The settings of an order as chips of one element: ratio as little frames, length, resolution, sound, variations.

What is chosen is shown at once and sent whole, so that quick presses lose nothing; number keys choose how many
variations, outside of fields that are written in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.ui import connection
from pages.ui.custom_element import custom_element
from pages.ui.language import _

_element = custom_element(
    __file__,
    "order_settings",
    html='<div class="settings" role="group"></div>',
    triggers=("changed",),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """One setting: its options as (value, what it says) and which is chosen.

    `kind` is how it is offered: a `menu`, a `frames` menu whose options are ratios, a `switch` (False and True, with
    `note` as its price), or `steps` side by side. With one option there is nothing to choose, and it is said.
    """

    field: str
    label: str
    kind: str
    options: Sequence[tuple[Any, str]]
    chosen: Any
    note: str = ""


def show(choices: Sequence[Choice], *, key: str, on_change: Callable[[str, Any], None]) -> None:
    """Draw the chips; `on_change` takes a field and its new value before the run that shows it.

    Only what was on offer when it was drawn is taken.
    """
    offered: Mapping[str, Sequence[Any]] = {
        choice.field: [value for value, _said in choice.options] for choice in choices
    }

    def take() -> None:
        said = (st.session_state.get(key) or {}).get("changed")
        if not isinstance(said, Mapping):
            return
        st.session_state[f"{key}_turn"] = int(said.get("turn", 0))
        for field, value in said.get("values", {}).items():
            found = [one for one in offered.get(field, ()) if one == value and type(one) is type(value)]
            if found:
                on_change(field, found[0])

    _element(
        key=key,
        data={
            "turn": [connection.session(), st.session_state.get(f"{key}_turn", 0)],
            "choices": [_told(choice) for choice in choices],
            "words": {
                "settings": _("Settings of the order"),
                "shortcuts": _("Keyboard shortcuts"),
                "keys": [
                    [_("Ctrl or Cmd + Enter"), _("orders, while you write")],
                    ["1 2 3 4", _("how many variations")],
                    ["← →", _("another take on the stage")],
                    ["?", _("this list")],
                ],
            },
        },
        on={"changed": take},
        width="content",
    )


def _told(choice: Choice) -> dict[str, Any]:
    return {
        "field": choice.field,
        "label": choice.label,
        "kind": choice.kind,
        "options": [{"value": value, "said": said} for value, said in choice.options],
        "chosen": choice.chosen,
        "note": choice.note,
    }

"""The bar of the library as one element: search as one types, a chip a filter, count, order, size and view.

The size of the pictures is the browser's own matter: it is kept there for each person, and told to the gallery by a
`library-size` event on `window`, without a rerun. Everything else comes back as what was pressed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.clock import utc_now
from pages.ui import language
from pages.ui.custom_element import custom_element
from pages.ui.language import _

_element = custom_element(
    __file__,
    "library_bar",
    html='<div class="line top"></div><div class="line chips"></div>',
    triggers=("pressed",),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A chip: what it narrows, what it says while nothing is chosen, and what there is to choose.

    `shortcut` is the option that one press chooses and takes away again, and what is written on its button.
    """

    param: str
    name: str
    everything: str
    options: Mapping[str, str]
    value: str | None
    shortcut: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """A filter under a name; `by` is who shares it, empty for one's own that nobody else sees."""

    id: str
    name: str
    is_own: bool
    by: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What the bar shows. `count` is said as it is, `view` is `grid` or `list`; `jumps_in` has the calendar."""

    person_id: str
    text: str
    count: str
    choices: Sequence[Choice]
    jumps_in: str
    oldest_first: bool
    view: str
    is_any_set: bool
    text_limit_chars: int
    saved: Sequence[Saved]
    may_share: bool
    name_limit_chars: int


def show(shown: Shown, *, key: str, on_pressed: Callable[[], None]) -> None:
    """Draw the bar; `on_pressed` is run before the page is drawn again, and asks `pressed` what it was."""
    now = utc_now()
    data = {
        "person": shown.person_id,
        "language": language.current(),
        "text": shown.text,
        "limit": shown.text_limit_chars,
        "count": shown.count,
        "chips": [
            {
                "param": choice.param,
                "name": choice.name,
                "everything": choice.everything,
                "value": choice.value,
                "options": list(choice.options.items()),
                "shortcut": choice.shortcut,
                "jumps": choice.param == shown.jumps_in,
            }
            for choice in shown.choices
        ],
        "saved": {
            "filters": [{"id": each.id, "name": each.name, "own": each.is_own, "by": each.by} for each in shown.saved],
            "mayShare": shown.may_share,
            "limit": shown.name_limit_chars,
        },
        "year": now.year,
        "month": now.month,
        "oldest": shown.oldest_first,
        "view": shown.view,
        "anySet": shown.is_any_set,
        "words": _words(),
    }
    _element(key=key, data=data, on_pressed_change=on_pressed)


def pressed(key: str) -> Mapping[str, Any]:
    """What was just pressed, one of: `set` (a parameter) and `value`, `jump` (`2026-03` or a day), `view`, `clear`.

    Of saved filters: `open`, `forget`, `rename` (with `name`), all by id, and `keep` (a name) with `shared`.
    """
    return st.session_state.get(key, {}).get("pressed") or {}


def _words() -> dict[str, str]:
    return {
        "search": _("Words in the prompt"),
        "placeholder": _("Search prompts"),
        "filters": _("Filters"),
        "clear": _("Clear filters"),
        "remove": _("Remove filter: {name}"),
        "saved": _("Saved filters"),
        "noneSaved": _("No saved filter yet"),
        "nothingToSave": _("Choose filters first, then save them under a name."),
        "name": _("Name of this filter"),
        "newName": _("New name"),
        "rename": _("Rename {name}"),
        "forget": _("Delete {name}"),
        "share": _("For everybody in the workspace"),
        "save": _("Save filter"),
        "find": _("Find in this list"),
        "none": _("Nothing matches"),
        "newest": _("Newest first"),
        "oldest": _("Oldest first"),
        "size": _("Size of the pictures"),
        "grid": _("Pictures"),
        "list": _("List"),
        "view": _("View"),
        "jump": _("Go to"),
        "day": _("A day"),
        "earlier": _("Year before"),
        "later": _("Year after"),
    }

"""The field that a prompt is written in: it sends what is typed by itself, counts it, and orders by Ctrl or Cmd+Enter.

What stands in the browser is never written over while somebody types: the page's text takes its place only where the
page itself has changed it, as a preset or an improved prompt does.

A tab remembers for itself what stands in its field: a page that is left in the middle of a word has no time to tell it.
Loaded anew it tells what the page has not heard of, and whether that knows of what the page has kept meanwhile.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from pages.ui import connection, language
from pages.ui.custom_element import custom_element
from pages.ui.language import _

MAX_SENT_CHARS = 50_000
"""Of a longer text the field sends its beginning: no model takes a tenth of it, and every change would send it anew."""

_element = custom_element(
    __file__,
    "prompt_input",
    html='<div class="field"><label for="prompt"></label><textarea id="prompt" rows="1"></textarea>'
    '<ul class="names" id="names" role="listbox" hidden></ul>'
    '<div class="foot"><span class="hint"></span><span class="count" id="count"></span></div>'
    '<span class="heard" role="status"></span></div>',
    triggers=("written", "order"),
)


@dataclass(frozen=True, slots=True)
class Name:
    """Something that a prompt can name with `@`: how it is written, what it is, and its picture's link, if any."""

    name: str
    note: str = ""
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """What was typed. `is_unseen`: in a page before this one, of which the page did not hear; what is kept was written
    elsewhere since, and is older. `is_aside`: the same, but what is kept is newer.
    """

    text: str
    is_unseen: bool = False
    is_aside: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """When what is kept was written, and when it was read; `at` is None where nothing is kept."""

    at: datetime | None
    read_at: datetime

    def told(self) -> dict[str, int]:
        """As milliseconds; nothing is as old as can be."""
        at = self.at or datetime.fromtimestamp(0, UTC)
        return {"at": _milliseconds(at.timestamp()), "age": _milliseconds((self.read_at - at).total_seconds())}


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def show(
    text: str,
    *,
    limit_chars: int,
    key: str,
    on_written: Callable[[Written], None],
    tab: str,
    kept: Kept | None = None,
    names: Sequence[Name] = (),
) -> bool:
    """Draw the field with a text; whether it was just asked to order.

    `on_written` takes what was typed, before the run that shows it; or in the run, where a browser that connected anew
    tells what its person has written since. `tab` names whose field it is, and in which workspace: for them alone their
    tab remembers it. `kept` says when the text was written, where it is what this session began with.
    """
    state = _state(key)

    def take() -> None:
        written = _written(st.session_state.get(key))
        if written is None or written["number"] == state["number"]:
            return
        state["number"] = written["number"]
        is_aside = bool(written["aside"])
        if not is_aside:
            state["text"] = written["text"]
        on_written(Written(written["text"], is_unseen=bool(written["unseen"]), is_aside=is_aside))

    if text != state["text"]:  # the page has changed it
        state["text"] = text
        state["turn"] += 1
    said = _element(
        key=key,
        data={
            "text": text,
            "turn": f"{state['turn']} {state['begun']}",
            "session": state["begun"],
            "tab": tab,
            "kept": kept and kept.told(),
            "limit": limit_chars,
            "most": MAX_SENT_CHARS,
            "language": language.current(),
            "names": [{"name": each.name, "note": each.note, "picture": each.picture} for each in names],
            "words": {
                "label": _("Prompt"),
                "placeholder": _("What should be seen? Say subject, movement, place, light and camera."),
                "count": _("{count} of {limit} characters"),
                "over": _("{number} characters too many for this model"),
                "hint": _("{keys} orders"),
                "names": _("Names to put in"),
            },
        },
        on={"written": take},
    )
    take()
    return bool(said.order)


def _state(key: str) -> dict[str, Any]:
    """Of this session: the `text` that page and browser agree on, the `number` of what was heard last, and the `turn`
    of the page's own changes; `begun` tells the turns of one session from those of another."""
    state: dict[str, Any] = st.session_state.setdefault(
        f"{key}_state", {"text": None, "number": None, "turn": 0, "begun": connection.session()}
    )
    return state


def _written(said: Any) -> Mapping[str, Any] | None:
    """What the browser says was written, if it is what the field would say."""
    written = said.get("written") if said else None
    if not isinstance(written, Mapping):
        return None
    text, number = written.get("text"), written.get("number")
    if not isinstance(text, str) or not isinstance(number, str):
        return None
    return {
        "text": text[:MAX_SENT_CHARS],
        "number": number,
        "unseen": written.get("unseen") is True,
        "aside": written.get("aside") is True,
    }

"""What is under way, as an element that moves by itself: `live.show` brings it news, no rerun is needed."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core import db
from core.generations import commands, progress
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.elements.live import how_many
from pages.sections import progress_text, whose
from pages.sections.whose import NOBODY_ELSE, Whose
from pages.ui import components, wording
from pages.ui.custom_element import custom_element
from pages.ui.language import _, plural

MAX_CARDS = 4

_element = custom_element(
    __file__,
    "under_way",
    html="<ul></ul>",
    triggers=("open", "cancel"),
)


def show(person: Member) -> str | None:
    """Draw the list beside the order form; the id of the one whose details were just asked for, else None."""
    with db.read_session() as session:
        standings = progress_text.board().snapshots(session, person.workspace_id, limit=MAX_CARDS)
        owned = whose.of(session, person, [each.row for each in standings])
    st.header(_("Under way"), anchor=False)
    if not standings:
        st.caption(_("Nothing at the moment. What is ordered appears here and moves by itself."))
        return None
    opened = draw(person, standings, key="under_way", owned=owned)
    more = how_many() - MAX_CARDS
    if more > 0:
        label = plural("{number} more", "{number} more", more).format(number=wording.credits(more))
        st.page_link("history.py", label=label, query_params={"status": "live"})
    return opened


def draw(
    person: Member,
    standings: Sequence[progress.InFlightItem],
    *,
    key: str,
    details: bool = True,
    owned: Whose = NOBODY_ELSE,
) -> str | None:
    """The element, which cancels by itself; the id of the one whose details were just asked for, else None.

    Without `details` there is neither that button nor the prompt: they stand in what surrounds it. Who may not order
    finds nothing to cancel with.
    """
    may_cancel = all(person.may(Action.ORDER, each.row.workspace_id) for each in standings)
    words = {
        "progress": _("Progress"),
        "details": _("Details") if details else "",
        "cancel": _("Cancel") if may_cancel else "",
        "confirm": _("Cancel this clip"),
        "fixed": _("Cannot be cancelled"),
    }
    waits = bool(progress_text.outage())
    data = {"items": [_card(each, owned, waits=waits) for each in standings], "words": words}
    pressed = _element(key=key, data=data)
    if pressed.cancel:
        components.save_and_rerun(
            lambda session: commands.cancel(session, person, pressed.cancel), done=_("Cancelling.")
        )
    opened: str | None = pressed.open
    return opened


def _card(each: progress.InFlightItem, owned: Whose, *, waits: bool) -> dict[str, Any]:
    row = each.row
    meta = f"{row.model_name} · {wording.priced(row.credits)}"
    return progress_text.item(each, waits=waits) | {"title": row.prompt[:200], "meta": meta, **owned.card(row)}

"""What is under way, as an element that moves by itself: `live.show` brings it news, no rerun is needed."""

from collections.abc import Sequence
from typing import Any

from core.generations import commands, progress
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.sections import progress_text
from pages.sections.whose import NOBODY_ELSE, Whose
from pages.ui import components, wording
from pages.ui.custom_element import custom_element
from pages.ui.language import _

_element = custom_element(
    __file__,
    "under_way",
    html="<ul></ul>",
    triggers=("open", "cancel"),
)


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

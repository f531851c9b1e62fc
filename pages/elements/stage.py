"""The stage as one element: the newest take plays in the middle, its press beside it, earlier presses at the side.

What is under way moves by itself: as the gallery, it says which ids it shows (`video-live-shown`), hears `video-live`
events on `window` and moves the takes of these ids in place.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any

import streamlit as st

from core.clock import utc_now
from core.db.enums import ENDED_STATUSES, Status
from core.generations import delivery_findings
from core.generations.presses import Press, Take
from core.generations.progress import InFlightItem
from pages.sections import progress_text
from pages.sections.clip import differences
from pages.sections.whose import NOBODY_ELSE, Whose
from pages.ui import components, wording
from pages.ui.custom_element import custom_element
from pages.ui.language import _, plural, translate_message

TITLE_CHARS = 300

_element = custom_element(
    __file__,
    "stage",
    html='<section class="stage"></section>',
    triggers=("open", "cancel", "compare", "final", "idea"),
)


@dataclass(frozen=True, slots=True)
class Pressed:
    """What was just asked for: a take to open, to cancel or to make the final of, takes to compare."""

    opened: str | None = None
    cancelled: str | None = None
    final: str | None = None
    compared: Sequence[str] = ()


def show(
    presses: Sequence[Press],
    *,
    key: str,
    lead: str | None,
    standings: Mapping[str, InFlightItem],
    waits: bool,
    may_order: bool,
    on_idea: Callable[[str], None],
    ideas: Sequence[str] = (),
    whose: Whose = NOBODY_ELSE,
) -> Pressed:
    """Draw the stage; `lead` is the press to show until its person chooses another.

    `standings` tell of the takes under way by their ids. They `wait` while no worker answers. `ideas` are prompts to
    begin with, shown while there is nothing else; `on_idea` takes one before the run that shows it. Who may not order
    finds nothing to press for that.
    """
    now = utc_now()
    data = {
        "lead": lead,
        "presses": [
            _press(press, now, standings, whose, waits=waits, before=before)
            for press, before in zip_longest(presses, presses[1:])
        ],
        "ideas": list(ideas),
        "words": _words(may_order=may_order),
    }

    def take() -> None:
        if idea := (st.session_state.get(key) or {}).get("idea"):
            on_idea(str(idea))

    said = _element(key=key, data=data, on={"idea": take})
    return Pressed(said.open, said.cancel, said.final, said.compare or ())


def _words(*, may_order: bool) -> dict[str, str]:
    return {
        "stage": _("Newest clip"),
        "takes": _("Takes of this order"),
        "earlier": _("Earlier in this project"),
        "before": _("Before this: {title}"),
        "empty": _("Your first clip plays here") if may_order else _("Nothing is made here yet"),
        "hint": _("Write below what should be seen, and press the button.") if may_order else "",
        "ideas": _("Or begin with one of these:"),
        "open": _("Open"),
        "compare": _("Compare all"),
        "final": _("Make the final") if may_order else "",
        "progress": _("Progress"),
        "cancel": _("Cancel") if may_order else "",
        "confirm": _("Cancel this clip"),
        "fixed": _("Cannot be cancelled"),
    }


def _press(
    press: Press,
    now: datetime,
    standings: Mapping[str, InFlightItem],
    whose: Whose,
    *,
    waits: bool,
    before: Press | None,
) -> dict[str, Any]:
    """What the element needs of one press; `name` tells it from the one before it, whose prompt may begin alike."""
    first, number = press.takes[0], len(press.takes)
    when = wording.age(first.created_at, now)
    count = plural("{number} take", "{number} takes", number).format(number=number)
    takes = [
        _take(take, place + 1, number, when, standings.get(take.id), waits=waits)
        for place, take in enumerate(press.takes)
    ]
    return {
        "id": press.id,
        "title": first.prompt[:TITLE_CHARS],
        "name": ((differences.since(before.takes[0], first) if before else "") or first.prompt)[:TITLE_CHARS],
        "meta": f"{count} · {when}" if number > 1 else f"{first.model_name} · {when}",
        **whose.card(first),
        "takes": takes,
    }


def _take(
    take: Take, place: int, number: int, when: str, standing: InFlightItem | None, *, waits: bool
) -> dict[str, Any]:
    """What the element needs of one take; texts and links only, no markup."""
    is_live = take.status not in ENDED_STATUSES
    of_all = _("Take {place} of {number}").format(place=place, number=number) if number > 1 else ""
    length = _("{seconds} s").format(seconds=take.duration_seconds)
    settings = f"{take.resolution} · {take.aspect_ratio} · {length}"
    facts, ratio = take.output_facts or {}, _ratio(take.aspect_ratio)
    moving: dict[str, Any] = {
        "status": take.status.value,
        "progress": take.progress if is_live else None,
        "note": _note(take),
        "where": progress_text.note(take) if is_live else "",
        "cancel": None,
    }
    if standing is not None:
        moving |= progress_text.item(standing, waits=waits)
    return {
        **moving,
        "id": take.id,
        "number": str(place) if number > 1 else "",
        "model": take.model_name,
        "meta": " · ".join(filter(None, (of_all, take.model_name, settings, wording.priced(take.credits), when))),
        "label": " ".join(filter(None, (of_all, take.model_name, take.prompt[:TITLE_CHARS]))),
        "poster": components.media_link(take.thumbnail_key),
        "source": components.media_link(take.output_key) if take.status is Status.COMPLETED else None,
        "shape": [facts.get("width") or ratio[0], facts.get("height") or ratio[1]],
        "ended": take.ended_at.isoformat() if take.ended_at else "",
        "noticed": " ".join(translate_message(told.message) for told in delivery_findings.of(take)),
        "verdict": "" if take.kept is None else _("Kept") if take.kept else _("Rejected"),
    }


def _ratio(ordered: str) -> tuple[int, int]:
    """A ratio as it is ordered, `9:16`, as width and height; of one that is left to the model the usual."""
    width, _colon, height = ordered.partition(":")
    return (int(width), int(height)) if width.isdigit() and height.isdigit() else (16, 9)


def _note(take: Take) -> str:
    """Why there is no clip to be seen; empty where there is, or may be."""
    if take.status is Status.FAILED:
        return translate_message(take.error or take.error_message) or _("It failed.")
    if take.status is Status.CANCELLED:
        return progress_text.why_cancelled(take)
    return ""

"""Clips as one element, as pictures or as a list: rows become JSON, what is done to them comes back as ids.

Pictures stand in justified rows, worked out by the browser from the shapes of the clips, so that nothing moves while
they load. What is under way moves by itself: the element says which ids it shows (`video-live-shown`), hears
`video-live` events on `window` (`detail.items`: id, status, progress, badge, note) and changes these in place.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import streamlit as st

from core.clock import utc_now
from core.db.enums import ENDED_STATUSES, Status
from core.generations import delivery_findings
from core.generations.progress import InFlightItem
from core.generations.queries import ListRow, Take
from pages.sections import progress_text
from pages.sections.whose import NOBODY_ELSE, Whose
from pages.ui import components, wording
from pages.ui.custom_element import custom_element
from pages.ui.language import _, plural, translate_message

TITLE_CHARS = 200
FLATTEST, TALLEST = 3.0, 0.4
"""Shapes beyond these, as width by height, are shown as these."""

_element = custom_element(
    __file__,
    "clip_gallery",
    html='<div class="heads" hidden></div><ul></ul><div class="foot" hidden></div><p class="keys" hidden></p>',
    triggers=("open", "hearts", "marked", "turn"),
)


@dataclass(frozen=True, slots=True)
class Pressed:
    """What was just done on a board: the clip to open, hearts set or taken away by id, and the clips now selected.

    `marked` is None while the selection has not changed; `turn` is the browser's count of changes, to be given back.
    """

    opened: str | None = None
    hearts: Mapping[str, bool] = field(default_factory=dict)
    marked: Sequence[str] | None = None
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of the clips beside their rows, by the ids of what it is about; empty where there is nothing."""

    whose: Whose = NOBODY_ELSE
    projects: Mapping[str, str] = field(default_factory=dict)
    takes: Mapping[str, Take] = field(default_factory=dict)
    notes: Mapping[str, int] = field(default_factory=dict)
    standings: Mapping[str, InFlightItem] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Paper:
    """The page of a listing: behind which clip the next one begins, before which the one before ends; None for none.

    `name` is the same for the same page, so that the browser knows when another one is shown.
    """

    name: str
    next_after: str | None
    before: str | None
    oldest_first: bool


@dataclass(frozen=True, slots=True)
class Selection:
    """What is selected, also on other pages, or everything that matches.

    `turn` is that of the last `Pressed` with a selection, so that an older answer undoes nothing, or below 0 another
    number for each change that was made here.
    """

    ids: Sequence[str]
    turn: int
    is_everything: bool = False


def show(rows: Sequence[ListRow], *, key: str, whose: Whose = NOBODY_ELSE) -> str | None:
    """Draw the cards; the id of the one that was just clicked, else None."""
    opened: str | None = _element(key=key, data={"cards": _cards(rows, Told(whose), is_list=False)}).open
    return opened


def board(
    rows: Sequence[ListRow],
    told: Told,
    *,
    key: str,
    person_id: str,
    paper: Paper,
    selection: Selection,
    is_list: bool,
    hearts: bool,
    on_turn: Callable[[], None],
) -> Pressed:
    """Draw the clips with check boxes, hearts to press and pages to turn; what was just done.

    The browser shows a change at once and sends it whole. `on_turn` is run before the page is drawn again; `turned`
    says whereto.
    """
    sent = {
        "cards": _cards(rows, told, is_list=is_list),
        "view": "list" if is_list else "grid",
        "person": person_id,
        "board": {
            "marked": list(selection.ids),
            "turn": selection.turn,
            "all": selection.is_everything,
            "words": _words(hearts),
        },
        "pager": {
            "name": paper.name,
            "next": paper.next_after,
            "before": paper.before,
            "words": [_("Newer"), _("Older")][:: -1 if paper.oldest_first else 1],
        },
    }
    pressed = _element(key=key, data=sent, on_turn_change=on_turn)
    changed = pressed.marked or {}
    return Pressed(pressed.open, pressed.hearts or {}, changed.get("ids"), changed.get("turn", 0))


def turned(key: str) -> Mapping[str, str]:
    """Whereto was just turned: `next`, behind a clip, or `before`, in front of one."""
    return st.session_state.get(key, {}).get("turn") or {}


def _words(hearts: bool) -> dict[str, Any]:
    return {
        "favourite": _("Favourite") if hearts else "",
        "select": _("Select"),
        "keys": _(
            "Arrow keys move, Enter opens, Space selects, with Shift a range, Ctrl+A the page, F marks a favourite."
        )
        if hearts
        else _("Arrow keys move, Enter opens, Space selects, with Shift a range, Ctrl+A the page."),
        "open": _("Open clip"),
        "heads": [
            _("Prompt"),
            _("Model"),
            _("Project"),
            _("Made by"),
            _("Date"),
            _("Length"),
            _("Credits"),
            _("Verdict"),
        ],
    }


def _cards(rows: Sequence[ListRow], told: Told, *, is_list: bool) -> list[dict[str, Any]]:
    now = utc_now()
    return [card(row, now, told, is_list=is_list) for row in rows]


def card(row: ListRow, now: datetime, told: Told, *, is_list: bool = False) -> dict[str, Any]:
    """What the element needs of one generation; texts only, no markup. `is_list` adds the `cells` of the list."""
    live = row.status not in ENDED_STATUSES
    length = _("{seconds} s").format(seconds=row.duration_seconds) if row.status is Status.COMPLETED else ""
    verdict = "" if row.kept is None else _("Kept") if row.kept else _("Rejected")
    title = (row.prompt or row.model_name)[:TITLE_CHARS]
    take = told.takes.get(row.id)
    taken = _("take {number} of {of}").format(number=take.number, of=take.of) if take else ""
    notes = told.notes.get(row.id, 0)
    noted = plural("{number} note", "{number} notes", notes).format(number=notes) if notes else ""
    meta = " · ".join(filter(None, (taken, wording.age(row.created_at, now), row.model_name)))
    noticed = " ".join(translate_message(said.message) for said in delivery_findings.of(row))
    found = {
        "id": row.id,
        "status": row.status.value,
        "badge": "" if row.status is Status.COMPLETED else wording.STATUS[row.status],
        "note": _note(row, told.standings.get(row.id)),
        "length": length,
        "title": title,
        "meta": meta,
        "notes": notes,
        "noted": noted,
        **told.whose.card(row),
        "ratio": shape(row),
        "progress": row.progress if live else None,
        "poster": components.media_link(row.thumbnail_key),
        "preview": components.media_link(row.preview_key),
        "favourite": row.favourite,
        "verdict": verdict,
        "kept": row.kept,
        "noticed": noticed,
        # Heard after badge and note, which change: it holds what is seen, in its order, so that voice control finds a
        # card by its words.
        "label": " ".join(
            filter(None, (length, verdict, noticed, title, meta, noted, told.whose.heard(row), _("Open clip")))
        ),
    }
    if is_list:
        found["cells"] = [
            " · ".join(filter(None, (row.model_name, taken))),
            told.projects.get(row.project_id, ""),
            told.whose.heard(row),
            wording.minute(row.created_at),
            _("{seconds} s").format(seconds=row.duration_seconds),
            wording.credits(row.credits),
            verdict,
        ]
    return found


def shape(row: ListRow) -> float:
    """Width by height: of the delivered clip, as long as there is none of the order."""
    facts = row.output_facts or {}
    width, height = facts.get("width") or 0, facts.get("height") or 0
    if not (width and height):
        width, _colon, height = row.aspect_ratio.partition(":")
        width, height = (int(width), int(height)) if width.isdigit() and height.isdigit() else (16, 9)
    return round(min(FLATTEST, max(TALLEST, width / max(1, height))), 4)


def _note(row: ListRow, standing: InFlightItem | None) -> str:
    if row.status is Status.COMPLETED:
        return "" if row.thumbnail_key else _("No picture")
    if row.status is Status.FAILED:
        return translate_message(row.error or row.error_message) or _("It failed.")
    if row.status is Status.CANCELLED:
        return progress_text.why_cancelled(row)
    return progress_text.place(standing) if standing else progress_text.note(row)

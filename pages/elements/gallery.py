"""Cards of clips as one element: rows become JSON, what is done to them comes back as ids.

What is under way moves by itself: the element says which ids it shows (`video-live-shown`), hears `video-live` events
on `window` (`detail.items`: id, status, progress, badge, note) and changes the cards of these ids in place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.clock import utc_now
from core.db.enums import ENDED_STATUSES, Status
from core.generations import delivery_findings
from core.generations.queries import ListRow
from pages.sections import progress_text
from pages.sections.whose import NOBODY_ELSE, Whose
from pages.ui import components, wording
from pages.ui.custom_element import custom_element
from pages.ui.language import _, translate_message

TITLE_CHARS = 200

_element = custom_element(
    __file__,
    "clip_gallery",
    html='<ul></ul><p class="keys" hidden></p>',
    triggers=("open", "hearts", "marked"),
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


def show(rows: Sequence[ListRow], *, key: str, whose: Whose = NOBODY_ELSE) -> str | None:
    """Draw the cards; the id of the one that was just clicked, else None."""
    opened: str | None = _element(key=key, data={"cards": _cards(rows, whose)}).open
    return opened


def board(
    rows: Sequence[ListRow],
    *,
    key: str,
    marked: Sequence[str],
    turn: int,
    whose: Whose = NOBODY_ELSE,
    hearts: bool = True,
) -> Pressed:
    """Draw the cards with check boxes, and hearts to press; what was just done. `marked` may hold clips of other pages.

    The browser shows a change at once and sends it whole; `turn` is that of the last `Pressed` with a selection, so
    that an older answer undoes nothing, or -1 to say that the selection was changed here.
    """
    words = {
        "favourite": _("Favourite") if hearts else "",
        "select": _("Select"),
        "keys": _("Arrow keys move, Enter opens, Space selects, F marks a favourite.")
        if hearts
        else _("Arrow keys move, Enter opens, Space selects."),
    }
    sent = {"cards": _cards(rows, whose), "board": {"marked": list(marked), "turn": turn, "words": words}}
    pressed = _element(
        key=key,
        data=sent,
    )
    selection = pressed.marked or {}
    return Pressed(pressed.open, pressed.hearts or {}, selection.get("ids"), selection.get("turn", 0))


def _cards(rows: Sequence[ListRow], whose: Whose) -> list[dict[str, Any]]:
    now = utc_now()
    return [card(row, now, whose) for row in rows]


def card(row: ListRow, now: datetime, whose: Whose = NOBODY_ELSE) -> dict[str, Any]:
    """What the element needs of one generation; texts only, no markup."""
    live = row.status not in ENDED_STATUSES
    badge = "" if row.status is Status.COMPLETED else wording.STATUS[row.status]
    length = _("{seconds} s").format(seconds=row.duration_seconds) if row.status is Status.COMPLETED else ""
    note = _note(row)
    verdict = "" if row.kept is None else _("Kept") if row.kept else _("Rejected")
    title = row.prompt[:TITLE_CHARS]
    meta = f"{row.model_name} · {wording.priced(row.credits)} · {wording.age(row.created_at, now)}"
    noticed = " ".join(translate_message(told.message) for told in delivery_findings.of(row))
    return {
        "id": row.id,
        "status": row.status.value,
        "badge": badge,
        "note": note,
        "length": length,
        "title": title,
        "meta": meta,
        **whose.card(row),
        "progress": row.progress if live else None,
        "poster": components.media_link(row.thumbnail_key),
        "preview": components.media_link(row.preview_key),
        "favourite": row.favourite,
        "verdict": verdict,
        "kept": row.kept,
        "noticed": noticed,
        # What is heard holds what is seen, in its order, so that voice control finds a card by its words.
        "label": " ".join(
            filter(None, (badge, note, length, verdict, title, meta, noticed, whose.heard(row), _("Open clip")))
        ),
    }


def _note(row: ListRow) -> str:
    if row.status is Status.COMPLETED:
        return "" if row.thumbnail_key else _("No picture")
    if row.status is Status.FAILED:
        return translate_message(row.error or row.error_message) or _("It failed.")
    if row.status is Status.CANCELLED:
        return _("Cancelled, credits returned")
    return progress_text.note(row)

"""Cards of clips as one element: rows become JSON, a click becomes the id of the clip to open."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import streamlit as st

from core.models import ENDED_STATUSES, Generation, Status, utc_now
from pages import components, wording

TITLE_CHARS = 200

_HERE = Path(__file__)
_element = st.components.v2.component(
    "clip_gallery",
    html="<ul></ul>",
    css=_HERE.with_suffix(".css").read_text(encoding="utf-8"),
    js=_HERE.with_suffix(".js").read_text(encoding="utf-8"),
)


def show(rows: Sequence[Generation], *, key: str) -> str | None:
    """Draw the cards; the id of the one that was just clicked, else None."""
    now = utc_now()
    opened: str | None = _element(
        key=key, data={"cards": [card(row, now) for row in rows]}, on_open_change=_nothing
    ).open
    return opened


def card(row: Generation, now: datetime) -> dict[str, Any]:
    """What the element needs of one generation; texts only, no markup."""
    live = row.status not in ENDED_STATUSES
    badge = "" if row.status is Status.COMPLETED else wording.STATUS[row.status]
    length = f"{row.duration_seconds} s" if row.status is Status.COMPLETED else ""
    note = _note(row)
    title = row.prompt[:TITLE_CHARS]
    meta = f"{row.model_name} · {wording.priced(row.credits)} · {wording.age(row.created_at, now)}"
    return {
        "id": row.id,
        "status": row.status.value,
        "badge": badge,
        "note": note,
        "length": length,
        "title": title,
        "meta": meta,
        "progress": row.progress if live else None,
        "poster": components.media_link(row.thumbnail_key),
        "preview": components.media_link(row.preview_key),
        # What is heard holds what is seen, in its order, so that voice control finds a card by its words.
        "label": " ".join(filter(None, (badge, note, length, title, meta, "Open clip"))),
    }


def percentage(row: Generation) -> str:
    """How far it is; an estimate says so."""
    about = "about " if row.progress_is_estimate else ""
    return f"{about}{round(row.progress * 100)} %"


def _note(row: Generation) -> str:
    if row.status is Status.COMPLETED:
        return "" if row.thumbnail_key else "No picture"
    if row.status is Status.FAILED:
        return row.error_message or "It failed."
    if row.status is Status.CANCELLED:
        return "Cancelled, credits returned"
    if row.status is Status.UNCERTAIN:
        return "Unclear whether the provider has it"
    stage = wording.STAGE[row.stage]
    return stage if row.status is Status.PENDING else f"{stage}, {percentage(row)}"


def _nothing() -> None:
    """A trigger needs a callback to be offered as a result."""

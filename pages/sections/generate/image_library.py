"""A dialog to take an image of the order from what is here already: an earlier image, or any picture of any clip."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from core import db, installation
from core.clock import utc_now
from core.db.enums import Status
from core.generations import frames, queries
from core.generations.list_filter import ListFilter
from core.projects import uploads
from core.workspaces.access import Member
from pages.elements import frame_picker, picture_grid
from pages.elements.picture_grid import Picture
from pages.sections.generate import form_state
from pages.ui import components, wording
from pages.ui.language import _

PAGE = 12
RATE = 24.0
"""Pictures a second of a clip of which nobody has said."""
_OPEN = form_state.name("browse")
"""The `field` that an image is taken for, `pages` of both lists, and the `clip` that is gone through, if any."""
Chosen = Callable[[str, Sequence[Mapping[str, Any]]], None]


def open_for(field: str) -> None:
    """Open the dialog to fill a field; for callbacks."""
    st.session_state[_OPEN] = {"field": field, "images": [""], "clips": [""], "clip": None}


def close() -> None:
    """Forget that it is open."""
    st.session_state.pop(_OPEN, None)


def dialog_if_open(person: Member, fields: Sequence[str], *, on_chosen: Chosen) -> None:
    """Draw the dialog while it is open for one of these fields; what is chosen is told as images of the form."""
    state = st.session_state.get(_OPEN)
    if state and state["field"] in fields:
        st.dialog(_("Take an image"), width="large", on_dismiss=close)(_dialog)(person, state, on_chosen)


def _dialog(person: Member, state: dict[str, Any], on_chosen: Chosen) -> None:
    with components.error_boundary():
        kinds = {"images": _("Earlier images"), "clips": _("Picture of a clip")}
        kind = st.segmented_control(
            _("Where from"),
            list(kinds),
            default="images",
            format_func=kinds.__getitem__,
            key="generate_browse_kind",
            label_visibility="collapsed",
            required=True,
        )
        held = _earlier(person, state) if kind == "images" else _of_clip(person, state)
        if held is not None:
            on_chosen(state["field"], [held])
            close()
            st.rerun()


def _earlier(person: Member, state: dict[str, Any]) -> dict[str, Any] | None:
    """The image that was just chosen among those that the workspace has, newest first."""
    pages: list[str] = state["images"]
    with db.read_session() as session:
        found = uploads.list_page(session, person, before=pages[-1] or None, limit=PAGE + 1)
    rows = found[:PAGE]
    if not rows:
        components.empty_state(_("No images yet"), _("Whatever is brought in or taken here is kept."), icon="image")
        return None
    now = utc_now()
    pictures = [
        Picture(
            row.id,
            components.media_link(row.storage_key) or "",
            row.file_name,
            f"{row.width} × {row.height} · {wording.age(row.created_at, now)}",
        )
        for row in rows
    ]
    chosen = picture_grid.show(pictures, label=_("Earlier images"), key="generate_browse_images")
    components.pager(pages, rows[-1].id if len(found) > PAGE else None, key="generate_browse_images")
    return next((form_state.as_held(row) for row in rows if row.id == chosen), None)


def _of_clip(person: Member, state: dict[str, Any]) -> dict[str, Any] | None:
    """The picture that was just taken from a clip, which is chosen first."""
    if state["clip"]:
        return _picture_of(person, state)
    pages: list[str] = state["clips"]
    with db.read_connection() as reader:
        chosen = ListFilter(statuses=(Status.COMPLETED,))
        page = queries.list_page(reader, person, chosen, cursor=pages[-1] or None, limit=PAGE)
    if not page.rows:
        components.empty_state(
            _("No clips yet"), _("Every picture of a finished clip can be taken here."), icon="movie"
        )
        return None
    now = utc_now()
    pictures = [
        Picture(row.id, components.media_link(row.thumbnail_key) or "", row.prompt, wording.age(row.created_at, now))
        for row in page.rows
    ]
    state["clip"] = picture_grid.show(pictures, label=_("Clips"), key="generate_browse_clips")
    components.pager(pages, page.next_cursor, key="generate_browse_clips")
    if state["clip"]:
        st.rerun(scope="fragment")
    return None


def _picture_of(person: Member, state: dict[str, Any]) -> dict[str, Any] | None:
    with db.read_session() as session:
        row = queries.get(session, person, state["clip"])
    st.button(_("Other clips"), key="generate_browse_back", icon=":material/arrow_back:", on_click=_leave_clip)
    components.plain_text(row.prompt, small=True, lines=1)
    link = components.media_link(row.output_key)
    facts = row.output_facts or {}
    rate = facts.get("frame_rate")
    seconds = frame_picker.show(
        link or "",
        label=row.prompt or row.model_name,
        frame_rate=float(rate) if isinstance(rate, int | float) and rate > 0 else RATE,
        key="generate_browse_frame",
    )
    if seconds is None:
        return None
    here = installation.current()
    with st.spinner(_("The picture is taken…")):
        upload = frames.as_upload(
            person,
            row.id,
            seconds=seconds,
            storage=here.storage,
            quota_bytes=here.settings.storage_quota_bytes,
        )
    moment = wording.decimal(seconds, 2)
    return form_state.as_held(upload, _("Picture at {seconds} s of an earlier clip").format(seconds=moment))


def _leave_clip() -> None:
    if state := st.session_state.get(_OPEN):
        state["clip"] = None

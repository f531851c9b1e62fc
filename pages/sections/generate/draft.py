"""The order being written, kept on the server for its person: taken up again when a page or the server starts anew.

A browser that connects again to a server that was started anew shows what it showed before, and its first run here may
be a press of the button: `is_as_shown` says whether what is taken up is what that browser shows.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import streamlit as st

from core import db, errors
from core.catalog import in_force
from core.clock import utc_now
from core.db import ReadSession
from core.messages import Message
from core.projects import drafts, uploads
from core.workspaces.access import Member
from pages.sections.generate import form_state
from pages.ui import components, connection, wording
from pages.ui.language import N_, _

FORM = "generate"
KEPT: Mapping[str, type] = {
    "project": str,
    "model_id": str,
    "prompt": str,
    "negative_prompt": str,
    "resolution": str,
    "duration_seconds": int,
    "aspect_ratio": str,
    "generate_audio": bool,
    "enhance_prompt": bool,
    "seed": int,
    "fps": int,
    "variations": int,
    "also": list,
    "start_image": dict,
    "end_image": dict,
    "references": list,
    "extends": dict,
    "shown_credits": int,
}
"""Fields of the form -> what they are; what another release has kept otherwise is left aside."""

_WRITTEN = ("prompt", "negative_prompt", "start_image", "end_image", "references")
"""What cannot be had again by a few clicks; only a draft with some of it is worth a word."""

_LOST = {
    "start_image": N_("The start image of your draft is no longer here."),
    "end_image": N_("The end image of your draft is no longer here."),
    "references": N_("References of your draft are no longer here."),
}
_STATE = form_state.name("draft")
"""Of this session: what was `saved`, the `note` on what was taken up, whether its first run is `as_shown`."""


def restore(person: Member) -> None:
    """Fill the form with what was written before, once a session; raises as the database does, and is then repeated."""
    if _STATE in st.session_state:
        st.session_state[_STATE]["as_shown"] = True  # what this session has drawn is what its browser shows
        return
    with db.read_session() as session:
        kept = drafts.find(session, person, FORM)
        content, lost = _usable(session, person, kept.content) if kept else ({}, [])
    form_state.restore(content)
    is_worth_a_word = any(content.get(field) for field in _WRITTEN) or lost
    st.session_state[_STATE] = {
        "saved": kept and kept.content,
        "is_own": False,
        "note": {"at": kept.updated_at, "lost": lost} if kept and is_worth_a_word else None,
        "as_shown": kept is not None and kept.written_by == connection.session_before(),
    }


def is_as_shown() -> bool:
    """Whether what the form holds is what the person sees while they press; False in a run that made it anew."""
    return bool(st.session_state.get(_STATE, {}).get("as_shown"))


def note() -> None:
    """Say quietly that a draft was taken up and what of it was lost, with a way to begin anew."""
    said: dict[str, Any] | None = st.session_state.get(_STATE, {}).get("note")
    if not said:
        return
    at: datetime = said["at"]
    words = [_("Your draft is back, as you left it {age}.").format(age=wording.age(at, utc_now()))]
    words += [_(_LOST[field]) for field in said["lost"]]
    with st.container(horizontal=True, vertical_alignment="center", key="generate_draft"):
        st.caption(f":material/history: {' '.join(words)}", width="content")
        st.button(_("Start afresh"), key="generate_draft_clear", type="tertiary", on_click=_start_afresh)


def forget_note() -> None:
    """What was taken up is ordered: nothing is to be said of it any more."""
    st.session_state.get(_STATE, {})["note"] = None


def forget() -> None:
    """Empty the form, so that the next run takes up what was written in another workspace."""
    if st.session_state.pop(_STATE, None) is not None:
        form_state.forget()


def save(person: Member) -> None:
    """Keep what the form holds, where that has changed since it was kept; raises as the database does."""
    state: dict[str, Any] | None = st.session_state.get(_STATE)
    if state is None:  # what was kept before could not be read, so it is not written over
        return
    content = _content()
    if state["saved"] is None:  # nothing was written yet: what a form begins with is no draft
        state["saved"], state["is_own"] = content, True
    if content == state["saved"] and state["is_own"]:
        return
    with db.write_session() as session:
        if content == state["saved"]:
            drafts.take_over(session, person, FORM, written_by=connection.session())
        elif not drafts.save(session, person, FORM, content, written_by=connection.session()):
            components.error_box(errors.InvalidRequest(N_("This prompt is too long to be kept when you leave.")))
    state["saved"], state["is_own"] = content, True


def _content() -> dict[str, Any]:
    """What the form holds, as JSON; fields at their beginning are left out."""
    found = {field: form_state.value(field) for field in KEPT}
    kept = {field: held for field, held in found.items() if held or (field == "seed" and held is not None)}
    for field in form_state.IMAGES:
        if field in kept:
            kept[field] = _as_json(kept[field])
    if "references" in kept:
        kept["references"] = [_as_json(held) for held in kept["references"]]
    return kept


def _as_json(held: Mapping[str, Any]) -> dict[str, Any]:
    return {**held, "notes": [note.to_json() for note in held["notes"]]}


def _usable(session: ReadSession, person: Member, kept: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What of a draft can be taken up, and the images that cannot."""
    found = {field: kept[field] for field, kind in KEPT.items() if isinstance(kept.get(field), kind)}
    offered = {model.id for model in in_force.models()}
    found["also"] = [model_id for model_id in found.get("also", ()) if model_id in offered]
    lost = []
    for field in form_state.IMAGES:
        if held := found.pop(field, None):
            if taken_up := _image(session, person, held, field):
                found[field] = taken_up
            else:
                lost.append(field)
    if held := found.pop("references", None):
        images = [_image(session, person, each, "references") for each in held]
        found["references"] = [{**each, "role": str(each.get("role", ""))} for each in images if each]
        if not all(images):
            lost.append("references")
    return found, lost


def _image(session: ReadSession, person: Member, held: Any, field: str) -> dict[str, Any] | None:
    """An image of a draft as the form holds it; None where it is not here any more."""
    try:
        uploads.check_owned(session, person.workspace_id, held["key"], field=field)
    except (errors.InvalidRequest, KeyError, TypeError):
        return None
    notes = [told for each in held.get("notes", ()) if (told := Message.from_json(each))]
    return {**held, "title": str(held.get("title", "")), "notes": notes}


def _start_afresh() -> None:
    form_state.clear()
    forget_note()

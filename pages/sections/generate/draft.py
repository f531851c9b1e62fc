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
from core.db.tables import Draft
from core.messages import Message
from core.projects import drafts, uploads
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.elements.prompt_input import Kept
from pages.sections.generate import form_state
from pages.ui import components, connection, current_member, wording
from pages.ui.language import N_, _

FORM = "generate"
BEGINNING_CHARS = 80
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
    if known := st.session_state.get(_STATE):
        known["as_shown"], known["another"] = True, None  # what this session has drawn is what its browser shows
        if known["saved"] is None:  # a change overtook the first run: what the form holds is not what it began with
            known["saved"] = {}
        return
    with db.read_session() as session:
        kept = drafts.find(session, person, FORM)
        content, lost = _usable(session, person, kept.content) if kept else ({}, [])
    form_state.restore(content)
    is_worth_a_word = any(content.get(field) for field in _WRITTEN) or lost
    st.session_state[_STATE] = {
        "saved": kept and kept.content,
        "saved_at": kept and kept.updated_at,
        "is_own": False,
        "note": {"at": kept.updated_at, "lost": lost} if kept and is_worth_a_word else None,
        "as_shown": kept is not None and kept.written_by == connection.session_before(),
        "set_aside": _aside(kept),
        "aside_at": kept and kept.set_aside_at,
        "begun": (str(content.get("prompt") or ""), Kept(kept.updated_at if kept else None, utc_now())),
    }


def is_as_shown() -> bool:
    """Whether what the form holds is what the person sees while they press; False in a run that made it anew."""
    return bool(st.session_state.get(_STATE, {}).get("as_shown"))


def holds_another(what: str | None = None) -> None:
    """Say that in this run something else took the place of what its person saw: `what`, as a sentence."""
    if state := st.session_state.get(_STATE):
        state["as_shown"], state["another"] = False, what


def why_not_as_shown() -> str:
    """Why this run is not what its person saw, as a sentence."""
    return str(st.session_state.get(_STATE, {}).get("another") or _("The page was renewed."))


def kept_prompt(prompt: str) -> Kept | None:
    """When the prompt was written with which this session has begun.

    None where the form holds another one by now, as an address puts it there: that one counts, however old.
    """
    begun: tuple[str, Kept] | None = st.session_state.get(_STATE, {}).get("begun")
    return begun[1] if begun and begun[0] == prompt else None


def has_not_seen_it() -> None:
    """What is kept was written elsewhere, and what comes now without knowing of it is newer: it is set aside."""
    if state := st.session_state.get(_STATE):
        state["saved_at"] = None


def put_aside(prompt: str) -> None:
    """Keep beside the draft a prompt that a tab had not told in time, and that is older than what is kept."""
    state: dict[str, Any] | None = st.session_state.get(_STATE)
    if not state or not state["saved"]:
        return
    person = current_member.require(Action.ORDER)
    with db.write_session() as session:
        at = drafts.put_aside(session, person, FORM, {**state["saved"], "prompt": prompt})
    if at is not None:
        state.update(set_aside={"at": at, "prompt": prompt}, aside_at=at)


def note() -> None:
    """Say quietly that a draft was taken up and what of it was lost, with a way to begin anew."""
    _note_set_aside()
    said: dict[str, Any] | None = st.session_state.get(_STATE, {}).get("note")
    if not said:
        return
    at: datetime = said["at"]
    words = [_("Your draft is back, as you left it {age}.").format(age=wording.age(at, utc_now()))]
    words += [_(_LOST[field]) for field in said["lost"]]
    with st.container(horizontal=True, vertical_alignment="center", key="generate_draft"):
        st.caption(f":material/history: {' '.join(words)}", width="content")
        st.button(_("Start afresh"), key="generate_draft_clear", type="tertiary", on_click=_start_afresh)


def _note_set_aside() -> None:
    """Say that another tab or device has written something else, with a way to have that here."""
    aside: dict[str, Any] | None = st.session_state.get(_STATE, {}).get("set_aside")
    if not aside:
        return
    began = aside["prompt"] if len(aside["prompt"]) <= BEGINNING_CHARS else f"{aside['prompt'][:BEGINNING_CHARS]}…"
    words = (
        _("In another tab or on another device you wrote, {age}: {prompt}")
        if began
        else _("In another tab or on another device you changed this order, {age}.")
    )
    with st.container(horizontal=True, vertical_alignment="center", key="generate_draft_aside"):
        said = words.format(age=wording.age(aside["at"], utc_now()), prompt=components.escaped(f"“{began}”"))
        st.caption(f":material/tab: {said}", width="content")
        st.button(_("Show it instead"), key="generate_draft_take_back", type="tertiary", on_click=_take_back)
        st.button(_("Leave it"), key="generate_draft_leave", type="tertiary", on_click=_leave_aside)


def _take_back() -> None:
    """Show what was set aside; what is shown is set aside for it."""
    person = current_member.require(Action.ORDER)
    _save(person)
    with db.write_session() as session:
        taken = drafts.take_back(session, person, FORM, written_by=connection.session())
        if taken is None:
            return
        content, lost = _usable(session, person, taken.content)
        state = st.session_state[_STATE]
        state.update(saved=taken.content, saved_at=taken.updated_at, is_own=True, set_aside=_aside(taken))
        state["aside_at"] = taken.set_aside_at
        state["note"] = {"at": taken.updated_at, "lost": lost} if lost else None
    form_state.forget()
    form_state.restore(content)


def _leave_aside() -> None:
    with db.write_session() as session:
        drafts.leave_aside(session, current_member.require(Action.ORDER), FORM)
    st.session_state[_STATE].update(set_aside=None, aside_at=None)


def _aside(kept: Draft | None) -> dict[str, Any] | None:
    """What of a draft's other version is to be said: when it was written, and its prompt; None where it is the same."""
    if kept is None or kept.set_aside_at is None or not kept.set_aside or kept.set_aside == kept.content:
        return None
    if not any(kept.set_aside.get(field) for field in _WRITTEN):
        return None
    return {"at": kept.set_aside_at, "prompt": str(kept.set_aside.get("prompt") or "")}


def forget_note() -> None:
    """What was taken up is ordered: nothing is to be said of it any more."""
    st.session_state.get(_STATE, {})["note"] = None


def forget() -> None:
    """Empty the form, so that the next run takes up what was written in another workspace."""
    if st.session_state.pop(_STATE, None) is not None:
        form_state.forget()


def save(person: Member) -> None:
    """Keep what the form holds, where that has changed since it was kept; raises as the database does.

    Where that has set aside what another tab wrote, the page is drawn anew: it says so above what is drawn already.
    """
    if _save(person):
        st.rerun()


def _save(person: Member) -> bool:
    """Whether what another tab wrote was set aside by this."""
    state: dict[str, Any] | None = st.session_state.get(_STATE)
    if state is None:  # what was kept before could not be read, so it is not written over
        return False
    content = _content()
    if state["saved"] is None:  # nothing was written yet: what a form begins with is no draft
        state["saved"], state["is_own"] = content, True
    if content == state["saved"] and state["is_own"]:
        return False
    by, is_news = connection.session(), False
    with db.write_session() as session:
        if content == state["saved"]:
            drafts.take_over(session, person, FORM, written_by=by)
        elif kept := drafts.save(session, person, FORM, content, written_by=by, based_on=state["saved_at"]):
            state["saved_at"] = kept.at
            if kept.set_aside_at != state["aside_at"]:
                state["set_aside"] = _aside(drafts.find(session, person, FORM))
                state["aside_at"] = kept.set_aside_at
                is_news = state["set_aside"] is not None
        else:
            components.error_box(errors.InvalidRequest(N_("This prompt is too long to be kept when you leave.")))
    state["saved"], state["is_own"] = content, True
    return is_news


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

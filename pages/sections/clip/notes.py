"""Notes on a clip in the viewer: who wrote what, at which moment; makers write, and change their own."""

import html

import streamlit as st

from core import db
from core.clock import utc_now
from core.db.enums import Status
from core.db.tables import Generation
from core.generations import notes
from core.generations.notes import Note
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.elements import moments
from pages.ui import avatar, components, wording
from pages.ui.language import _

_COUNT = "clip_notes_written"


def show(member: Member, row: Generation) -> None:
    """Draw them, oldest first, and the form below for who may write."""
    with db.read_session() as session:
        page = notes.list_page(session, member, row.id)
    may_write = member.may(Action.EDIT, row.workspace_id)
    if page.next_cursor is not None:
        st.caption(_("These are the first {number}.").format(number=len(page.notes)))
    for note in page.notes:
        _note(member, row, note, may_write=may_write)
    if not (page.notes or may_write):
        st.caption(_("There are no notes."))
    is_playable = row.status is Status.COMPLETED
    noted = sorted({note.at_seconds for note in page.notes if note.at_seconds is not None})
    if is_playable and (noted or may_write):
        taken = moments.show(noted, can_take=may_write, key=f"clip_moments_{row.id}")
        if taken is not None and may_write:
            st.session_state[_key(row, "at")] = min(taken, _length(row))
    if may_write:
        _form(member, row, is_playable=is_playable)


def _note(member: Member, row: Generation, note: Note, *, may_write: bool) -> None:
    told = [wording.age(note.created_at, utc_now())]
    if note.at_seconds is not None:
        told.insert(0, _("at {moment}").format(moment=moments.clock(note.at_seconds)))
    if note.edited_at is not None:
        told.append(_("edited"))
    with st.container(horizontal=True, gap="small", key=f"clip_note_{note.id}"):
        with st.container(gap="xxsmall"):
            st.html(
                '<p style="margin:0;display:flex;flex-wrap:wrap;align-items:center;gap:.4em;font-size:.85rem">'
                f"<strong>{avatar.named(note.writer.name, note.writer.id)}</strong>"
                f'<span style="opacity:.8">{html.escape(" · ".join(told))}</span></p>'
            )
            components.plain_text(note.text)
        if note.is_own and may_write:
            _own(member, row, note)


def _own(member: Member, row: Generation, note: Note) -> None:
    with st.popover(_("Edit"), icon=":material/edit:", type="tertiary", key=f"clip_note_popover_{note.id}"):
        text = st.text_area(
            _("Note"), note.text, max_chars=notes.TEXT_LIMIT_CHARS, key=f"clip_note_text_{note.id}_{note.edited_at}"
        )
        with st.container(horizontal=True):
            if st.button(_("Save"), type="primary", key=f"clip_note_save_{note.id}"):
                components.save_and_rerun(
                    lambda session: notes.edit(session, member, row.id, note.id, text=text or ""), done=_("Saved.")
                )
            if st.button(_("Delete"), icon=":material/delete:", key=f"clip_note_delete_{note.id}"):
                components.save_and_rerun(
                    lambda session: notes.delete(session, member, row.id, note.id), done=_("Deleted.")
                )


def _form(member: Member, row: Generation, *, is_playable: bool) -> None:
    with st.form(_key(row, "form"), border=False):
        text = st.text_area(
            _("New note"),
            key=_key(row, "new"),
            max_chars=notes.TEXT_LIMIT_CHARS,
            height=80,
            placeholder=_("What should others know about this clip?"),
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            at_seconds = (
                st.number_input(
                    _("At second, if it is about a moment"),
                    min_value=0.0,
                    max_value=_length(row),
                    value=None,
                    step=0.1,
                    format="%.1f",
                    key=_key(row, "at"),
                )
                if is_playable
                else None
            )
            is_sent = st.form_submit_button(_("Add note"), icon=":material/send:")
    if is_sent:
        components.save_and_rerun(
            lambda session: notes.add(session, member, row.id, text=text or "", at_seconds=at_seconds),
            done=_("The note is there for everybody in the workspace."),
            then=lambda: _next_form(row),
        )


def _key(row: Generation, name: str) -> str:
    """Under which a field of the form is known; another one for each note, so that the next form is an empty one."""
    return f"clip_note_{name}_{row.id}_{st.session_state.get(f'{_COUNT}_{row.id}', 0)}"


def _next_form(row: Generation) -> None:
    st.session_state[f"{_COUNT}_{row.id}"] = st.session_state.get(f"{_COUNT}_{row.id}", 0) + 1


def _length(row: Generation) -> float:
    """How long it plays, in seconds."""
    return float((row.output_facts or {}).get("duration_seconds") or row.duration_seconds)

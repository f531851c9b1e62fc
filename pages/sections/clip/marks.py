"""What people think of clips, in words, and where a clip belongs: tags and project, each written at once."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core import db
from core.db.enums import ENDED_STATUSES, RejectReason
from core.db.tables import Generation
from core.generations import review
from core.generations.list_filter import ReviewStatus
from core.generations.review import Changes
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.ui import components, current_member
from pages.ui.language import N_, _
from pages.ui.wording import TranslatedLabels

VERDICTS = TranslatedLabels(
    {ReviewStatus.UNDECIDED: N_("Undecided"), ReviewStatus.KEPT: N_("Keep"), ReviewStatus.REJECTED: N_("Reject")},
)

REASONS = TranslatedLabels(
    {
        RejectReason.PROMPT: N_("Not what was asked for"),
        RejectReason.MOTION: N_("Wrong movement"),
        RejectReason.ANATOMY: N_("Faces, hands or bodies"),
        RejectReason.ARTEFACTS: N_("Artefacts or flicker"),
        RejectReason.LOOK: N_("Light, colour or style"),
        RejectReason.FRAMING: N_("Framing or camera"),
        RejectReason.SOUND: N_("Sound"),
        RejectReason.BETTER_TAKE: N_("Another take is better"),
    }
)
"""Why clips are rejected, in the order of the keys that say so."""

MOVE_NOTE = N_("What it cost stays with the project it was charged in, there and in Usage.")


def tags_field(person: Member, row: Generation, *, tags: Sequence[str], own_tags: Sequence[str]) -> None:
    """The tags as they stand, to be changed by who may."""
    if not person.may(Action.EDIT, row.workspace_id):
        if tags:
            components.plain_text(" · ".join(tags), small=True)
        return
    _follow(f"clip_tags_{row.id}", list(tags))
    st.multiselect(
        _("Tags"),
        sorted({*own_tags, *tags}),
        key=f"clip_tags_{row.id}",
        accept_new_options=True,
        max_selections=review.TAGS_LIMIT,
        placeholder=_("Add a tag"),
        on_change=_write_tags,
        args=(row.id,),
    )


def move_popover(person: Member, row: Generation, projects: Mapping[str, str]) -> None:
    """Choose another project; only for who may, for what has ended, and where there is another one."""
    others = [project_id for project_id in projects if project_id != row.project_id]
    if row.status not in ENDED_STATUSES or not others or not person.may(Action.EDIT, row.workspace_id):
        return
    with st.popover(_("Move"), icon=":material/drive_file_move:", key=f"clip_move_popover_{row.id}"):
        st.markdown(_(MOVE_NOTE))
        target = st.selectbox(_("To project"), others, format_func=projects.__getitem__, key=f"clip_move_to_{row.id}")
        if st.button(_("Move here"), type="primary", key=f"clip_move_{row.id}") and components.try_action(
            lambda: _change(row.id, project_id=target), done=_("Moved.")
        ):
            st.rerun()


def _follow(key: str, value: Any) -> None:
    """A widget shows what is written down, not what it remembers: another tab may have changed it."""
    if st.session_state.get(key) != value:
        st.session_state[key] = value


def _write_tags(generation_id: str) -> None:
    """Write down what the field was just set to; a refusal is said, and the field goes back by itself."""
    tags = st.session_state[f"clip_tags_{generation_id}"]
    with components.error_boundary():
        _change(generation_id, tags=tags)


def _change(generation_id: str, **changes: Any) -> None:
    person = current_member.current_member()  # not who it was when the page was drawn
    with db.write_session() as session:
        review.update(session, person, generation_id, Changes(**changes))

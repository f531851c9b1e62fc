"""What a person thinks of a clip, and where it belongs: favourite, verdict, tags, project; each is written at once."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core import db
from core.db.enums import ENDED_STATUSES, Status
from core.db.tables import Generation
from core.generations import review
from core.generations.queries import ReviewStatus
from core.generations.review import Changes
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.ui import components, current_member
from pages.ui.language import N_, _
from pages.ui.wording import TranslatedLabels

VERDICTS = TranslatedLabels(
    {ReviewStatus.UNDECIDED: N_("Undecided"), ReviewStatus.KEPT: N_("Keep"), ReviewStatus.REJECTED: N_("Reject")},
)

MOVE_NOTE = N_("What it cost stays with the project it was charged in, there and in Usage.")


def show(person: Member, row: Generation, *, tags: Sequence[str], own_tags: Sequence[str]) -> None:
    """Draw them as they stand, to be changed by who may."""
    if not person.may(Action.EDIT, row.workspace_id):
        _tell(row, tags)
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _follow(f"clip_favourite_{row.id}", row.favourite)
        st.toggle(
            _("Favourite"),
            key=f"clip_favourite_{row.id}",
            on_change=_write,
            args=(row.id, "favourite"),
        )
        if row.status is Status.COMPLETED:
            _follow(f"clip_verdict_{row.id}", ReviewStatus.of(row.kept))
            st.radio(
                _("Verdict"),
                list(VERDICTS),
                format_func=VERDICTS.__getitem__,
                horizontal=True,
                label_visibility="collapsed",
                key=f"clip_verdict_{row.id}",
                on_change=_write,
                args=(row.id, "verdict"),
            )
    _follow(f"clip_tags_{row.id}", list(tags))
    st.multiselect(
        _("Tags"),
        sorted({*own_tags, *tags}),
        key=f"clip_tags_{row.id}",
        accept_new_options=True,
        max_selections=review.TAGS_LIMIT,
        placeholder=_("Add a tag"),
        on_change=_write,
        args=(row.id, "tags"),
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


def _tell(row: Generation, tags: Sequence[str]) -> None:
    """The same in words, for who cannot change it."""
    said = [_("Favourite")] if row.favourite else []
    if row.kept is not None:
        said.append(_("Kept") if row.kept else _("Rejected"))
    if said or tags:
        components.plain_text(" · ".join([*said, *tags]), small=True)


def _follow(key: str, value: Any) -> None:
    """A widget shows what is written down, not what it remembers: another tab may have changed it."""
    if st.session_state.get(key) != value:
        st.session_state[key] = value


def _write(generation_id: str, name: str) -> None:
    """Write down what a widget was just set to; a refusal is said, and the widget goes back by itself."""
    value = st.session_state[f"clip_{name}_{generation_id}"]
    with components.error_boundary():
        _change(generation_id, **{name: value})


def _change(generation_id: str, **changes: Any) -> None:
    person = current_member.current_member()  # not who it was when the page was drawn
    with db.write_session() as session:
        review.update(session, person, generation_id, Changes(**changes))

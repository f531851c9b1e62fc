"""The clips that are selected in the gallery, across its pages, and the bar with what can be done with all of them."""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from core import db, errors, installation
from core.db import ReadSession, WriteSession
from core.db.enums import Status
from core.db.tables import Generation
from core.files import signed_urls
from core.generations import commands, queries, review
from core.generations.list_filter import ReviewStatus
from core.generations.review import Changes
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.elements import gallery
from pages.sections.clip import deleting, marks, panel, viewer
from pages.sections.sharing import dialog as sharing
from pages.ui import components, links, wording
from pages.ui.language import _, plural

_IDS = "history_selected"
_TURN = "history_selected_turn"
_EVERYTHING = "history_selected_everything"
_CHANGES = "history_selected_changes"


def ids() -> list[str]:
    """What is selected, in the order it was."""
    found: list[str] = st.session_state.get(_IDS, [])
    return found


def turn() -> int:
    """What `gallery.board` is to be told: below 0 for each change that was made here another number."""
    found: int = st.session_state.get(_TURN, -1)
    return found


def _changed_here() -> None:
    st.session_state[_CHANGES] = st.session_state.get(_CHANGES, 1) + 1
    st.session_state[_TURN] = -st.session_state[_CHANGES]


def is_everything() -> bool:
    """Whether everything that matches is selected."""
    return bool(st.session_state.get(_EVERYTHING))


def choose_everything() -> None:
    """Select everything that matches, however many clips; for callbacks."""
    st.session_state[_EVERYTHING] = True
    _changed_here()


def take(pressed: gallery.Pressed) -> bool:
    """Take over what was just selected in the browser; whether there was something."""
    if pressed.marked is None:
        return False
    st.session_state[_IDS] = list(pressed.marked)
    st.session_state[_TURN] = pressed.turn
    st.session_state[_EVERYTHING] = False
    return True


def clear() -> None:
    """Select nothing."""
    st.session_state[_IDS] = []
    _changed_here()
    st.session_state[_EVERYTHING] = False


def targets(session: ReadSession, person: Member, rows: Sequence[Generation]) -> Mapping[str, str]:
    """The projects that all of these can be moved to: those of their workspace, none where they are of several."""
    places = {row.workspace_id for row in rows}
    if len(places) != 1:
        return {}
    return components.project_names(session, person.moved_to(places.pop()), archived=False, wanted=None)


def bar(
    person: Member,
    rows: Sequence[Generation],
    projects: Mapping[str, str],
    own_tags: Sequence[str],
    offer: Callable[[], None],
) -> None:
    """Draw the bar at the foot of the page, which moves nothing above it; `offer` draws the way to more clips."""
    with st.bottom, st.container(horizontal=True, vertical_alignment="center", gap="small", key="selection_bar"):
        count = len(rows)
        st.markdown(
            plural("**{number}** selected", "**{number}** selected", count).format(number=count), width="content"
        )
        offer()
        if count > review.MAX_CLIPS:
            most = _("Choose at most {number} clips at once.").format(number=review.MAX_CLIPS)
            st.caption(most, width="content")
        else:
            _download(person, rows)
            compares = "selection_compare"
            if viewer.can_play_together(rows) and st.button(_("Compare"), icon=":material/compare:", key=compares):
                viewer.open_it([row.id for row in rows], together=True, opener=compares)
            sharing.button(person, rows, key="selection_share")
            _change_popover(person, rows, projects, own_tags)
        st.button(_("Clear"), key="selection_clear", type="tertiary", on_click=clear)


def _change_popover(
    person: Member, rows: Sequence[Generation], projects: Mapping[str, str], own_tags: Sequence[str]
) -> None:
    """What the person may do with these clips; nothing where that is nothing."""
    may_edit = all(person.may(Action.EDIT, row.workspace_id) for row in rows)
    may_delete = all(person.may(Action.DELETE, row.workspace_id) for row in rows)
    if not (may_edit or may_delete):
        return
    with st.popover(_("Change"), icon=":material/edit:", key="selection_change"):
        if may_edit:
            _marks(person, rows)
            _tag(person, rows, own_tags)
            _move(person, rows, projects)
        if may_delete:
            _delete(person, rows)


def _download(person: Member, rows: Sequence[Generation]) -> None:
    done = [row for row in rows if row.status is Status.COMPLETED]
    if not done:
        return
    secret = installation.current().settings.secret_key
    link = signed_urls.sign_archive(person.id, [row.id for row in done], secret=secret, now=db.clock().now())
    size = wording.size(sum(queries.file_bytes(row) for row in done))
    panel.download_link(links.from_page(link), _("Download ZIP ({size})").format(size=size), "")


def _marks(person: Member, rows: Sequence[Generation]) -> None:
    all_favourites = all(row.favourite for row in rows)
    label = _("Remove from favourites") if all_favourites else _("Favourite")
    with st.container(horizontal=True):
        if st.button(label, icon=":material/favorite:", key="selection_favourite"):
            _change(person, rows, Changes(favourite=not all_favourites))
        if any(row.status is Status.COMPLETED for row in rows):
            if st.button(marks.VERDICTS[ReviewStatus.KEPT], icon=":material/thumb_up:", key="selection_keep"):
                _change(person, rows, Changes(verdict=ReviewStatus.KEPT))
            if st.button(marks.VERDICTS[ReviewStatus.REJECTED], icon=":material/thumb_down:", key="selection_reject"):
                _change(person, rows, Changes(verdict=ReviewStatus.REJECTED))


def _tag(person: Member, rows: Sequence[Generation], own_tags: Sequence[str]) -> None:
    with st.expander(_("Tag"), icon=":material/sell:"):
        tags = st.multiselect(
            _("Tags"), own_tags, accept_new_options=True, placeholder=_("Choose or write"), key="selection_bulk_tags"
        )
        with st.container(horizontal=True):
            if st.button(_("Add to all"), type="primary", disabled=not tags, key="selection_tag_add"):
                _change(person, rows, Changes(add_tags=tags))
            if st.button(_("Remove from all"), disabled=not tags, key="selection_tag_remove"):
                _change(person, rows, Changes(remove_tags=tags))


def _move(person: Member, rows: Sequence[Generation], projects: Mapping[str, str]) -> None:
    if not projects:
        return
    with st.expander(_("Move"), icon=":material/drive_file_move:"):
        st.markdown(_(marks.MOVE_NOTE))
        target = st.selectbox(
            _("To project"), list(projects), format_func=projects.__getitem__, key="selection_move_to"
        )
        if st.button(_("Move here"), type="primary", key="selection_move"):
            _change(person, rows, Changes(project_id=target))


def _delete(person: Member, rows: Sequence[Generation]) -> None:
    with st.expander(_("Delete"), icon=":material/delete:"):
        st.markdown(deleting.of_several(len(rows)))
        if st.button(deleting.button(), type="primary", key="selection_delete"):
            wanted = [row.id for row in rows]
            _do(lambda session: commands.delete_many(session, person, wanted), len(rows), then=clear)


def _change(person: Member, rows: Sequence[Generation], changes: Changes) -> None:
    wanted = [row.id for row in rows]
    _do(lambda session: review.update_many(session, person, wanted, changes), len(rows))


def _do(action: Callable[[WriteSession], int], asked: int, *, then: Callable[[], None] | None = None) -> None:
    """Carry out what a button asked for in one transaction, say how many it concerned, draw the page again."""
    try:
        with db.write_session() as session:
            done = action(session)
    except errors.AppError as problem:
        components.error_box(problem)
        return
    said = plural("Done for {number} clip.", "Done for {number} clips.", done).format(number=done)
    if done < asked:
        left = plural(
            "{number} is not finished and was left.", "{number} are not finished and were left.", asked - done
        )
        said += " " + left.format(number=asked - done)
    components.flash(said)
    if then is not None:
        then()
    st.rerun()

"""What can be done with everything that matches, however many clips: each is a job that goes on by itself."""

from collections.abc import Mapping, Sequence

import streamlit as st

from core import db, errors, installation
from core.db.enums import BulkKind
from core.generations import bulk_jobs, clip_names
from core.generations.bulk_jobs import Task
from core.generations.queries import Count
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.sections.clip import deleting, marks
from pages.sections.history import bar, filters, jobs, selection
from pages.ui import components
from pages.ui.language import N_, _, translate_message
from pages.ui.wording import TranslatedLabels

MARKS = TranslatedLabels(
    {
        BulkKind.FAVOURITE: N_("Favourite"),
        BulkKind.UNFAVOURITE: N_("Remove from favourites"),
        BulkKind.KEEP: N_("Keep"),
        BulkKind.REJECT: N_("Reject"),
        BulkKind.UNDECIDE: N_("Undecided"),
    }
)


def offer(person: Member, count: Count) -> None:
    """The way from the clips that are selected to everything that matches, where that is more."""
    if count.number > len(selection.ids()) or not count.is_exact:
        label = _("Select everything that matches ({clips})").format(clips=bar.counted(count))
        st.button(label, key="selection_everything", type="tertiary", on_click=selection.choose_everything)


def draw(person: Member, count: Count, projects: Mapping[str, str], own_tags: Sequence[str]) -> None:
    """Draw the bar at the foot of the page."""
    with st.bottom, st.container(horizontal=True, vertical_alignment="center", gap="small", key="selection_bar"):
        st.markdown(_("Everything that matches: **{clips}**").format(clips=bar.counted(count)), width="content")
        with st.popover(_("Download ZIP"), icon=":material/download:", key="everything_fetch_popover"):
            _fetch(person)
        if person.may(Action.EDIT) or person.may(Action.DELETE):
            with st.popover(_("Change"), icon=":material/edit:", key="everything_change"):
                if person.may(Action.EDIT):
                    _marks(person)
                    _tag(person, own_tags)
                    _move(person, projects)
                if person.may(Action.DELETE):
                    _delete(person, count)
        st.button(_("Clear"), key="selection_clear", type="tertiary", on_click=selection.clear)


def _fetch(person: Member) -> None:
    st.markdown(_("All clips as ZIP files, with a table of them (clips.csv). They are packed while you go on working."))
    names = st.text_input(
        _("Names of the files"),
        clip_names.of_person(person.user).text,
        key="everything_names",
        help=_("Fields: {fields}").format(fields=" ".join(f"`{{{name}}}`" for name in clip_names.EXAMPLE)),
    )
    try:
        st.caption(_("For example {name}").format(name=f"`{clip_names.preview(names or clip_names.DEFAULT)}`"))
    except errors.InvalidRequest as problem:
        components.error_box(problem)
        return
    if st.button(_("Pack everything"), type="primary", icon=":material/archive:", key="everything_fetch"):
        _start(person, Task(BulkKind.FETCH, names=names or clip_names.DEFAULT))


def _marks(person: Member) -> None:
    with st.container(horizontal=True):
        for kind, label in MARKS.items():
            if st.button(label, key=f"everything_{kind.value}"):
                _start(person, Task(kind))


def _tag(person: Member, own_tags: Sequence[str]) -> None:
    with st.expander(_("Tag"), icon=":material/sell:"):
        tags = st.multiselect(
            _("Tags"), own_tags, accept_new_options=True, placeholder=_("Choose or write"), key="everything_tags"
        )
        with st.container(horizontal=True):
            if st.button(_("Add to all"), type="primary", disabled=not tags, key="everything_tag"):
                _start(person, Task(BulkKind.TAG, tags=tags))
            if st.button(_("Remove from all"), disabled=not tags, key="everything_untag"):
                _start(person, Task(BulkKind.UNTAG, tags=tags))


def _move(person: Member, projects: Mapping[str, str]) -> None:
    if not projects:
        return
    with st.expander(_("Move"), icon=":material/drive_file_move:"):
        st.markdown(_(marks.MOVE_NOTE))
        target = st.selectbox(
            _("To project"), list(projects), format_func=projects.__getitem__, key="everything_move_to"
        )
        if st.button(_("Move here"), type="primary", key="everything_move"):
            _start(person, Task(BulkKind.MOVE, project_id=target))


def _delete(person: Member, count: Count) -> None:
    with st.expander(_("Delete"), icon=":material/delete:"):
        st.markdown(deleting.of_everything(bar.counted(count)))
        sure = st.checkbox(_("Yes, delete everything that matches"), key="everything_sure")
        if st.button(deleting.button(), type="primary", disabled=not sure, key="everything_delete"):
            _start(person, Task(BulkKind.DELETE))


def _start(person: Member, task: Task) -> None:
    """Ask for a job over what the page shows; a refusal is said here."""
    settings = installation.current().settings
    try:
        with components.outage_refuses(), db.write_session() as session:
            job = bulk_jobs.start(session, person, task, filters.kept(), settings=settings)
            told = jobs.name(job)
    except errors.AppError as problem:
        components.error_box(problem)
        return
    selection.clear()
    jobs.look_again()
    components.flash(translate_message(told))
    st.rerun()

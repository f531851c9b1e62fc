"""Saved filters of the library: which there are, and what is done with them in the bar."""

from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Any

import streamlit as st

from core import db
from core.db import WriteSession
from core.generations import saved_filters
from core.workspaces import profiles
from core.workspaces.access import Member
from pages.elements.library_bar import Saved
from pages.sections.history import filters
from pages.ui import components, current_member
from pages.ui.language import _, translate_message

KEPT_SECONDS = 30.0
"""So long they are not asked for again, unless one is changed here."""
_KNOWN = "history_saved_filters"


def shown(person: Member) -> Sequence[Saved]:
    """One's own and those that others share in the workspace."""
    at, known_for, known = st.session_state.get(_KNOWN, (0.0, None, ()))
    if known_for == person.workspace_id and monotonic() - at < KEPT_SECONDS:
        found: Sequence[Saved] = known
        return found
    with db.read_session() as session:
        rows = saved_filters.list_visible(session, person)
        people = profiles.people(session, [row.user_id for row in rows if row.user_id != person.id])
        known = [
            Saved(row.id, row.name, row.user_id == person.id, _by(row.user_id, row.shared, people)) for row in rows
        ]
    st.session_state[_KNOWN] = (monotonic(), person.workspace_id, known)
    return known


def _by(user_id: str, is_shared: bool, people: Mapping[str, profiles.Profile]) -> str:
    if user_id in people:
        return _("shared by {name}").format(name=people[user_id].name)
    return _("shared with the workspace") if is_shared else ""


def do(told: Mapping[str, Any]) -> None:
    """What was pressed of saved filters in the bar."""
    person = current_member.current_member()
    match told:
        case {"open": str(filter_id)}:
            _open(person, filter_id)
        case {"keep": str(name), "shared": bool(is_shared)}:
            kept = filters.kept()
            _change(
                lambda session: saved_filters.create(session, person, name=name, kept=kept, shared=is_shared),
                done=_("Saved."),
            )
        case {"rename": str(filter_id), "name": str(name)}:
            _change(lambda session: saved_filters.update(session, person, filter_id, name=name), done=_("Saved."))
        case {"forget": str(filter_id)}:
            _change(lambda session: saved_filters.delete(session, person, filter_id), done=_("Deleted."))


def _open(person: Member, filter_id: str) -> None:
    """Write it into the address; what it asked for and is gone is said."""
    st.session_state.pop(_KNOWN, None)  # it may be gone by now, or be called something else
    with db.read_session() as session:
        opened = saved_filters.open_it(session, person, filter_id)
    filters.open_kept(opened.kept)
    if opened.gone:
        components.flash(" ".join(map(translate_message, opened.gone)))


def _change(action: Callable[[WriteSession], object], *, done: str) -> None:
    st.session_state.pop(_KNOWN, None)
    components.act_in_callback(action, done=done)

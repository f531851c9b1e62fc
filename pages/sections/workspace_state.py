"""What pages remember of a workspace in a session: kept while it stays, forgotten as soon as another one is at work."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core import db
from core.db import availability
from core.identity import users
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.elements import live
from pages.sections.generate import draft
from pages.sections.history import selection

_SHOWN = "workspace_shown"
_LISTS = (
    "history_filter",
    "history_cursors",
    "projects_limit",
    "account_pages",
    "webhooks_secret",
    "share_clips",
    "share_made",
)
_FIELDS: Mapping[str, Any] = {"projects_search": "", "projects_archived": False}
"""Fields that the browser may still show; it is told of a value, and not of one that is gone."""


def follow(person: Member) -> None:
    """Begin anew where the person has come to another workspace since the last run, and note where they are.

    What is written in a form was written in the workspace before, and is kept there.
    """
    here = (person.id, person.workspace_id)
    before = st.session_state.get(_SHOWN)
    if before == here:
        return
    if before is not None:
        who, where = before
        if who == person.id and person.may(Action.ORDER, where):
            draft.save(person.moved_to(where))
        _forget()
    st.session_state[_SHOWN] = here
    if len(person.roles) > 1 and person.user.last_workspace_id != person.workspace_id:
        _note(person)


def _forget() -> None:
    draft.forget()
    selection.clear()
    live.forget()
    for name in _LISTS:
        st.session_state.pop(name, None)
    for name, beginning in _FIELDS.items():
        if name in st.session_state:
            st.session_state[name] = beginning


def _note(person: Member) -> None:
    """For the next visit, which can do without while nothing can be written."""
    try:
        with db.write_session() as session:
            users.note_workspace(session, person.user, workspace_id=person.workspace_id)
    except Exception as failure:
        if not availability.is_away(failure):
            raise

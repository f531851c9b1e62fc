"""Who is looking, and in which workspace: asked of the database on every run, so that no page relies on another one.

The workspace stands in the address, and is remembered for the next visit.
"""

import html
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import streamlit as st

from core import audit_log, config, db, errors, installation
from core.config import Settings
from core.db import ReadSession
from core.db.tables import User
from core.identity import sessions, users
from core.identity.api_tokens import hash_of
from core.workspaces import members
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.ui.language import N_, _

WORKSPACE = "workspace"
"""Under this name the address says where a person is at work, and the session remembers it from page to page."""

THIS_MACHINE = "127.0.0.1"
"""Whose address Streamlit does not tell."""

_known: ContextVar[Member] = ContextVar("_known")


@contextmanager
def set_current_member(found: Member) -> Iterator[None]:
    """Spare the page that is run in the block from asking again; callbacks and fragments run outside and do ask."""
    token = _known.set(found)
    try:
        yield
    finally:
        _known.reset(token)


def current_member() -> Member:
    """The person of this session at work in the workspace that the address names, else where they were last.

    NotFound when the address names a workspace that they are not in.
    """
    if (found := _known.get(None)) is not None:
        return found
    audit_log.act_from(st.context.ip_address or THIS_MACHINE)  # the thread serves this session alone
    with db.read_session() as session:
        user = _user(session)
        if user is not None:
            return _at_work(session, user)
    with db.write_session() as session:
        return _at_work(session, users.local_person(session, installation.current().settings))


def session_id() -> str:
    """The id of the session that this browser has signed in with; empty where nobody signs in."""
    settings = installation.current().settings
    token = _cookie(settings) if settings.has_sign_in else ""
    return hash_of(token) if token else ""


def require(action: Action) -> Member:
    """The person of this session, if they may do this where they are at work; Forbidden for everybody else."""
    found = current_member()
    found.require(action)
    return found


def administrator() -> Member:
    """The person of this session, if an administrator; Forbidden for everybody else."""
    found = current_member()
    if not found.may(Action.OPERATE):
        raise errors.Forbidden(N_("This page is for administrators."))
    return found


def move_to(workspace_id: str) -> None:
    """Go on in another workspace, on this page; for callbacks. NotFound for one that they are not in."""
    with db.write_session() as session:
        found = members.at_work(session, current_member().user, workspace_id)
        users.note_workspace(session, found.user, workspace_id=workspace_id)
    st.query_params.clear()
    st.query_params[WORKSPACE] = st.session_state[WORKSPACE] = workspace_id


def _user(session: ReadSession) -> User | None:
    """Who is signed in; without sign-in it is the one local person, None before they are made."""
    settings = installation.current().settings
    if settings.has_sign_in:
        return _signed_in(session, settings)
    try:
        return users.get(session, config.LOCAL_PERSON)
    except errors.NotFound:
        return None


def _signed_in(session: ReadSession, settings: Settings) -> User:
    """The person of this browser's session; one that is over ends the run, and the page says how to come back."""
    found = sessions.look(session, _cookie(settings), idle=settings.session_idle)
    if found is None:
        st.subheader(_("You are signed out."), anchor=False)
        st.html(f'<a href="{html.escape(st.context.url or ".")}" target="_self">{html.escape(_("Sign in again"))}</a>')
        st.stop()
    if sessions.use_is_old(found):
        with db.write_session() as writing:
            sessions.note_use(writing, found.id)
    return found.user


def _cookie(settings: Settings) -> str:
    """What the cookie of the session held when this page connected."""
    return st.context.cookies.get(settings.session_cookie, "")


def _at_work(session: ReadSession, user: User) -> Member:
    found = members.at_work(session, user)
    asked = st.query_params.get(WORKSPACE)
    wanted = asked or st.session_state.get(WORKSPACE) or user.last_workspace_id
    if asked or wanted in found.roles:
        found = found.moved_to(str(wanted))
    st.session_state[WORKSPACE] = found.workspace_id
    if asked is None and len(found.roles) > 1:
        st.query_params[WORKSPACE] = found.workspace_id
    return found

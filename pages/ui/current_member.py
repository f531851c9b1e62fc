"""Who is looking, and in which workspace: asked of the database on every run, so that no page relies on another one.

The workspace stands in the address, and is remembered for the next visit. A link to a clip or a project leads to the
workspace that it is in. Where nobody signs in one may look as anybody of the sample company; that, too, stands in the
address and is remembered in the session.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from urllib.parse import urlencode

import streamlit as st

from core import audit_log, config, db, errors, installation, logs
from core.config import Settings
from core.db import ReadSession
from core.db.tables import User
from core.identity import sessions, users
from core.identity.api_tokens import hash_of
from core.sample import presence
from core.workspaces import choices, members
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.ui import links, run
from pages.ui.language import N_, _

WORKSPACE = "workspace"
"""Under this name the address says where a person is at work, and the session remembers it from page to page."""

_CLIP_LINKS = ("clip", "from", "extend")
_PROJECT_LINK = "project"
_FIGURES_OF_ALL = "people"
"""Figures of everybody are looked at from any workspace, whatever project they are narrowed to."""
THIS_MACHINE = "127.0.0.1"
"""Whose address Streamlit does not tell."""

LOOK_AS = "as"
"""Under this name the address and the session say as whom of the sample company one looks, by e-mail address."""

_ACCESS_ENDED = N_("Your access has ended. Ask an administrator to let you in again.")
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

    NotFound when the address names a workspace that they are not in, Forbidden for who was deactivated.
    """
    if (found := _known.get(None)) is not None:
        return found
    address = st.context.ip_address
    where = address if isinstance(address, str) else THIS_MACHINE
    audit_log.act_from(where, run.request_id())  # the thread is this session's alone
    with db.read_session() as session:
        user = _user(session)
        if user is not None:
            return _at_work(session, user)
    with db.write_session() as session:
        return _at_work(session, users.local_person(session, installation.current().settings))


def keep() -> Callable[[], AbstractContextManager[None]]:
    """This person, for what is done outside of a run: Streamlit makes a file in a thread that knows no session.

    In a block of what is returned they are the current one again, as they are by then; Forbidden when they have signed
    out or were deactivated, NotFound when they have left the workspace.
    """
    found, where, settings = current_member(), audit_log.origin(), installation.current().settings
    cookie = _cookie(settings) if settings.has_sign_in else ""

    @contextmanager
    def again() -> Iterator[None]:
        with db.read_session() as session:
            if settings.has_sign_in and sessions.look(session, cookie, idle=settings.session_idle) is None:
                raise errors.Forbidden(_ACCESS_ENDED)
            member = members.again(session, found)
        with audit_log.acting_from(where.address, where.request_id), set_current_member(member):
            yield

    return again


def may_look_as() -> bool:
    """Whether one may look as others here: only where nobody signs in and only this machine is answered."""
    return presence.is_allowed(installation.current().settings)


def looked_as() -> str | None:
    """The address of whom of the sample company this session looks as; None for oneself."""
    return st.session_state.get(LOOK_AS) if may_look_as() else None


def is_looking_as() -> bool:
    """Whether this session looks as somebody of the sample company."""
    return looked_as() is not None


def in_address() -> str:
    """What a link that is loaded anew, and so begins another session, has to say to be followed as the same person."""
    email = looked_as()
    return "" if email is None else f"&{urlencode({LOOK_AS: email})}"


def page_address(path: str, person: Member, **said: str) -> str:
    """A page as a link seen from any other; who has several workspaces stays in this one in another tab, too."""
    if len(person.roles) > 1:
        said[WORKSPACE] = person.workspace_id
    if (email := looked_as()) is not None:
        said[LOOK_AS] = email
    return f"./{path}" + (f"?{urlencode(said)}" if said else "")


def look_as(email: str | None) -> None:
    """Look as somebody of the sample company from the next run on, None as oneself; for callbacks.

    NotFound for who is not of it, and for everybody where people sign in.
    """
    if email is not None:
        if not may_look_as():
            raise errors.NotFound
        with db.write_session() as session:
            person = users.local_person(session, installation.current().settings)
            presence.note_look(session, person, email=email)
    st.query_params.clear()
    st.session_state.pop(WORKSPACE, None)
    st.session_state[LOOK_AS] = email
    if email is not None:
        st.query_params[LOOK_AS] = email


def own_administrator() -> Member:
    """Who sits in front of the machine, also while they look as somebody else; Forbidden if no administrator."""
    if not may_look_as():
        return administrator()
    with db.read_session() as session:
        found = members.at_work(session, users.get(session, config.LOCAL_PERSON))
    found.require(Action.OPERATE)
    return found


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
    current_member().moved_to(workspace_id)
    st.query_params.clear()
    st.query_params[WORKSPACE] = st.session_state[WORKSPACE] = workspace_id


def leave_address() -> None:
    """Forget what the address names, and so go on where the person was last; for callbacks."""
    st.query_params.clear()
    st.session_state.pop(WORKSPACE, None)


def _user(session: ReadSession) -> User | None:
    """Who is signed in; without sign-in the one local person, or as whom they look, None before they are made."""
    settings = installation.current().settings
    if settings.has_sign_in:
        return _signed_in(session, settings)
    if (other := _looked_as(session)) is not None:
        return other
    try:
        return users.get(session, config.LOCAL_PERSON)
    except errors.NotFound:
        return None


def _looked_as(session: ReadSession) -> User | None:
    """As whom of the sample company the address says to look, else the session; None for oneself.

    Who is not of it, or went with it, is forgotten.
    """
    if not may_look_as():
        return None
    email = st.query_params.get(LOOK_AS) or st.session_state.get(LOOK_AS)
    found = presence.find(session, email) if email else None
    st.session_state[LOOK_AS] = found.email if found else None
    if found is not None and st.query_params.get(LOOK_AS) != found.email:
        st.query_params[LOOK_AS] = found.email
    elif found is None:
        st.query_params.pop(LOOK_AS, None)
    return found


def _signed_in(session: ReadSession, settings: Settings) -> User:
    """The person of this browser's session; one that is over ends the run, and the page says how to come back."""
    found = sessions.look(session, _cookie(settings), idle=settings.session_idle)
    if found is None:
        st.subheader(_("You are signed out."), anchor=False)
        address = st.context.url
        st.html(links.in_this_tab(address if isinstance(address, str) else ".", _("Sign in again")))
        st.stop()
    if sessions.use_is_old(found, now=db.clock().now()):
        with db.write_session() as writing:
            sessions.note_use(writing, found.id)
    return found.user


def _cookie(settings: Settings) -> str:
    """What the cookie of the session held when this page connected."""
    found = st.context.cookies.get(settings.session_cookie)
    return found if isinstance(found, str) else ""


def _at_work(session: ReadSession, user: User) -> Member:
    logs.bind(user_id=user.id)
    if user.deactivated_at is not None:
        raise errors.Forbidden(_ACCESS_ENDED)
    found = members.at_work(session, user)
    if len(found.roles) > 1 or WORKSPACE in st.query_params:
        found = found.moved_to(_wanted(session, found))
    st.session_state[WORKSPACE] = found.workspace_id
    if len(found.roles) > 1 and st.query_params.get(WORKSPACE) != found.workspace_id:
        st.query_params[WORKSPACE] = found.workspace_id
    return found


def _wanted(session: ReadSession, found: Member) -> str:
    """Where what the address leads to is, else the workspace that it names, else where the person was last."""
    if _FIGURES_OF_ALL not in st.query_params:
        clip_id = next((st.query_params[word] for word in _CLIP_LINKS if word in st.query_params), None)
        linked = choices.workspace_of_link(
            session, found, clip_id=clip_id, project_id=st.query_params.get(_PROJECT_LINK)
        )
        if linked is not None:
            return linked
    if asked := st.query_params.get(WORKSPACE):
        return asked
    remembered = (st.session_state.get(WORKSPACE), found.user.last_workspace_id)
    return next((str(known) for known in remembered if known in found.roles), found.id)

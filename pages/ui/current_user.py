"""Who is looking: asked of the database on every run, so that no page relies on another one having asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from core import config, db, errors, installation
from core.db.enums import Role
from core.db.tables import User
from core.identity import users
from core.messages import N_

_known: ContextVar[User] = ContextVar("_known")


@contextmanager
def set_current_user(found: User) -> Iterator[None]:
    """Spare the page that is run in the block from asking again; callbacks and fragments run outside and do ask."""
    token = _known.set(found)
    try:
        yield
    finally:
        _known.reset(token)


def current_user() -> User:
    """The person of this session. Without sign-in it is the one local person, made at the first look."""
    if (found := _known.get(None)) is not None:
        return found
    with db.read_session() as session:
        try:
            return users.get(session, config.LOCAL_PERSON)
        except errors.NotFound:
            pass
    with db.write_session() as session:
        return users.local_person(session, installation.current().settings)


def administrator() -> User:
    """The person of this session, if an administrator; Forbidden for everybody else."""
    found = current_user()
    if found.role is not Role.ADMIN:
        raise errors.Forbidden(N_("This page is for administrators."))
    return found

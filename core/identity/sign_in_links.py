"""Links that let one person in once without their identity provider: for the day on which it is away.

They end by the database's clock.
"""

import secrets
from datetime import timedelta

from sqlalchemy import select

from core import audit_log, db, errors
from core.audit_log import Act
from core.db import ReadSession, WriteSession, update_where
from core.db.tables import SignInLink, User
from core.identity.api_tokens import hash_of
from core.messages import message

LIFETIME = timedelta(minutes=10)


def make(session: WriteSession, user: User) -> str:
    """What the link holds; this is the one time it can be read. Conflict for somebody who is deactivated."""
    if user.deactivated_at is not None:
        raise errors.Conflict(message("sign_in_deactivated"))
    token = secrets.token_urlsafe(32)
    now = db.about_now(session)
    session.add(SignInLink(token_hash=hash_of(token), user_id=user.id, created_at=now, expires_at=now + LIFETIME))
    session.flush()
    audit_log.record(session, None, Act.SIGN_IN_LINK_MADE, target=user.email, target_id=user.id)
    return token


def person_of(session: ReadSession, token: str) -> User:
    """Who a link lets in; NotFound for one that is not there, was used or is over, all alike."""
    found = session.scalar(
        select(User)
        .join(SignInLink, SignInLink.user_id == User.id)
        .where(
            SignInLink.token_hash == hash_of(token),
            SignInLink.used_at.is_(None),
            SignInLink.expires_at > db.about_now(session),
            User.deactivated_at.is_(None),
        )
    )
    if found is None:
        raise errors.NotFound(message("sign_in_link_over"))
    return found


def use(session: WriteSession, token: str) -> User:
    """Who a link lets in, and from then on nobody; of two at once one comes in. NotFound as for `person_of`."""
    person = person_of(session, token)
    unused = SignInLink.token_hash == hash_of(token), SignInLink.used_at.is_(None)
    used = update_where(session, SignInLink, *unused, used_at=db.about_now(session))
    if used != 1:
        raise errors.NotFound(message("sign_in_link_over"))
    return person

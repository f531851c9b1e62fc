"""Who is asking: the person a bearer token belongs to."""

import hashlib
import logging
import re
import time
from typing import Annotated

from fastapi import Depends, Path
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.exc import OperationalError

from core import db, errors, users
from core.models import User

log = logging.getLogger(__name__)

_NOTE_EVERY_SECONDS = 60.0
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_bearer = HTTPBearer(auto_error=False, description="A token of the account page or of `python -m core.admin token`.")
_noted: dict[str, float] = {}  # digest of a valid token -> when its use was last written down, monotonic seconds


def person(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> User:
    """The person of the request's token; Unauthorized without a valid one."""
    if credentials is None:
        raise errors.Unauthorized
    with db.session(read_only=True) as session:
        user = users.by_token(session, credentials.credentials)
    _note_use(credentials.credentials)
    return user


def known_form(id: Annotated[str, Path()]) -> str:
    """An id in the path; NotFound at once for what can be nobody's id, so that the database never sees it."""
    if not _ID.fullmatch(id):
        raise errors.NotFound
    return id


Person = Annotated[User, Depends(person)]
PathId = Annotated[str, Depends(known_form)]


def _note_use(token: str) -> None:
    """Write down that a token was used, in a transaction of its own and seldom: most requests only read."""
    digest = hashlib.sha256(token.encode()).hexdigest()
    now = time.monotonic()
    if now - _noted.get(digest, -_NOTE_EVERY_SECONDS) < _NOTE_EVERY_SECONDS:
        return
    try:
        with db.session() as session:
            users.note_token_use(session, token)
    except OperationalError:
        # The request itself can still be answered; the next one notes it.
        log.warning("The use of a token could not be written down", exc_info=True)
        return
    _noted[digest] = now

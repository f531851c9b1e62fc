"""What people outside do with a link: they look, are counted, and try its password; whoever has the address may.

Whatever ends a link (time, revocation, its clips, its workspace) ends it at the next look; nothing has to run for that.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select

from core import db, errors
from core.db import ReadSession, WriteSession, update_where
from core.db.enums import Status, VisitKind
from core.db.tables import Generation, ShareLink, ShareLinkClip, ShareLinkVisit, User, Workspace
from core.identity import failed_attempts, passwords

PATH = "/share"
"""Where links begin, below the address of the installation."""

TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
"""What a token looks like: 32 bytes in base64url."""

_AGENT_LIMIT_CHARS = 200
_ADDRESS_LIMIT_CHARS = 64


@dataclass(frozen=True, slots=True)
class SharedClip:
    """A clip as people outside see it: by its place in the set, from 1. `prompt` is empty unless it may be shown."""

    place: int
    generation_id: str
    output_key: str
    thumbnail_key: str | None
    width: int
    height: int
    duration_seconds: float
    prompt: str


@dataclass(frozen=True, slots=True)
class SharedSet:
    """What a link opens. `password_hash` is None where everybody with the address may see the clips."""

    link_id: str
    title: str
    password_hash: str | None
    allow_download: bool
    expires_at: datetime
    clips: Sequence[SharedClip]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who came, as far as can be known: a network address, and what the browser calls itself."""

    address: str
    agent: str


def look(session: ReadSession, token: str, *, place: int | None = None) -> SharedSet:
    """What a link opens, with one of its clips only if its place is given.

    NotFound, the same in every case, for a token that nobody was given, for one that has expired or was revoked, when
    all its clips are deleted, and when its workspace is archived or its person deactivated.
    """
    link = session.scalar(_opened_by(token, db.now(session))) if TOKEN.fullmatch(token) else None
    if link is None:
        raise errors.NotFound
    query = (
        select(ShareLinkClip.place, Generation)
        .join(Generation, Generation.id == ShareLinkClip.generation_id)
        .where(ShareLinkClip.link_id == link.id, Generation.workspace_id == link.workspace_id, is_shown())
    )
    if place is not None:
        query = query.where(ShareLinkClip.place == place)
    found = session.execute(query.order_by(ShareLinkClip.place)).all()
    if not found:
        raise errors.NotFound
    clips = [_shared(number, row, with_prompt=link.show_prompt) for number, row in found]
    return SharedSet(link.id, link.title, link.password_hash, link.allow_download, link.expires_at, clips)


def note_visit(
    session: WriteSession, shared: SharedSet, kind: VisitKind, visitor: Visitor, *, generation_id: str | None = None
) -> None:
    """Write down that somebody came, in the transaction that has looked."""
    now = db.now(session)
    session.add(
        ShareLinkVisit(
            link_id=shared.link_id,
            kind=kind,
            generation_id=generation_id,
            address=visitor.address[:_ADDRESS_LIMIT_CHARS],
            agent=visitor.agent[:_AGENT_LIMIT_CHARS],
            at=now,
        )
    )
    session.flush()
    if kind is VisitKind.VIEW:
        counted = {"view_count": ShareLink.view_count + 1, "last_viewed_at": now}
        update_where(session, ShareLink, ShareLink.id == shared.link_id, **counted)


def begin_try(session: WriteSession, token: str) -> SharedSet:
    """Count a try of a password as failed before it is judged, so that many at once are no more tries than are allowed.

    Returns what the password would open; `end_try` says how it went. RateLimited when there were too many, NotFound as
    `look`.
    """
    shared = look(session, token)
    if shared.password_hash is None:
        return shared
    # One after the other, or several at once would pass on the count of before.
    session.execute(select(ShareLink.id).where(ShareLink.id == shared.link_id).with_for_update(key_share=True))
    failed_attempts.check(session, _keys_of(shared))
    failed_attempts.count(session, _keys_of(shared))
    return shared


def is_password(shared: SharedSet, password: str) -> bool:
    """Whether this is the password of a link; takes long, so no session is open meanwhile."""
    return shared.password_hash is not None and passwords.is_right(password, shared.password_hash)


def end_try(session: WriteSession, shared: SharedSet, visitor: Visitor, *, was_right: bool) -> None:
    """Forget the failures of a link whose password somebody knew; else write down who was refused."""
    if was_right:
        failed_attempts.forget(session, _keys_of(shared))
    else:
        note_visit(session, shared, VisitKind.REFUSED, visitor)


def path_of(token: str) -> str:
    """The address of a link, below that of the installation."""
    return f"{PATH}/{token}"


def hash_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_shown() -> ColumnElement[bool]:
    """A clip that a link still shows."""
    return Generation.deleted_at.is_(None) & (Generation.status == Status.COMPLETED)


def _opened_by(token: str, now: datetime) -> Any:
    """The link of a token while it opens; a personal workspace has its person's id, and closes with them."""
    return (
        select(ShareLink)
        .join(Workspace, Workspace.id == ShareLink.workspace_id)
        .outerjoin(User, User.id == ShareLink.workspace_id)
        .where(
            ShareLink.token_hash == hash_of(token),
            ShareLink.revoked_at.is_(None),
            ShareLink.expires_at > now,
            Workspace.archived_at.is_(None),
            User.deactivated_at.is_(None),
        )
    )


def _shared(place: int, row: Generation, *, with_prompt: bool) -> SharedClip:
    facts: Mapping[str, Any] = row.output_facts or {}
    return SharedClip(
        place=place,
        generation_id=row.id,
        output_key=row.output_key or "",  # every completed clip has one
        thumbnail_key=row.thumbnail_key,
        width=int(facts.get("width") or 16),
        height=int(facts.get("height") or 9),
        duration_seconds=float(facts.get("duration_seconds") or row.duration_seconds),
        prompt=row.prompt if with_prompt else "",
    )


def _keys_of(shared: SharedSet) -> list[str]:
    """Tries count for the link, wherever they come from: who guesses may have many addresses."""
    return [f"share_link:{shared.link_id}"]

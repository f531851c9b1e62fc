"""Links for people outside: made, listed and revoked by who may share. What the people outside do is `share_visits`.

Only a hash of a link's token is kept, so its address can be read once, when it is made.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select

from core import audit_log, db, errors, validation
from core.db import ReadSession, WriteSession, update_where
from core.db.enums import Status
from core.db.tables import Generation, ShareLink, ShareLinkClip, ShareLinkVisit, User
from core.generations.share_visits import hash_of, is_shown
from core.identity.passwords import PasswordHash
from core.messages import Message, message
from core.workspaces.access import Member, in_workspace, visible_to
from core.workspaces.permissions import Action
from core.workspaces.profiles import person_name

MAX_CLIPS = 200
TITLE_LIMIT_CHARS = 120
LONGEST_DAYS = 90
DEFAULT_HOURS = 7 * 24

NOT_FOUND = message("share_link_not_found")


@dataclass(frozen=True, slots=True)
class Made:
    """A link that was just made, and its token, which is readable this once."""

    link: ShareLink
    token: str


class LinkState(StrEnum):
    """Whether a link opens."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A link as lists show it; `clip_count` are those that it still shows, `maker` is their name as it is now."""

    link: ShareLink
    clip_count: int
    maker: str
    state: LinkState


@dataclass(frozen=True, slots=True)
class LinkPage:
    """One keyset page, newest first; `next_cursor` is None on the last."""

    rows: Sequence[LinkRow]
    next_cursor: str | None


def make(
    session: WriteSession,
    member: Member,
    clip_ids: Sequence[str],
    *,
    title: str = "",
    lifetime_hours: int = DEFAULT_HOURS,
    password_hash: PasswordHash | None = None,
    allow_download: bool = False,
    show_prompt: bool = False,
) -> Made:
    """Make a link to completed clips of one workspace, shown in this order.

    NotFound for a clip that the member does not see, Forbidden where they may not share, InvalidRequest for fields that
    cannot be used.
    """
    title = " ".join(title.split())
    ids = list(dict.fromkeys(clip_ids))
    _check_fields(ids, title, lifetime_hours)
    workspace_id = _workspace_of(session, member, ids)
    member.require(Action.SHARE, workspace_id)
    token = secrets.token_urlsafe(32)
    now = db.now(session)
    link = ShareLink(
        workspace_id=workspace_id,
        user_id=member.id,
        title=title,
        token_hash=hash_of(token),
        password_hash=password_hash,
        allow_download=allow_download,
        show_prompt=show_prompt,
        created_at=now,
        expires_at=now + timedelta(hours=lifetime_hours),
        view_count=0,
    )
    session.add(link)
    session.flush()
    session.add_all(ShareLinkClip(link_id=link.id, generation_id=id_, place=place) for place, id_ in enumerate(ids, 1))
    _write_down(session, member, link, "share_link.made", after=_told(link, len(ids)))
    return Made(link, token)


def list_page(session: ReadSession, member: Member, *, cursor: str | None = None, limit: int = 20) -> LinkPage:
    """The links of the workspace, newest first, with those that have ended; Forbidden for who may not share there."""
    member.require(Action.SHARE)
    query = _rows().where(in_workspace(ShareLink, member))
    if cursor is not None:
        query = query.where(ShareLink.id < cursor)
    found = session.execute(query.order_by(ShareLink.id.desc()).limit(limit + 1)).all()
    rows = [_row(each, db.now(session)) for each in found[:limit]]
    return LinkPage(rows, rows[-1].link.id if len(found) > limit else None)


def get(session: ReadSession, member: Member, link_id: str) -> LinkRow:
    """A link of a workspace of theirs; NotFound for others, Forbidden where they may not share."""
    found = session.execute(_rows().where(ShareLink.id == link_id, visible_to(ShareLink, member))).first()
    if found is None:
        raise errors.NotFound(NOT_FOUND)
    row = _row(found, db.now(session))
    member.require(Action.SHARE, row.link.workspace_id)
    return row


def visits(
    session: ReadSession, link: ShareLink, *, before_id: int | None = None, limit: int = 50
) -> Sequence[ShareLinkVisit]:
    """Who came by a link that the caller may see, newest first."""
    query = select(ShareLinkVisit).where(ShareLinkVisit.link_id == link.id)
    if before_id is not None:
        query = query.where(ShareLinkVisit.id < before_id)
    return session.scalars(query.order_by(ShareLinkVisit.id.desc()).limit(limit)).all()


def revoke(session: WriteSession, member: Member, link_id: str) -> None:
    """End a link: nothing opens it once this is committed. One that was revoked before stays so. Raises as `get`."""
    link = get(session, member, link_id).link
    now = db.now(session)
    if update_where(session, ShareLink, ShareLink.id == link.id, ShareLink.revoked_at.is_(None), revoked_at=now):
        _write_down(session, member, link, "share_link.revoked")


def _check_fields(ids: Sequence[str], title: str, lifetime_hours: int) -> None:
    wrong: dict[str, Message] = {}
    if not ids:
        wrong["generationIds"] = message("share_without_clips")
    elif len(ids) > MAX_CLIPS:
        wrong["generationIds"] = message("share_too_many_clips", limit=MAX_CLIPS)
    if problem := validation.text_error(title, limit_chars=TITLE_LIMIT_CHARS):
        wrong["title"] = problem
    if not 1 <= lifetime_hours <= LONGEST_DAYS * 24:
        wrong["lifetimeHours"] = message("share_lifetime", days=LONGEST_DAYS)
    if wrong:
        raise errors.InvalidRequest(fields=wrong)


def _workspace_of(session: ReadSession, member: Member, ids: Sequence[str]) -> str:
    """The one workspace of these clips, all of them visible and completed."""
    query = select(Generation.workspace_id, Generation.status).where(
        visible_to(Generation, member), Generation.deleted_at.is_(None), Generation.id.in_(ids)
    )
    found = session.execute(query).all()
    if len(found) != len(ids):
        raise errors.NotFound(message("generation_not_found"))
    if any(row.status is not Status.COMPLETED for row in found):
        raise errors.InvalidRequest(fields={"generationIds": message("share_not_completed")})
    workspace_ids = {row.workspace_id for row in found}
    if len(workspace_ids) > 1:
        raise errors.InvalidRequest(fields={"generationIds": message("share_one_workspace")})
    return str(workspace_ids.pop())


def _rows() -> Any:
    count = (
        select(func.count())
        .select_from(ShareLinkClip)
        .join(Generation, Generation.id == ShareLinkClip.generation_id)
        .where(ShareLinkClip.link_id == ShareLink.id, Generation.workspace_id == ShareLink.workspace_id, is_shown())
        .correlate(ShareLink)
        .scalar_subquery()
    )
    return select(ShareLink, count, person_name(User)).join(User, User.id == ShareLink.user_id)


def _row(found: Any, now: datetime) -> LinkRow:
    link, clip_count, maker = found
    if link.revoked_at is not None:
        state = LinkState.REVOKED
    else:
        state = LinkState.ACTIVE if link.expires_at > now else LinkState.EXPIRED
    return LinkRow(link, clip_count, maker, state)


def _write_down(
    session: WriteSession, member: Member, link: ShareLink, action: str, *, after: Mapping[str, Any] | None = None
) -> None:
    audit_log.record(
        session,
        member.user,
        action,
        target=link.title,
        target_id=link.id,
        workspace_id=link.workspace_id,
        after=after,
    )


def _told(link: ShareLink, clip_count: int) -> dict[str, Any]:
    return {
        "clips": clip_count,
        "expires_at": link.expires_at.isoformat(),
        "has_password": link.password_hash is not None,
        "allow_download": link.allow_download,
        "show_prompt": link.show_prompt,
    }

"""What a person was told, as they read it: their own notices and nobody else's, of where they still belong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, exists, func, or_, select, true, tuple_

from core import errors
from core.clock import utc_now
from core.db import Reader, ReadSession, WriteSession, update_where
from core.db.enums import NoticeAudience, NoticeKind
from core.db.tables import Generation, Notice, NoticeSend, Workspace
from core.messages import Message, message
from core.notifications.entitled import may_be_told
from core.workspaces.access import Member, visible_to

PAGE_SIZE = 20
MOST_COUNTED = 100
"""More unread ones are not counted: `99+` says enough."""

WOULD_BE_TOLD_AGAIN = timedelta(days=45)
"""So long the end of a model is told of at most (`core.insights.model_ends`), and so its notices are kept for it."""

_SHOWN = Notice.told_at.is_not(None), Notice.in_inbox
_UNREAD = select(func.count()).select_from(
    select(Notice.id)
    .where(Notice.user_id == bindparam("reader_id"), Notice.read_at.is_(None), *_SHOWN, may_be_told())
    .limit(MOST_COUNTED)
    .subquery()
)


@dataclass(frozen=True, slots=True)
class Told:
    """A notice as its person reads it, with the names of where it belongs; what they no longer see has none."""

    id: str
    kind: NoticeKind
    title: Message
    body: Message | None
    told_at: datetime
    read_at: datetime | None
    audience: NoticeAudience
    workspace_id: str | None
    workspace_name: str | None
    project_id: str | None
    generation_id: str | None
    clip_count: int
    prompt: str | None

    @property
    def is_unread(self) -> bool:
        """Not read yet."""
        return self.read_at is None


def unread_count(session: Reader, user_id: str) -> int:
    """How many a person has not read, `MOST_COUNTED` for that many and more; one look at an index of such."""
    return session.execute(_UNREAD, {"reader_id": user_id}).scalar_one()


def list_page(
    session: ReadSession,
    member: Member,
    *,
    is_unread: bool = False,
    before_id: str | None = None,
    limit: int = PAGE_SIZE,
) -> Sequence[Told]:
    """A person's notices, newest first, a keyset page at a time; NotFound when `before_id` is none of theirs."""
    query = _readable(member)
    if is_unread:
        query = query.where(Notice.read_at.is_(None))
    if before_id is not None:
        last = session.execute(_own(member, before_id)).first()
        if last is None:
            raise errors.NotFound(message("notice_not_found"))
        query = query.where(tuple_(Notice.told_at, Notice.id) < tuple_(last.told_at, last.id))
    rows = session.execute(query.order_by(Notice.told_at.desc(), Notice.id.desc()).limit(limit)).all()
    clips = _clips(session, member, [row[0].generation_id for row in rows if row[0].generation_id])
    return [_told(notice, name, clips) for notice, name in rows]


def mark_read(session: WriteSession, member: Member, notice_id: str, *, is_read: bool = True) -> Told:
    """Note that a notice was read, or is to be read once more; NotFound for one that is not theirs."""
    row = session.execute(_own(member, notice_id)).first()
    if row is None:
        raise errors.NotFound(message("notice_not_found"))
    wanted: datetime | None = (row.read_at or utc_now()) if is_read else None
    update_where(session, Notice, Notice.id == notice_id, read_at=wanted)
    return _one(session, member, notice_id)


def mark_all_read(session: WriteSession, member: Member) -> int:
    """Note that all of a person's notices were read; how many were not."""
    mine = select(Notice.id).where(reached_by(member), *_SHOWN, Notice.read_at.is_(None))
    return update_where(session, Notice, Notice.id.in_(mine), read_at=utc_now())


def are_unread(session: Reader, member: Member, clips: Sequence[Generation]) -> bool:
    """Whether a person has not read that some of these clips are done."""
    return session.execute(select(exists().where(*_done(member, clips)))).scalar_one()


def mark_told(session: WriteSession, member: Member, clips: Sequence[Generation]) -> int:
    """Note that a person was told by what they look at that these clips are done; how many notices that has read.

    What failed, and what is sent by mail and the like, stays as it is. That all clips of a press are done is told
    with the last of them.
    """
    return update_where(session, Notice, *_done(member, clips), read_at=utc_now())


def _done(member: Member, clips: Sequence[Generation]) -> list[ColumnElement[bool]]:
    keys = {f"press:{clip.batch_id}" if clip.batch_id else f"clip:{clip.id}" for clip in clips}
    return [
        Notice.user_id == member.id,
        Notice.group_key.in_(keys),
        Notice.kind == NoticeKind.CLIPS_DONE,
        Notice.read_at.is_(None),
        Notice.told_at.is_not(None),
        Notice.in_inbox.expression,
    ]


def prune(session: WriteSession, *, days: int, limit: int = 1000) -> None:
    """Remove notices that are older than so many days, read or not, and what was sent of them; a batch at a time."""
    old = select(Notice.id).where(*_is_old(days)).limit(limit)
    session.execute(delete(Notice).where(Notice.id.in_(old)).execution_options(synchronize_session=False))
    digests = select(NoticeSend.id).where(
        NoticeSend.notice_id.is_(None), NoticeSend.created_at < utc_now() - timedelta(days=days)
    )
    session.execute(
        delete(NoticeSend).where(NoticeSend.id.in_(digests.limit(limit))).execution_options(synchronize_session=False)
    )


def old(session: ReadSession, *, days: int) -> int:
    """How many notices `prune` would remove if it came to its end."""
    return session.scalar(select(func.count()).select_from(Notice).where(*_is_old(days))) or 0


def _is_old(days: int) -> tuple[ColumnElement[bool], ...]:
    now = utc_now()
    is_over = or_(Notice.kind != NoticeKind.MODEL_ENDS, Notice.created_at < now - WOULD_BE_TOLD_AGAIN)
    return Notice.created_at < now - timedelta(days=days), is_over


def reached_by(member: Member) -> ColumnElement[bool]:
    """Notices of this person that are in their reach: with a token of one workspace, those of it alone."""
    here = Notice.workspace_id == member.workspace_id if member.is_confined else true()
    return and_(Notice.user_id == member.id, here, may_be_told())


def _readable(member: Member) -> Select[Notice, str]:
    return (
        select(Notice, Workspace.name)
        .outerjoin(Workspace, Workspace.id == Notice.workspace_id)
        .where(reached_by(member), *_SHOWN)
    )


def _own(member: Member, notice_id: str) -> Select[str, datetime | None, datetime | None]:
    return select(Notice.id, Notice.told_at, Notice.read_at).where(Notice.id == notice_id, reached_by(member), *_SHOWN)


def _one(session: ReadSession, member: Member, notice_id: str) -> Told:
    query = _readable(member).where(Notice.id == notice_id).execution_options(populate_existing=True)
    notice, name = session.execute(query).one()
    return _told(notice, name, _clips(session, member, [notice.generation_id] if notice.generation_id else []))


def _clips(session: ReadSession, member: Member, ids: Sequence[str]) -> Mapping[str, tuple[str, str]]:
    """Those of these clips that are still there for this person: prompt and present project."""
    if not ids:
        return {}
    query = select(Generation.id, Generation.prompt, Generation.project_id).where(
        Generation.id.in_(ids), visible_to(Generation, member), Generation.deleted_at.is_(None)
    )
    return {row.id: (row.prompt, row.project_id) for row in session.execute(query)}


def _told(notice: Notice, workspace_name: str | None, clips: Mapping[str, tuple[str, str]]) -> Told:
    assert notice.title is not None and notice.told_at is not None  # noqa: S101, PT018 -- a constraint of the table
    clip = clips.get(notice.generation_id or "")
    return Told(
        id=notice.id,
        kind=notice.kind,
        title=notice.title,
        body=notice.body,
        told_at=notice.told_at,
        read_at=notice.read_at,
        audience=notice.audience,
        workspace_id=notice.workspace_id,
        workspace_name=workspace_name,
        project_id=clip[1] if clip else None,
        generation_id=notice.generation_id if clip else None,
        clip_count=notice.clip_count,
        prompt=clip[0] if clip else None,
    )

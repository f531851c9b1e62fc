"""Writes down that somebody is told of something, and by which ways: in the transaction of its cause, once a person.

A cause that is undone tells nobody, and one that is written down is told, whatever dies afterwards. Nothing is sent
from here.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select, update

from core import db
from core.db import ReadSession
from core.db.enums import NoticeAudience, NoticeKind, NoticeWay, Role, SendState, WorkspaceRole
from core.db.tables import Notice, NoticeSend, User, WayToTell, WorkspaceMember, table_of
from core.db.types import insert as insert_or
from core.ids import new_id
from core.messages import Message

GATHER = timedelta(seconds=60)
"""How long a message about several things waits for more of them."""

KEY_LIMIT_CHARS = 150


@dataclass(frozen=True, slots=True)
class News:
    """What is told; `group_key` names its cause, of which each person is told once.

    `workspace_id` is whose people may be told, None for what is about the person or the installation itself.
    """

    kind: NoticeKind
    group_key: str
    title: Message
    body: Message | None = None
    workspace_id: str | None = None
    audience: NoticeAudience = NoticeAudience.MEMBER
    generation_id: str | None = None
    project_id: str | None = None
    clip_count: int = 0


def tell(session: ReadSession, user_ids: Collection[str], news: News) -> None:
    """Tell these people, each once, however often it is said."""
    for user_id in sorted(set(user_ids)):
        ways = ways_of(session, user_id)
        notice_id = _write(session, user_id, news, ways)
        if notice_id is not None:
            send(session, notice_id, news.kind, ways)


def gather(session: ReadSession, user_ids: Collection[str], news: News) -> None:
    """Tell these people of the newest of several things that belong together: one message, a while after the first.

    In the inbox it is one notice that always says the newest, and is new again with each.
    """
    for user_id in sorted(set(user_ids)):
        ways = ways_of(session, user_id)
        notice_id = _write(session, user_id, news, ways)
        if notice_id is not None:
            send(session, notice_id, news.kind, ways, later=GATHER)
            continue
        renewed = {"title": news.title, "body": news.body, "clip_count": news.clip_count, "read_at": None}
        session.execute(
            update(table_of(Notice))
            .where(_NOTICES.c.user_id == user_id, _NOTICES.c.group_key == news.group_key)
            .values(told_at=db.now(session), **renewed)
        )


def send(
    session: ReadSession,
    notice_id: str,
    kind: NoticeKind,
    ways: Sequence[WayToTell],
    *,
    later: timedelta = timedelta(),
) -> None:
    """Let a notice go out by each of these ways that its kind is not muted for; by a digest where that is wished."""
    now = db.now(session)
    wanted = [way for way in ways if way.way is not NoticeWay.INBOX and kind not in way.muted]
    rows = [_sending(way, notice_id, now + later) for way in wanted]
    if rows:
        session.execute(insert(table_of(NoticeSend)), rows)


def ways_of(session: ReadSession, user_id: str) -> Sequence[WayToTell]:
    """The ways that are on for somebody."""
    return session.scalars(select(WayToTell).where(WayToTell.user_id == user_id, WayToTell.is_on)).all()


def is_in_inbox(kind: NoticeKind, ways: Sequence[WayToTell]) -> bool:
    """Whether somebody with these ways wants to see a kind in the inbox."""
    return not any(way.way is NoticeWay.INBOX and kind in way.muted for way in ways)


def managers(session: ReadSession, workspace_id: str) -> Sequence[str]:
    """Who manages a workspace and is active."""
    query = (
        select(WorkspaceMember.user_id)
        .join(User, User.id == WorkspaceMember.user_id)
        .where(
            WorkspaceMember.workspace_id == workspace_id,
            WorkspaceMember.role == WorkspaceRole.MANAGER,
            User.deactivated_at.is_(None),
        )
    )
    return session.scalars(query).all()


def operators(session: ReadSession) -> Sequence[str]:
    """The administrators of the installation who are active."""
    return session.scalars(select(User.id).where(User.role == Role.ADMIN, User.deactivated_at.is_(None))).all()


def _write(session: ReadSession, user_id: str, news: News, ways: Sequence[WayToTell]) -> str | None:
    """The id of a new notice; None where its person was told of this cause before."""
    values = {
        "id": new_id(),
        "user_id": user_id,
        "workspace_id": news.workspace_id,
        "audience": news.audience,
        "kind": news.kind,
        "group_key": news.group_key,
        "title": news.title,
        "body": news.body,
        "generation_id": news.generation_id,
        "project_id": news.project_id,
        "clip_count": news.clip_count,
        "in_inbox": is_in_inbox(news.kind, ways),
        "told_at": db.now(session),
    }
    once = insert_or(session, Notice).values(values).on_conflict_do_nothing(index_elements=["user_id", "group_key"])
    return session.scalar(once.returning(Notice.id))


def _sending(way: WayToTell, notice_id: str, due_at: datetime) -> dict[str, object]:
    is_held = way.digest_at is not None
    return {
        "id": new_id(),
        "way_id": way.id,
        "notice_id": notice_id,
        "state": SendState.HELD if is_held else SendState.DUE,
        "next_at": None if is_held else due_at,
    }


_NOTICES = table_of(Notice)

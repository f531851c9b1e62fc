"""Tells people of orders that wait for approval: who may decide, then who made them; one message for a press.

Called in the transaction of the cause. No prompt is in what is told.
"""

from sqlalchemy import func, select, update

from core import db
from core.db import ReadSession
from core.db.enums import Decision, NoticeAudience, NoticeKind, Stage, Status
from core.db.tables import Approval, Generation, Notice, Project, User, Workspace, table_of
from core.messages import Message, message
from core.notices import outbox
from core.notices.outbox import News


def asked(session: ReadSession, row: Generation, *, clips: int, credits: int, days: int) -> None:
    """Tell the managers but its maker that a press waits, of which this is the first order.

    Where there is nobody else, the administrators of the installation are told, and nothing of what is in it.
    """
    maker = session.get_one(User, row.user_id)
    key, name = f"approval:{row.id}", maker.name or maker.email
    body = message("notice_approval_asked_by", name=name, credits=credits, days=days)
    inside = set(outbox.managers(session, row.workspace_id)) - {row.user_id}
    if inside:
        place = {"project": _project(session, row)}
        title = message("notice_approval_one_asked", **place)
        if clips > 1:
            title = message("notice_approval_asked", clips=clips, **place)
        news = News(
            NoticeKind.APPROVAL_ASKED,
            key,
            title,
            body,
            workspace_id=row.workspace_id,
            project_id=row.project_id,
            clip_count=clips,
        )
        outbox.tell(session, inside, news)
        return
    workspace = session.scalar(select(Workspace.name).where(Workspace.id == row.workspace_id)) or ""
    title = message("notice_approval_one_elsewhere", workspace=workspace)
    if clips > 1:
        title = message("notice_approval_elsewhere", clips=clips, workspace=workspace)
    for_operators = News(
        NoticeKind.APPROVAL_ASKED, key, title, body, audience=NoticeAudience.OPERATOR, clip_count=clips
    )
    outbox.tell(session, set(outbox.operators(session)) - {row.user_id}, for_operators)


def decided(
    session: ReadSession, row: Generation, press_id: str, decision: Decision, *, name: str = "", note: str = ""
) -> None:
    """Tell its maker what became of orders of a press, of which this is one: the newest answer of each kind.

    Who was asked is asked no longer once nothing of the press waits.
    """
    end_asking(session, row.workspace_id, press_id)
    clips = session.scalar(select(func.count()).where(Approval.press_id == press_id, Approval.decision == decision))
    place = {"project": _project(session, row)}
    word = f"notice_{decision}"
    title = message(f"{word}_one", **place) if clips == 1 else message(word, clips=clips or 0, **place)
    news = News(
        NoticeKind.APPROVAL_DECIDED,
        f"{decision}:{press_id}",
        title,
        _body(decision, name, note),
        workspace_id=row.workspace_id,
        generation_id=row.id,
        project_id=row.project_id,
        clip_count=clips or 0,
    )
    outbox.gather(session, [row.user_id], news)


def end_asking(session: ReadSession, workspace_id: str, press_id: str) -> None:
    """Ask nobody any longer for a press of which nothing waits any more: their notice of it counts as read."""
    if _still_waits(session, press_id):
        return
    asked_ids = {*outbox.managers(session, workspace_id), *outbox.operators(session)}
    session.execute(
        update(_NOTICES)
        .where(
            _NOTICES.c.user_id.in_(sorted(asked_ids)),
            _NOTICES.c.group_key == f"approval:{press_id}",
            _NOTICES.c.read_at.is_(None),
        )
        .values(read_at=db.now(session))
    )


def _body(decision: Decision, name: str, note: str) -> Message:
    if decision is Decision.LAPSED:
        return message("notice_lapsed_meaning")
    return message("notice_decided_with", name=name, note=note) if note else message("notice_decided_by", name=name)


def _still_waits(session: ReadSession, press_id: str) -> bool:
    waiting = (
        select(Approval.generation_id)
        .join(Generation, Generation.id == Approval.generation_id)
        .where(
            Approval.press_id == press_id,
            Approval.decision.is_(None),
            Generation.status == Status.PENDING,
            Generation.stage == Stage.AWAITING_APPROVAL,
        )
    )
    return session.scalar(select(waiting.exists())) is True


def _project(session: ReadSession, row: Generation) -> str:
    return session.scalar(select(Project.name).where(Project.id == row.project_id)) or ""


_NOTICES = table_of(Notice)

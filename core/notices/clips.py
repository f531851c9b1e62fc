"""Tells who ordered clips that they have ended: one notice for all that was ordered with one press.

Called at the end of the move that ends a clip, in its transaction and after its money, whose lock puts the ends of one
workspace in order.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Exists, exists, func, select, update

from core import db
from core.db import ReadSession
from core.db.enums import NoticeAudience, NoticeKind, Status
from core.db.tables import Generation, GenerationEvent, Notice, Project, Workspace, table_of
from core.db.types import insert as insert_or
from core.ids import new_id
from core.messages import Message, message
from core.notices import outbox
from core.notices.outbox import News


@dataclass(frozen=True, slots=True)
class Clip:
    """What is needed of a clip to tell of it; `was_unclear` as it stood before the move."""

    id: str
    workspace_id: str
    user_id: str
    project_id: str
    batch_id: str | None
    model_name: str
    credits: int
    was_unclear: bool

    @classmethod
    def of(cls, row: Generation) -> "Clip":
        """Taken before its move."""
        return cls(
            row.id,
            row.workspace_id,
            row.user_id,
            row.project_id,
            row.batch_id,
            row.model_name,
            row.credits,
            row.status is Status.UNCERTAIN,
        )


@dataclass(frozen=True, slots=True)
class _Standing:
    """How many clips of a press stand how, and the credits that came back for those that failed."""

    done: int
    failed: int
    unclear: int
    returned_credits: int
    first_done_id: str | None

    @property
    def told(self) -> int:
        """Of how many there is something to tell; what its person cancelled they know."""
        return self.done + self.failed + self.unclear


def ended(session: ReadSession, clip: Clip, status: Status, *, reason: Message | None = None) -> None:
    """A clip has come to its end: `status` is completed, failed or cancelled, `reason` says why it failed."""
    if clip.batch_id is None:
        if status is not Status.CANCELLED:
            outbox.tell(session, [clip.user_id], _of_one(session, clip, status, reason))
    elif clip.was_unclear or _was_ever_unclear(session, clip.id):
        if status is not Status.CANCELLED:
            _tell_of_late(session, clip, clip.batch_id)
    else:
        _count_down(session, clip, clip.batch_id)


def became_unclear(session: ReadSession, clip: Clip) -> None:
    """Nobody can know what became of a clip: its maker is told, who manages its workspace, and all administrators.

    Those of one press are one notice.
    """
    if clip.batch_id is not None and not _was_unclear_before(session, clip):
        _count_down(session, clip, clip.batch_id)
    number = 1 if clip.batch_id is None else max(1, _standing(session, clip.batch_id).unclear)
    where = _place(session, clip)
    title = message("notice_clip_unclear", **where)
    if number > 1:
        title = message("notice_clips_unclear", clips=number, **where)
    own = News(
        NoticeKind.CLIP_UNCLEAR,
        f"unclear:{clip.batch_id or clip.id}",
        title,
        message("notice_unclear_meaning"),
        workspace_id=clip.workspace_id,
        generation_id=clip.id,
        project_id=clip.project_id,
        clip_count=number,
    )
    inside = {clip.user_id, *outbox.managers(session, clip.workspace_id)}
    outbox.gather(session, inside, own)
    outside = set(outbox.operators(session)) - inside
    if outside:
        outbox.gather(session, outside, _for_operators(session, clip, number))


def _for_operators(session: ReadSession, clip: Clip, number: int) -> News:
    """What administrators are told: whose it is, and nothing of what is in it."""
    workspace = session.scalar(select(Workspace.name).where(Workspace.id == clip.workspace_id)) or ""
    return News(
        NoticeKind.CLIP_UNCLEAR,
        f"unclear:{clip.batch_id or clip.id}",
        message("notice_clips_to_decide", clips=number, workspace=workspace),
        message("notice_decide_meaning"),
        audience=NoticeAudience.OPERATOR,
        clip_count=number,
    )


def _of_one(session: ReadSession, clip: Clip, status: Status, reason: Message | None) -> News:
    where = _place(session, clip)
    if status is Status.COMPLETED:
        kind, title, body = NoticeKind.CLIPS_DONE, message("notice_clip_done", **where), None
    else:
        kind, title = NoticeKind.CLIPS_FAILED, message("notice_clip_failed", **where)
        body = message("notice_clip_returned", credits=clip.credits, reason=reason or message("status_failed"))
    return News(
        kind,
        f"clip:{clip.id}",
        title,
        body,
        workspace_id=clip.workspace_id,
        generation_id=clip.id,
        project_id=clip.project_id,
        clip_count=1,
    )


def _tell_of_late(session: ReadSession, clip: Clip, batch_id: str) -> None:
    """Clips of a press that were unclear when the rest of it was told."""
    news = News(
        NoticeKind.CLIPS_DONE,
        f"late:{batch_id}",
        message("notice_clips_late", project=_project(session, clip)),
        workspace_id=clip.workspace_id,
        generation_id=clip.id,
        project_id=clip.project_id,
        clip_count=1,
    )
    outbox.gather(session, [clip.user_id], news)


def _count_down(session: ReadSession, clip: Clip, batch_id: str) -> None:
    """Take a clip off those of its press that are still under way; with the last one its person is told of all."""
    left = _decrease(session, clip, batch_id)
    if left is None:
        left = _begin(session, clip, batch_id)
        if left is None:  # somebody else's end has begun it in the meantime
            left = _decrease(session, clip, batch_id)
    if left == 0:
        _tell_of_press(session, clip, batch_id)


def _decrease(session: ReadSession, clip: Clip, batch_id: str) -> int | None:
    """How many are left; None where there is no notice of the press, or it was told."""
    left: int | None = session.scalar(
        update(_NOTICES)
        .where(
            _NOTICES.c.user_id == clip.user_id,
            _NOTICES.c.group_key == f"press:{batch_id}",
            _NOTICES.c.told_at.is_(None),
            _NOTICES.c.pending_count > 0,
        )
        .values(pending_count=_NOTICES.c.pending_count - 1)
        .returning(_NOTICES.c.pending_count)
    )
    return left


def _begin(session: ReadSession, clip: Clip, batch_id: str) -> int | None:
    """Write the notice of a press down, with how many of it are under way besides; None if it is there by now.

    Whose end is not committed yet counts as under way, and takes itself off when it finds this notice.
    """
    left = session.scalar(
        select(func.count())
        .select_from(Generation)
        .where(
            Generation.batch_id == batch_id,
            Generation.id != clip.id,
            Generation.status.in_((Status.PENDING, Status.PROCESSING)),
            ~_unclear_event(Generation.id).correlate(Generation),
        )
    )
    begun = insert_or(session, Notice).values(
        id=new_id(),
        user_id=clip.user_id,
        workspace_id=clip.workspace_id,
        audience=NoticeAudience.MEMBER,
        kind=NoticeKind.CLIPS_DONE,
        group_key=f"press:{batch_id}",
        pending_count=left,
        project_id=clip.project_id,
    )
    once = begun.on_conflict_do_nothing(index_elements=["user_id", "group_key"]).returning(Notice.pending_count)
    return session.scalar(once)


def _tell_of_press(session: ReadSession, clip: Clip, batch_id: str) -> None:
    standing = _standing(session, batch_id)
    found = _NOTICES.c.user_id == clip.user_id, _NOTICES.c.group_key == f"press:{batch_id}"
    if standing.done + standing.failed == 0:  # cancelled, which its person did, or unclear, which they were told
        session.execute(update(_NOTICES).where(*found).values(pending_count=0, in_inbox=False))
        return
    kind = NoticeKind.CLIPS_FAILED if standing.failed else NoticeKind.CLIPS_DONE
    ways = outbox.ways_of(session, clip.user_id)
    notice_id = session.scalar(
        update(_NOTICES)
        .where(*found, _NOTICES.c.told_at.is_(None))
        .values(
            kind=kind,
            title=_title(session, clip, standing),
            body=_body(standing),
            generation_id=standing.first_done_id or clip.id,
            clip_count=standing.told,
            in_inbox=outbox.is_in_inbox(kind, ways),
            told_at=db.now(session),
        )
        .returning(_NOTICES.c.id)
    )
    if notice_id is not None:
        outbox.send(session, notice_id, kind, ways)


def _title(session: ReadSession, clip: Clip, standing: _Standing) -> Message:
    place = {"project": _project(session, clip)}
    if standing.told == 1:
        return message("notice_clip_done" if standing.done else "notice_clip_failed", model=clip.model_name, **place)
    if standing.done == standing.told:
        return message("notice_clips_done", clips=standing.done, **place)
    if standing.failed == standing.told:
        return message("notice_clips_failed", clips=standing.failed, **place)
    return message("notice_clips_mixed", done=standing.done, total=standing.told, **place)


def _body(standing: _Standing) -> Message | None:
    parts = []
    if standing.failed:
        parts.append(message("notice_some_failed", failed=standing.failed, credits=standing.returned_credits))
    if standing.unclear:
        parts.append(message("notice_some_unclear", unclear=standing.unclear))
    return message("notice_parts", parts=tuple(parts)) if parts else None


def _standing(session: ReadSession, batch_id: str) -> _Standing:
    """As it is now, with what this transaction has changed."""
    by_status = {
        row.status: row
        for row in session.execute(
            select(
                Generation.status,
                func.count().label("number"),
                func.sum(Generation.credits).label("credits"),
                func.min(Generation.id).label("first_id"),
            )
            .where(Generation.batch_id == batch_id)
            .group_by(Generation.status)
        )
    }

    def number(status: Status) -> int:
        return by_status[status].number if status in by_status else 0

    failed, done = by_status.get(Status.FAILED), by_status.get(Status.COMPLETED)
    return _Standing(
        done=number(Status.COMPLETED),
        failed=number(Status.FAILED),
        unclear=number(Status.UNCERTAIN),
        returned_credits=int(failed.credits) if failed else 0,
        first_done_id=done.first_id if done else None,
    )


def _was_unclear_before(session: ReadSession, clip: Clip) -> bool:
    """Whether it was so before the move that has just made it so, which has written its own event."""
    number = session.scalar(
        select(func.count())
        .select_from(GenerationEvent)
        .where(GenerationEvent.generation_id == clip.id, GenerationEvent.status == Status.UNCERTAIN)
    )
    return (number or 0) > 1


def _was_ever_unclear(session: ReadSession, generation_id: str) -> bool:
    return bool(session.scalar(select(_unclear_event(generation_id))))


def _unclear_event(generation_id: Any) -> Exists:
    return exists().where(GenerationEvent.generation_id == generation_id, GenerationEvent.status == Status.UNCERTAIN)


def _place(session: ReadSession, clip: Clip) -> dict[str, str]:
    return {"model": clip.model_name, "project": _project(session, clip)}


def _project(session: ReadSession, clip: Clip) -> str:
    return session.scalar(select(Project.name).where(Project.id == clip.project_id)) or ""


_NOTICES = table_of(Notice)

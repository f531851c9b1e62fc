"""How the clips of an ordered table go, and stopping those that nobody has begun."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, select

from core import db
from core.db import Reader, ReadSession
from core.db.enums import Stage, Status
from core.db.tables import Generation, Sheet, SheetClip
from core.generations import approval_requests, lifecycle
from core.generations.sheets import kept
from core.messages import Message
from core.workspaces.access import Member
from core.workspaces.permissions import Action

CANCELLED_AT_ONCE = 25
"""So many in one transaction, which others wait for."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How many clips are in each status; of those that went to another workspace with their project nothing is told."""

    counts: Mapping[Status, int]
    charged_credits: int
    held_credits: int
    moved_count: int

    @property
    def clip_count(self) -> int:
        """All that were ordered."""
        return sum(self.counts.values()) + self.moved_count

    @property
    def ended_count(self) -> int:
        """Those that nothing moves any more."""
        ended = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)
        return self.moved_count + sum(self.counts.get(status, 0) for status in ended)


class SheetClipRow(NamedTuple):
    """A clip of a line; `is_here` is whether it is in the workspace of the table and was not deleted."""

    place: int
    take: int
    id: str
    status: Status
    stage: Stage
    progress: float
    credits: int
    error_code: str | None
    error: Message | None
    error_message: str | None
    is_here: bool


def standing(session: Reader, sheet: Sheet) -> Standing:
    """The counts of a table that was ordered; one statement, whatever else there is."""
    rows = session.execute(
        select(Generation.status, _stays(sheet), func.count(), func.sum(Generation.credits))
        .join(SheetClip, SheetClip.generation_id == Generation.id)
        .where(SheetClip.sheet_id == sheet.id)
        .group_by(Generation.status, _stays(sheet))
    ).all()
    here = {status: (number, int(credits)) for status, stays, number, credits in rows if stays}
    live = (Status.PENDING, Status.PROCESSING, Status.UNCERTAIN)
    return Standing(
        {status: number for status, (number, _credits) in here.items()},
        here.get(Status.COMPLETED, (0, 0))[1],
        sum(here.get(status, (0, 0))[1] for status in live),
        sum(number for _status, stays, number, _credits in rows if not stays),
    )


def clips(session: Reader, sheet: Sheet) -> Sequence[SheetClipRow]:
    """The clips of a table in the order of its lines."""
    is_here = and_(_stays(sheet), Generation.deleted_at.is_(None))
    rows = session.execute(
        select(
            SheetClip.place,
            SheetClip.take,
            Generation.id,
            Generation.status,
            Generation.stage,
            Generation.progress,
            Generation.credits,
            Generation.error_code,
            Generation.error,
            Generation.error_message,
            is_here,
        )
        .join(Generation, Generation.id == SheetClip.generation_id)
        .where(SheetClip.sheet_id == sheet.id)
        .order_by(SheetClip.place, SheetClip.take)
    )
    return [SheetClipRow(*row) for row in rows]


def cancel_pending(member: Member, sheet_id: str) -> int:
    """Cancel what nobody has begun, which is free, some at a time; how many were cancelled.

    NotFound, Forbidden. A process that dies in between has cancelled some, and the next call goes on.
    """
    with db.read_session() as session:
        sheet = kept.get(session, member, sheet_id)
        member.require(Action.ORDER, sheet.workspace_id)
        ids = _pending(session, sheet)
    cancelled = 0
    for begin in range(0, len(ids), CANCELLED_AT_ONCE):
        with db.write_session() as session:
            for generation_id in ids[begin : begin + CANCELLED_AT_ONCE]:
                row = lifecycle.locked(session, generation_id)
                if row is not None and row.status is Status.PENDING and row.workspace_id == sheet.workspace_id:
                    cancelled += approval_requests.withdraw(session, row, actor=member.email)
    return cancelled


def _pending(session: ReadSession, sheet: Sheet) -> Sequence[str]:
    """The last first: the dispatcher takes them from the other end."""
    query = (
        select(Generation.id)
        .join(SheetClip, SheetClip.generation_id == Generation.id)
        .where(SheetClip.sheet_id == sheet.id, _stays(sheet), Generation.status == Status.PENDING)
        .order_by(Generation.id.desc())
    )
    return session.scalars(query).all()


def _stays(sheet: Sheet) -> ColumnElement[bool]:
    return Generation.workspace_id == sheet.workspace_id

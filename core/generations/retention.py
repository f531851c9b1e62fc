"""Lets clips go that nobody kept: their people are told a week before, then they are in the trash, then they are gone.

Each batch is one transaction that takes rows nobody else has just now, so it may be killed anywhere and any number of
processes may do it. What a clip cost, and every figure of usage, stays. Kept clips and favourites never go.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from sqlalchemy import ColumnElement, Select, bindparam, false, func, literal_column, or_, select, update

from core import audit_log, db
from core.audit_log import Act
from core.config import Settings
from core.db import ReadSession, WriteSession, update_where
from core.db.enums import NoticeKind
from core.db.tables import Generation, Project, User, Workspace, WorkspaceMember, table_of
from core.messages import message
from core.notices import outbox
from core.notices.outbox import News

TOLD_BEFORE = timedelta(days=7)
BATCH = 200


class Rule(StrEnum):
    """Why a clip goes: the state of its review."""

    REJECTED = "rejected"
    UNDECIDED = "undecided"

    @property
    def verdict(self) -> ColumnElement[bool]:
        """Clips in this state."""
        return Generation.kept.is_(False) if self is Rule.REJECTED else Generation.kept.is_(None)

    def is_of(self, row: Generation) -> bool:
        """Whether this clip is in this state."""
        return row.kept is (False if self is Rule.REJECTED else None)


@dataclass(frozen=True, slots=True)
class Rules:
    """After how many days clips go, by the state of their review, and for how many they are in the trash; 0: never."""

    days: Mapping[Rule, int]
    trash_days: int

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Those of an installation."""
        days = {Rule.REJECTED: settings.rejected_clip_days, Rule.UNDECIDED: settings.undecided_clip_days}
        return cls({rule: number for rule, number in days.items() if number}, settings.trash_days)

    def applies_to(self, row: Generation) -> Rule | None:
        """By which rule this clip goes, whenever that is; None for one that stays."""
        if row.favourite:
            return None
        return next((rule for rule in self.days if rule.is_of(row)), None)


@dataclass(frozen=True, slots=True)
class Amount:
    """How many clips, and how much they keep."""

    clips: int
    size_bytes: int


def announce(session: WriteSession, rules: Rules) -> int:
    """Tell the people of a batch of clips when these go, and write that down with them; how many clips those were."""
    now = db.now(session)
    for rule in rules.days:
        rows = session.execute(
            _due(rules, rule, now + TOLD_BEFORE)
            .with_only_columns(Generation.id, Generation.workspace_id, Generation.user_id, _since())
            .order_by(Generation.ended_at, Generation.id)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        ).all()
        if rows:
            leave = {row.id: max(row.since + timedelta(days=rules.days[rule]), now + TOLD_BEFORE) for row in rows}
            session.connection().execute(_LEAVE, [{"clip": id_, "at": at} for id_, at in leave.items()])
            _tell(session, {(row.workspace_id, row.user_id, leave[row.id].date().isoformat()) for row in rows})
            return len(rows)
    return 0


_CLIPS = table_of(Generation)
_LEAVE = update(_CLIPS).where(_CLIPS.c.id == bindparam("clip")).values(leaves_at=bindparam("at"))


def put_in_trash(session: WriteSession, rules: Rules) -> int:
    """Put a batch of clips whose time has come into the trash; how many were looked at.

    One that was judged otherwise meanwhile, or is a favourite by now, stays: if it is due by another rule, its people
    are told anew.
    """
    now = db.now(session)
    due = select(Generation).where(Generation.leaves_at <= now, Generation.deleted_at.is_(None))
    rows = session.scalars(
        due.order_by(Generation.leaves_at, Generation.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    going = [row for row in rows if _goes(row, rules, now)]
    staying = {row.id for row in rows} - {row.id for row in going}
    if staying:
        update_where(session, Generation, Generation.id.in_(staying), leaves_at=None)
    if going:
        update_where(session, Generation, Generation.id.in_([row.id for row in going]), deleted_at=now)
        for project_id, number in sorted(Counter(row.project_id for row in going).items()):
            left = Project.generation_count - number
            update_where(session, Project, Project.id == project_id, generation_count=left)
        for workspace_id, number in sorted(Counter(row.workspace_id for row in going).items()):
            audit_log.record(
                session, None, Act.CLIPS_RETIRED, workspace_id=workspace_id, after={"clips": number, **_said(rules)}
            )
    return len(rows)


def plan(session: ReadSession, rules: Rules) -> Mapping[Rule, Amount]:
    """By each rule in force, how many clips have passed its days and how much they keep, told or not; changes nothing.

    Counted from all clips of the installation, for who runs it.
    """
    now = db.now(session)
    return {
        rule: _amount(session, *_passed(rules, rule, now), Generation.status == literal_column("'completed'"))
        for rule in rules.days
    }


def in_trash(session: ReadSession) -> Amount:
    """How many deleted clips still have their files, in the whole installation."""
    return _amount(session, Generation.deleted_at.is_not(None))


def _amount(session: ReadSession, *where: ColumnElement[bool]) -> Amount:
    counted = select(func.count(), func.coalesce(func.sum(Generation.stored_bytes), 0)).select_from(Generation)
    row = session.execute(counted.where(Generation.purged_at.is_(None), *where)).one()
    return Amount(int(row[0]), int(row[1]))


def _goes(row: Generation, rules: Rules, now: datetime) -> bool:
    rule = rules.applies_to(row)
    since = row.retained_since or row.ended_at
    return rule is not None and since is not None and since + timedelta(days=rules.days[rule]) <= now


def _since() -> ColumnElement[datetime]:
    return func.coalesce(Generation.retained_since, Generation.ended_at).label("since")


def _passed(rules: Rules, rule: Rule, now: datetime) -> Sequence[ColumnElement[bool]]:
    """Clips that have passed the days of a rule; the end alone is asked, too, since an index has that."""
    until = now - timedelta(days=rules.days[rule])
    late = or_(Generation.retained_since.is_(None), Generation.retained_since <= until)
    return (
        rule.verdict,
        Generation.ended_at <= until,
        late,
        Generation.favourite == false(),
        Generation.deleted_at.is_(None),
    )


def _due(rules: Rules, rule: Rule, now: datetime) -> Select[Any]:
    """Clips of a rule that nobody was told of; in the words of their index."""
    return select(Generation).where(
        Generation.status == literal_column("'completed'"),
        Generation.leaves_at.is_(None),
        *_passed(rules, rule, now),
    )


def _tell(session: WriteSession, told: set[tuple[str, str, str]]) -> None:
    """Tell each maker who is still there, else the managers: one notice a workspace and day, with its whole number."""
    for workspace_id, user_id, day in sorted(told):
        begin = datetime.fromisoformat(f"{day}T00:00:00+00:00")
        number = session.scalar(
            select(func.count()).where(
                Generation.workspace_id == workspace_id,
                Generation.user_id == user_id,
                Generation.deleted_at.is_(None),
                Generation.leaves_at >= begin,
                Generation.leaves_at < begin + timedelta(days=1),
            )
        )
        name = session.scalar(select(Workspace.name).where(Workspace.id == workspace_id)) or ""
        is_one = number == 1
        one, several = message("notice_clip_leaves_meaning"), message("notice_clips_leave_meaning")
        title = (
            message("notice_clip_leaves", day=day, workspace=name)
            if is_one
            else message("notice_clips_leave", clips=number or 0, day=day, workspace=name)
        )
        news = News(
            NoticeKind.CLIPS_LEAVE,
            f"leave:{workspace_id}:{user_id}:{day}",
            title,
            one if is_one else several,
            workspace_id=workspace_id,
            clip_count=number or 0,
        )
        is_there = session.scalar(
            select(WorkspaceMember.user_id)
            .join(User, User.id == WorkspaceMember.user_id)
            .where(
                WorkspaceMember.workspace_id == workspace_id,
                WorkspaceMember.user_id == user_id,
                User.deactivated_at.is_(None),
            )
        )
        outbox.gather(session, [user_id] if is_there else outbox.managers(session, workspace_id), news)


def _said(rules: Rules) -> Mapping[str, int]:
    return {f"{rule}_days": number for rule, number in rules.days.items()}

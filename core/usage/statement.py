"""What a movement of credits was for, as finance reads it: its clip, or the workspace at the other end."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, bindparam, case, func, select
from sqlalchemy.orm import aliased

from core import db
from core.billing import months
from core.billing.ledger import Balance
from core.db import ReadSession
from core.db.enums import EntryKind
from core.db.tables import Account, Generation, LedgerEntry, Project, User, Workspace
from core.workspaces import profiles
from core.workspaces.access import Member, all_rows_for_analyst, visible_to_bound
from core.workspaces.permissions import Action

PROMPT_CHARS = 200
"""A statement tells clips apart; the whole prompt stands with the clip."""

_AT_ONCE = 500
"""So many ids a statement: databases limit their parameters."""


_IDS: BindParameter[str] = bindparam("ids", expanding=True)
_owner = aliased(User)
_LINES = (
    select(
        Generation.id,
        Project.name,
        Generation.model_name,
        func.substr(Generation.prompt, 1, PROMPT_CHARS).label("prompt"),
        profiles.person_name(User).label("person"),
        profiles.workspace_name(Workspace).label("workspace"),
        profiles.person_name(_owner).label("owner"),
    )
    .join(Project, Project.id == Generation.charged_in_id)
    .join(User, User.id == Generation.user_id)
    .join(Workspace, Workspace.id == Project.workspace_id)
    .join(_owner, _owner.id == Project.user_id)
    .where(visible_to_bound(Generation), Generation.id.in_(_IDS))
)


@dataclass(frozen=True, slots=True)
class ClipLine:
    """A clip in a statement; the project is the one that it is charged in, the prompt its first `PROMPT_CHARS`.

    `person` has made it; `workspace` and `owner` are the project's, and tell it from others of its name.
    """

    project: str
    model: str
    prompt: str
    person: str
    workspace: str
    owner: str


def clip_lines(session: ReadSession, member: Member, generation_ids: Iterable[str | None]) -> Mapping[str, ClipLine]:
    """Generation id -> its line; ids that the person does not see are left out, and so is None."""
    wanted = list(dict.fromkeys(filter(None, generation_ids)))
    found = {}
    for place in range(0, len(wanted), _AT_ONCE):
        some = {"workspace_ids": member.workspace_ids, "ids": wanted[place : place + _AT_ONCE]}
        for row in session.execute(_LINES, some):
            found[row.id] = ClipLine(row.name, row.model_name, row.prompt, row.person, row.workspace, row.owner)
    return found


def of_period(
    member: Member, month: str | None = None, *, newest: int | None = None
) -> Iterator[tuple[LedgerEntry, ClipLine | None]]:
    """Every movement of the present workspace, of one month or of all, oldest first, with what is said of its clip.

    With `newest` it is so many of them at most. They are read some hundred at a time, each with a session of its own,
    so that neither memory nor a transaction holds all. Raises InvalidRequest for what is no month.
    """
    member.require(Action.SEE)
    return _in_parts(member, _period(member.workspace_id, month), newest)


def _in_parts(
    member: Member, period: Sequence[ColumnElement[bool]], newest: int | None
) -> Iterator[tuple[LedgerEntry, ClipLine | None]]:
    with db.read_session() as session:
        last_id = session.scalar(select(func.max(LedgerEntry.id)).where(*period)) or 0
        after_id = (session.scalar(select(func.min(LedgerEntry.id)).where(*period)) or 0) - 1
        if newest is not None:
            left_out = select(LedgerEntry.id).where(*period).order_by(LedgerEntry.id.desc()).offset(newest).limit(1)
            after_id = max(after_id, session.scalar(left_out) or 0)
    while after_id < last_id:
        some = (LedgerEntry.id > after_id, LedgerEntry.id <= last_id)
        with db.read_session() as session:
            rows = session.scalars(
                select(LedgerEntry).where(*period, *some).order_by(LedgerEntry.id).limit(_AT_ONCE)
            ).all()
            clips = clip_lines(session, member, (row.generation_id for row in rows))
        yield from ((row, clips.get(row.generation_id or "")) for row in rows)
        after_id = rows[-1].id if rows else last_id


def _period(workspace_id: str, month: str | None) -> Sequence[ColumnElement[bool]]:
    account = select(Account.id).where(Account.workspace_id == workspace_id).scalar_subquery()
    if month is None:
        return [LedgerEntry.account_id == account]
    begin, end = months.bounds(month)
    return [LedgerEntry.account_id == account, LedgerEntry.created_at >= begin, LedgerEntry.created_at < end]


@dataclass(frozen=True, slots=True)
class Period:
    """A workspace's balance before a month and after it (available, then reserved), and what came and went in it."""

    opening: Balance
    closing: Balance
    credited: int
    charged: int


def period(session: ReadSession, member: Member, month: str) -> Period:
    """The figures of a month of the present workspace; of one in which nothing moved, too."""
    member.require(Action.SEE)
    begin, end = months.bounds(month)
    credited, charged = (
        func.coalesce(func.sum(case((LedgerEntry.kind.in_(kinds), LedgerEntry.amount_credits), else_=0)), 0)
        for kinds in ((EntryKind.GRANT, EntryKind.ADJUST, EntryKind.TRANSFER), (EntryKind.SETTLE,))
    )
    moved = session.execute(select(credited, charged).where(*_period(member.workspace_id, month))).one()
    opening, closing = (_balance_before(session, member.workspace_id, moment) for moment in (begin, end))
    return Period(opening, closing, int(moved[0]), int(moved[1]))


def known_months(session: ReadSession, member: Member, *, now: datetime) -> list[str]:
    """The months from the first movement of the present workspace to now, newest first.

    For who sees all figures they begin with the first movement of any workspace: the charge-back sheet is of all.
    """
    sees_all = member.may(Action.SEE_ALL_USAGE)
    whose = [all_rows_for_analyst(member)] if sees_all else _period(member.workspace_id, None)
    first = session.scalar(select(func.min(LedgerEntry.created_at)).where(*whose))
    return [] if first is None else list(months.between(months.of(first), months.of(now)))[::-1]


def _balance_before(session: ReadSession, workspace_id: str, moment: datetime) -> Balance:
    row = session.execute(
        select(LedgerEntry.available_after, LedgerEntry.held_after)
        .where(*_period(workspace_id, None), LedgerEntry.created_at < moment)
        .order_by(LedgerEntry.id.desc())
        .limit(1)
    ).first()
    return Balance(*row) if row else Balance(0, 0)


_OTHER_SIDES = (
    select(LedgerEntry.key, profiles.workspace_name(Workspace))
    .join(Account, Account.id == LedgerEntry.account_id)
    .join(Workspace, Workspace.id == Account.workspace_id)
)


def other_sides(session: ReadSession, entries: Sequence[LedgerEntry]) -> Mapping[int, str]:
    """Id of a transfer's entry -> the workspace that its credits came from or went to; other entries have none."""
    keys = {entry.id: _other_key(entry.key) for entry in entries if entry.kind is EntryKind.TRANSFER}
    names: dict[str, str] = {}
    wanted = list(keys.values())
    for place in range(0, len(wanted), _AT_ONCE):
        rows = session.execute(_OTHER_SIDES.where(LedgerEntry.key.in_(wanted[place : place + _AT_ONCE])))
        names.update((key, name) for key, name in rows)
    return {entry_id: names[key] for entry_id, key in keys.items() if key in names}


def _other_key(key: str) -> str:
    """The two rows of a transfer are `…:out` and `…:in`."""
    stem, _, side = key.rpartition(":")
    return f"{stem}:{'in' if side == 'out' else 'out'}"

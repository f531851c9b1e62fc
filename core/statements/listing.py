"""Lists statements, what was found in them, and their lines; for analysts and administrators."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from core import db, errors
from core.db import ReadSession
from core.db.enums import LineOutcome
from core.db.tables import CostAdjustment, Generation, StatementLine, VendorStatement
from core.messages import Message, message, plain
from core.workspaces.access import Member
from core.workspaces.permissions import Action

PAGE_LINES = 200
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Found:
    """How many lines are of one outcome, and their money in rupiah: theirs, ours, and what is not accepted of it.

    `gone` lines were accepted and are not in the newest file any more; they are in no other figure.
    """

    lines: int = 0
    amount_idr: int = 0
    cost_idr: int = 0
    open_lines: int = 0
    open_idr: int = 0
    accepted_lines: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """What was found in a statement; `booked_idr` is what its acceptances come to, `gone` what the file lacks now."""

    statement: VendorStatement
    found: Mapping[LineOutcome, Found]
    gone: Found
    booked_idr: int

    @property
    def amount_idr(self) -> int:
        """What the vendor asks."""
        return sum(one.amount_idr for one in self.found.values())

    @property
    def open_lines(self) -> int:
        """How many differences nobody has accepted."""
        return sum(one.open_lines for one in self.found.values())

    @property
    def accepted_lines(self) -> int:
        """How many lines are in the costs, those that the newest file lacks, too."""
        return self.gone.lines + sum(one.accepted_lines for one in self.found.values())


@dataclass(frozen=True, slots=True)
class Line:
    """A line with what tells it to people: the clip's model, workspace and end, as far as there is one.

    `workspace_id` is where the clip is; who is not in it sees no more of it than that.
    """

    row: StatementLine
    workspace_id: str | None
    clip_model: str | None
    ended_at: datetime | None

    @property
    def is_accepted(self) -> bool:
        """Whether its difference is in the costs."""
        return self.row.turn % 2 == 1

    @property
    def can_be_accepted(self) -> bool:
        """Whether there is a difference that nobody has accepted."""
        return not self.is_accepted and self.row.is_present and self.row.difference_idr != 0

    @property
    def problems(self) -> Sequence[tuple[str, Message]]:
        """The heads of cells that cannot be read, and why."""
        return [(head, Message.from_json(kept) or plain(str(kept))) for head, kept in self.row.problems]


def statements(session: ReadSession, member: Member, *, provider: str | None = None) -> Sequence[VendorStatement]:
    """Every statement, the newest month first; Forbidden for others than analysts and administrators."""
    member.require(Action.SEE_ALL_USAGE)
    query = select(VendorStatement).order_by(VendorStatement.month.desc(), VendorStatement.provider)
    return session.scalars(query if provider is None else query.where(VendorStatement.provider == provider)).all()


def summary(session: ReadSession, member: Member, statement_id: str) -> Summary:
    """What was found in a statement. Forbidden, NotFound."""
    statement = get(session, member, statement_id)
    is_open = and_(StatementLine.turn % 2 == 0, StatementLine.difference_idr != 0)
    figures = (
        func.count(),
        func.coalesce(func.sum(StatementLine.amount_idr), 0),
        func.coalesce(func.sum(StatementLine.cost_idr), 0),
        func.coalesce(func.sum(case((is_open, 1), else_=0)), 0),
        func.coalesce(func.sum(case((is_open, StatementLine.difference_idr), else_=0)), 0),
        func.coalesce(func.sum(StatementLine.turn % 2), 0),
    )
    of_it = StatementLine.statement_id == statement.id
    by_outcome = select(StatementLine.outcome, *figures).where(of_it, StatementLine.is_present)
    found = {
        row[0]: Found(*(int(each) for each in row[1:]))
        for row in session.execute(by_outcome.group_by(StatementLine.outcome))
    }
    gone = session.execute(select(*figures[:3]).where(of_it, *_gone())).one()
    booked = select(func.coalesce(func.sum(CostAdjustment.amount_idr), 0)).where(
        CostAdjustment.statement_id == statement.id
    )
    ordered = {outcome: found.get(outcome, Found()) for outcome in LineOutcome}
    return Summary(statement, ordered, Found(*(int(each) for each in gone)), int(session.scalar(booked) or 0))


def get(session: ReadSession, member: Member, statement_id: str) -> VendorStatement:
    """A statement. Forbidden for others than analysts and administrators, NotFound."""
    member.require(Action.SEE_ALL_USAGE)
    statement = session.get(VendorStatement, statement_id)
    if statement is None:
        raise errors.NotFound(message("statement_not_found"))
    return statement


def lines(
    session: ReadSession,
    member: Member,
    statement_id: str,
    *,
    outcomes: Collection[LineOutcome] = (),
    gone: bool = False,
    after_id: str = "",
    limit: int = PAGE_LINES,
) -> Sequence[Line]:
    """Lines by their place in the file, clips without a line at the end; a keyset page at a time, by the line before.

    `outcomes` leave the lines of these kinds, `gone` asks for accepted ones that the newest file lacks. Raises
    Forbidden, NotFound.
    """
    statement = get(session, member, statement_id)
    return _page(session, statement.id, outcomes, gone=gone, after_id=after_id, limit=limit)


def every_line(member: Member, statement_id: str, *, outcomes: Collection[LineOutcome] = ()) -> Iterator[Line]:
    """All of them, read some hundred at a time, each part with a session of its own. Forbidden, NotFound at once."""
    with db.read_session() as session:
        get(session, member, statement_id)
    return _every(statement_id, outcomes)


def _every(statement_id: str, outcomes: Collection[LineOutcome]) -> Iterator[Line]:
    for gone in (False, True):
        after_id, is_over = "", False
        while not is_over:
            with db.read_session() as session:
                found = _page(session, statement_id, outcomes, gone=gone, after_id=after_id, limit=_AT_ONCE)
            yield from found
            is_over = len(found) < _AT_ONCE
            after_id = found[-1].row.id if found else ""


def _page(
    session: ReadSession, statement_id: str, outcomes: Collection[LineOutcome], *, gone: bool, after_id: str, limit: int
) -> Sequence[Line]:
    which = [StatementLine.statement_id == statement_id, *(_gone() if gone else (StatementLine.is_present,))]
    if outcomes:
        which.append(StatementLine.outcome.in_(outcomes))
    place = func.coalesce(StatementLine.number, _LAST)
    if after_id:
        number = session.scalar(select(place).where(StatementLine.id == after_id))
        if number is None:
            raise errors.NotFound(message("statement_line_not_found"))
        which.append(or_(place > number, and_(place == number, StatementLine.id > after_id)))
    query = (
        select(StatementLine, Generation.workspace_id, Generation.model_name, Generation.ended_at)
        .outerjoin(Generation, Generation.id == StatementLine.generation_id)
        .where(*which)
        .order_by(place, StatementLine.id)
        .limit(limit)
    )
    return [Line(*row) for row in session.execute(query)]


def _gone() -> tuple[ColumnElement[bool], ...]:
    """Lines that the newest file lacks and that are still in the costs."""
    return ~StatementLine.is_present, StatementLine.turn % 2 == 1


_LAST: Any = 2**31 - 1
"""Behind every line of a file."""

"""Takes accepted differences of a statement into costs, and out again: rows of their own, and never anybody's credits.

A closed month never changes: what belongs to one is booked on the day of the acceptance.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, NamedTuple

from sqlalchemy import insert, select, text

from core import audit_log, db, errors
from core.audit_log import Act
from core.billing import ledger, months
from core.db import ReadSession, WriteSession, update_where
from core.db.tables import CostAdjustment, Generation, StatementLine, VendorStatement
from core.messages import Message, message
from core.providers import registry
from core.statements.comparing import ACCEPTABLE
from core.statements.uploads import locked
from core.usage import rollups
from core.workspaces.access import Member
from core.workspaces.permissions import Action

REASON_CHARS = 500
MOST_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Booked:
    """How many lines were booked by this call, and what they come to; those that had been before are in neither."""

    lines: int
    idr: int


class _Row(NamedTuple):
    """What one line books, and when."""

    line: StatementLine
    day: str
    idr: int


def accept(
    session: WriteSession, member: Member, statement_id: str, *, line_ids: Collection[str], reason: str
) -> Booked:
    """Take the differences of lines into costs, with a word why; those that were accepted already stay as they are.

    Raises Forbidden, NotFound for a statement that is not there, InvalidRequest without a reason, Conflict for a line
    that is not in it any more or of which there is nothing to accept. All of them are booked, or none.
    """
    member.require(Action.CHECK_STATEMENTS)
    word = _checked_reason(reason)
    statement, rows = _locked_lines(session, statement_id, line_ids)
    waiting = [row for row in rows if row.turn % 2 == 0]
    for row in waiting:
        if row.outcome not in ACCEPTABLE or not row.is_present or row.difference_idr == 0:
            raise errors.Conflict(message("statement_line_not_acceptable"))
    now = db.now(session)
    clips = _clips(session, waiting)
    booked = [
        _Row(row, _day(session, statement, row, clips.get(row.generation_id or ""), now), row.difference_idr)
        for row in waiting
    ]
    return _book(session, member, statement, booked, clips=clips, reason=word, act=Act.STATEMENT_ACCEPTED)


def undo(session: WriteSession, member: Member, statement_id: str, *, line_ids: Collection[str], reason: str) -> Booked:
    """Take accepted differences out of costs again, by a row with the opposite amount; others stay as they are.

    Raises as `accept`.
    """
    member.require(Action.CHECK_STATEMENTS)
    word = _checked_reason(reason)
    statement, rows = _locked_lines(session, statement_id, line_ids)
    accepted = {row.id: row for row in rows if row.turn % 2 == 1}
    was = select(CostAdjustment).where(CostAdjustment.line_id.in_(accepted)).order_by(CostAdjustment.id)
    newest = {one.line_id: one for one in session.scalars(was)}
    now = db.now(session)
    booked = []
    for line_id, row in accepted.items():
        one = newest[line_id]
        begins_at = datetime.combine(datetime.fromisoformat(one.day), time(), now.tzinfo)
        booked.append(_Row(row, _open_day(session, begins_at, now), -one.amount_idr))
    return _book(session, member, statement, booked, clips=_clips(session, rows), reason=word, act=Act.STATEMENT_UNDONE)


def _book(
    session: WriteSession,
    member: Member,
    statement: VendorStatement,
    rows: Sequence[_Row],
    *,
    clips: dict[str, Generation],
    reason: str,
    act: Act,
) -> Booked:
    if not rows:
        return Booked(0, 0)
    made: list[dict[str, Any]] = []
    days: Counter[rollups.Key] = Counter()
    paid_by = rollups.paid_by(session, clips.values())
    for row, day, idr in rows:
        clip = clips.get(row.generation_id or "")
        turned = update_where(
            session, StatementLine, StatementLine.id == row.id, StatementLine.turn == row.turn, turn=row.turn + 1
        )
        if not turned:  # the statement is locked, so nobody else comes between
            raise errors.Conflict(message("statement_line_not_acceptable"))
        model_id = clip.model_id if clip else row.model_id
        made.append(
            {
                "statement_id": statement.id,
                "line_id": row.id,
                "turn": row.turn,
                "generation_id": clip.id if clip else None,
                "provider": statement.provider,
                "model_id": model_id,
                "day": day,
                "amount_idr": idr,
                "reason": reason,
                "actor": member.email,
                "created_at": db.now(session),
            }
        )
        if clip is not None:
            project_id = clip.charged_in_id
            days[rollups.Key(day, paid_by[project_id], clip.user_id, project_id, clip.provider, model_id)] += idr
    session.execute(insert(CostAdjustment), made)
    for key in sorted(days):
        if days[key]:
            rollups.add(session, key, adjusted_cost_idr=days[key])
    session.expire_all()
    booked = Booked(len(made), sum(row.idr for row in rows))
    told = {"lines": booked.lines, "idr": booked.idr, "month": statement.month, "reason": reason}
    told |= {"line_ids": [one["line_id"] for one in made][:MOST_AT_ONCE]}
    target = registry.provider_class(statement.provider).display_name
    audit_log.record(session, member.user, act, target=target, target_id=statement.id, after=told)
    return booked


def _checked_reason(reason: str) -> str:
    word = reason.strip()
    wrong: Message | None = None
    if not word:
        wrong = message("statement_reason_missing")
    elif len(word) > REASON_CHARS:
        wrong = message("statement_reason_too_long", limit=REASON_CHARS)
    if wrong is not None:
        raise errors.InvalidRequest(fields={"reason": wrong})
    return word


def _locked_lines(
    session: WriteSession, statement_id: str, line_ids: Collection[str]
) -> tuple[VendorStatement, Sequence[StatementLine]]:
    """The statement, which nobody else changes meanwhile, and these of its lines in their order."""
    _keep_months_open(session)
    statement = locked(session, VendorStatement.id == statement_id)
    wanted = set(line_ids)
    if not 0 < len(wanted) <= MOST_AT_ONCE:
        raise errors.InvalidRequest(fields={"lineIds": message("statement_lines_missing")})
    query = select(StatementLine).where(StatementLine.statement_id == statement.id, StatementLine.id.in_(wanted))
    rows = session.scalars(query.order_by(StatementLine.id).execution_options(populate_existing=True)).all()
    if len(rows) != len(wanted):
        raise errors.Conflict(message("statement_line_not_found"))
    return statement, rows


def _keep_months_open(session: WriteSession) -> None:
    """Let no month be closed until the end of this transaction; on SQLite who writes is alone anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE closed_periods IN SHARE MODE"))


def _clips(session: ReadSession, rows: Collection[StatementLine]) -> dict[str, Generation]:
    ids = {row.generation_id for row in rows if row.generation_id}
    return {row.id: row for row in session.scalars(select(Generation).where(Generation.id.in_(ids)))}


def _day(
    session: ReadSession, statement: VendorStatement, row: StatementLine, clip: Generation | None, now: datetime
) -> str:
    """The day that a clip is counted on, else that of the line or the month's last; of an open month in any case."""
    if clip is not None:
        wanted = clip.ended_at or now
    else:
        begin, end = months.bounds(statement.month)
        wanted = row.begins_at if row.begins_at and begin <= row.begins_at < end else begin
    return _open_day(session, wanted, now)


def _open_day(session: ReadSession, wanted: datetime, now: datetime) -> str:
    """This day, or today where its month is closed or it is yet to come."""
    is_open = wanted <= now and ledger.open_moment(session, wanted) == wanted
    return rollups.day_of(wanted if is_open else ledger.open_moment(session, now))

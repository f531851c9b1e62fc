"""Compares a statement with the clips that were sent to its vendor, through the database, in memory that does not grow.

The steps are those of `core.statements.matching`, which says what is what. It changes nothing but the statement's own
rows, and comes to the same whenever it is run: lines that were accepted stay as they are.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby, islice
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, insert, or_, select, tuple_, update
from sqlalchemy.orm import aliased, defer

from core import db
from core.billing import months
from core.catalog import price_list
from core.db import ReadSession, WriteSession
from core.db.enums import LineOutcome, Status
from core.db.tables import (
    CostAdjustment,
    ExchangeRate,
    Generation,
    StatementClip,
    StatementLine,
    VendorStatement,
    Workspace,
)
from core.generations import spending
from core.ids import new_id
from core.statements import matching
from core.statements.matching import WINDOWS, Anchor, Billed, Match, Sent, Window

ROWS_AT_ONCE = 500
BEYOND = timedelta(days=1)
"""Clips from so long before a month and after it may be billed in it: vendors' months are of other time zones."""
PRIMARY = (
    LineOutcome.MATCHED,
    LineOutcome.PRICE_DIFFERS,
    LineOutcome.OTHER_MODEL,
    LineOutcome.UNCLEAR,
    LineOutcome.UNREADABLE,
)
"""What a line is that has a clip for itself; others bill it again or have none."""


def compare(session: WriteSession, statement: VendorStatement) -> None:
    """Say of every line what it is, and which clips have none; the statement is locked by who calls."""
    of_it = StatementLine.statement_id == statement.id
    _begin_anew(session, of_it)
    _stage(session, statement)
    rates = _Rates(session)
    _write(session, statement, _by_job(session, statement), rates)
    for window in WINDOWS:
        _write(session, statement, _by_time(session, statement, window), rates)
    _price_the_rest(session, statement, rates)
    _ours_only(session, statement)
    session.execute(delete(StatementClip).where(StatementClip.statement_id == statement.id))
    statement.compared_at = db.now(session)
    session.flush()


def _begin_anew(session: WriteSession, of_it: ColumnElement[bool]) -> None:
    """Forget what was found before of all lines but the accepted ones."""
    session.execute(delete(StatementLine).where(of_it, StatementLine.number.is_(None), StatementLine.turn == 0))
    undone = and_(of_it, StatementLine.number.is_(None), StatementLine.turn % 2 == 0)
    session.execute(update(StatementLine).where(undone).values(is_present=False))
    nothing = {"generation_id": None, "cost_idr": None, "amount_idr": None, "difference_idr": 0, "matched_by": ""}
    is_open = and_(of_it, StatementLine.number.is_not(None), StatementLine.turn % 2 == 0)
    readable = update(StatementLine).where(is_open, StatementLine.amount_micro.is_not(None))
    session.execute(readable.values(**nothing, outcome=LineOutcome.THEIRS_ONLY))
    session.execute(update(StatementLine).where(is_open, StatementLine.amount_micro.is_(None)).values(**nothing))


def _stage(session: WriteSession, statement: VendorStatement) -> None:
    """Put the clips that the statement may be about beside it: those of its month, and those whose jobs it names."""
    session.execute(delete(StatementClip).where(StatementClip.statement_id == statement.id))
    begin, end = months.bounds(statement.month)
    sent = func.coalesce(Generation.submitted_at, Generation.created_at)
    named = exists().where(
        StatementLine.statement_id == statement.id, StatementLine.job_id == Generation.provider_job_id
    )
    was_sent = or_(
        Generation.submitted_at.is_not(None),
        Generation.provider_job_id.is_not(None),
        Generation.status == Status.UNCERTAIN,
    )
    adjusted = (
        select(func.coalesce(func.sum(CostAdjustment.amount_idr), 0))
        .join(StatementLine, StatementLine.id == CostAdjustment.line_id)
        .where(CostAdjustment.generation_id == Generation.id, StatementLine.outcome != LineOutcome.DUPLICATE)
        .correlate(Generation)
        .scalar_subquery()
    )
    elsewhere = aliased(StatementLine)
    taken = (
        exists()
        .where(
            elsewhere.generation_id == Generation.id,
            elsewhere.statement_id != statement.id,
            elsewhere.number.is_not(None),
            elsewhere.is_present,
            elsewhere.outcome.in_(PRIMARY),
        )
        .correlate(Generation)
    )
    own = (
        select(func.min(StatementLine.id))
        .where(
            StatementLine.generation_id == Generation.id,
            StatementLine.statement_id == statement.id,
            StatementLine.turn % 2 == 1,
            StatementLine.is_present,
            StatementLine.number.is_not(None),
            StatementLine.outcome.in_(PRIMARY),
        )
        .correlate(Generation)
        .scalar_subquery()
    )
    heavy = ("provider_response", "output_facts", "findings", "error_detail", "prompt_words", "quote")
    query = (
        select(Generation, adjusted, taken, own)
        .join(Workspace, Workspace.id == Generation.workspace_id)
        .where(
            Generation.provider == statement.provider,
            ~Workspace.is_sample,
            was_sent,
            or_(and_(sent >= begin - BEYOND, sent < end + BEYOND), named),
        )
        .options(*(defer(getattr(Generation, name)) for name in heavy))
    )
    found = iter(session.execute(query, execution_options={"yield_per": ROWS_AT_ONCE}))
    while some := list(islice(found, ROWS_AT_ONCE)):
        session.execute(insert(StatementClip), [_staged(statement, *row) for row in some])


def _staged(
    statement: VendorStatement, row: Generation, adjusted_idr: int, is_taken: bool, line_id: str | None
) -> dict[str, Any]:
    begin, end = months.bounds(statement.month)
    has_ended = row.status in (Status.COMPLETED, Status.FAILED, Status.CANCELLED)
    counted = spending.counted_idr(row)
    cost_idr = None if counted is None and not adjusted_idr else (counted or 0) + int(adjusted_idr)
    sent_at = row.submitted_at or row.created_at
    until_at = row.ended_at or row.updated_at
    may_lack = has_ended and begin <= sent_at < end and (cost_idr is None or cost_idr != 0)
    return {
        "statement_id": statement.id,
        "generation_id": row.id,
        "model_id": row.model_id,
        "job_id": row.provider_job_id or "",
        "sent_at": sent_at,
        "until_at": max(sent_at, until_at),
        "cost_idr": cost_idr,
        "idr_per_usd": row.idr_per_usd or price_list.IDR_PER_USD,
        "has_ended": has_ended,
        "is_expected": may_lack,
        "is_taken": bool(is_taken),
        "line_id": line_id,
    }


_LINE = (
    StatementLine.id,
    StatementLine.digest,
    StatementLine.job_id,
    StatementLine.model_id,
    StatementLine.begins_at,
    StatementLine.ends_at,
    StatementLine.currency,
    StatementLine.amount_micro,
)
_CLIP = (
    StatementClip.generation_id,
    StatementClip.model_id,
    StatementClip.job_id,
    StatementClip.sent_at,
    StatementClip.until_at,
    StatementClip.cost_idr,
    StatementClip.idr_per_usd,
    StatementClip.has_ended,
    StatementClip.is_expected,
)


def _by_job(session: WriteSession, statement: VendorStatement) -> Iterator[Match]:
    """The lines that name a job, job after job."""
    primary = aliased(StatementLine)
    accepted = exists().where(
        primary.statement_id == statement.id,
        primary.job_id == StatementLine.job_id,
        primary.turn % 2 == 1,
        primary.is_present,
        primary.outcome.not_in((LineOutcome.DUPLICATE, LineOutcome.OURS_ONLY)),
    )
    of_statement = and_(StatementClip.statement_id == statement.id, StatementClip.job_id == StatementLine.job_id)
    query = (
        select(*_LINE, accepted.label("accepted"), StatementClip.is_taken, StatementClip.line_id, *_CLIP)
        .outerjoin(StatementClip, of_statement)
        .where(*_open(statement), StatementLine.job_id != "")
    )
    rows = _in_parts(session, query, (StatementLine.job_id, StatementLine.id), lambda row: (row[2], row[0]))
    width = len(_LINE)
    for _job, some in groupby(rows, key=lambda row: row[2]):
        lines: dict[str, Billed] = {}
        clip: Sent | None = None
        is_taken = False
        for row in some:
            lines[row[0]] = Billed(*row[:width])
            is_taken = is_taken or bool(row[width] or row[width + 1] or row[width + 2])
            if row[width + 3] is not None:
                clip = Sent(*row[width + 3 :])
        yield from matching.of_job(list(lines.values()), clip, is_taken=is_taken)


def _by_time(session: WriteSession, statement: VendorStatement, window: Window) -> Iterator[Match]:
    """What is left of the lines, by the times of what is left of the clips."""
    left = (*_open(statement), StatementLine.outcome == LineOutcome.THEIRS_ONLY, StatementLine.begins_at.is_not(None))
    order = (StatementLine.begins_at, StatementLine.digest, StatementLine.id)
    lines = _in_parts(
        session,
        select(*_LINE).where(*left, StatementLine.amount_micro.is_not(None)),
        order,
        lambda row: (row[4], row[1], row[0]),
    )
    is_until = window.anchor is Anchor.UNTIL
    at: ColumnElement[Any] = (StatementClip.until_at if is_until else StatementClip.sent_at).expression
    clips = _in_parts(
        session,
        select(*_CLIP).where(
            StatementClip.statement_id == statement.id, StatementClip.line_id.is_(None), ~StatementClip.is_taken
        ),
        (at, StatementClip.generation_id),
        lambda row: (row[4 if is_until else 3], row[0]),
    )
    return matching.in_time((Billed(*row) for row in lines), (Sent(*row) for row in clips), window)


def _open(statement: VendorStatement) -> tuple[ColumnElement[bool], ...]:
    return (
        StatementLine.statement_id == statement.id,
        StatementLine.is_present.expression,
        StatementLine.turn % 2 == 0,
        StatementLine.number.is_not(None),
    )


def _in_parts(
    session: ReadSession,
    query: Select[*tuple[Any, ...]],
    order: Sequence[Any],
    place: Callable[[Any], tuple[Any, ...]],
) -> Iterator[Any]:
    """The rows in their order, some hundred at a time: between two parts the same transaction may write."""
    after: tuple[Any, ...] | None = None
    while True:
        further = query if after is None else query.where(tuple_(*order) > tuple_(*after))
        some = session.execute(further.order_by(*order).limit(ROWS_AT_ONCE)).all()
        yield from some
        if len(some) < ROWS_AT_ONCE:
            return
        after = place(some[-1])


class _Rates:
    """The dollar of every moment, read once."""

    def __init__(self, session: ReadSession) -> None:
        found = session.execute(select(ExchangeRate.since, ExchangeRate.idr_per_usd).order_by(ExchangeRate.since)).all()
        self._since = [row.since for row in found]
        self._idr = [price_list.IDR_PER_USD, *(row.idr_per_usd for row in found)]

    def at(self, moment: datetime | None) -> int:
        """Rupiah for a dollar at a moment; the newest where none is named."""
        rates: Sequence[int] = self._idr
        return rates[-1 if moment is None else bisect_right(self._since, moment)]


def _write(session: WriteSession, statement: VendorStatement, found: Iterable[Match], rates: _Rates) -> None:
    """Keep what was found, some hundred lines at a time."""
    left = iter(found)
    while some := list(islice(left, ROWS_AT_ONCE)):
        session.execute(update(StatementLine), [_found(match, rates) for match in some])
        clips = [
            {"statement_id": statement.id, "generation_id": match.clip.id, "line_id": match.line.id}
            for match in some
            if match.clip is not None and match.outcome in PRIMARY
        ]
        if clips:
            session.execute(update(StatementClip), clips)


def _found(match: Match, rates: _Rates) -> dict[str, Any]:
    line, clip = match.line, match.clip
    amount_idr = None
    if line.amount_micro is not None:
        amount_idr = line.idr(clip.idr_per_usd if clip else rates.at(line.begins_at))
    cost_idr = clip.cost_idr if clip and match.outcome is not LineOutcome.DUPLICATE else None
    return {
        "id": line.id,
        "outcome": match.outcome,
        "matched_by": match.by.value if match.by else "",
        "generation_id": clip.id if clip else None,
        "amount_idr": amount_idr,
        "cost_idr": cost_idr,
        "difference_idr": (amount_idr or 0) - (cost_idr or 0) if match.outcome in ACCEPTABLE else 0,
    }


ACCEPTABLE = (
    LineOutcome.PRICE_DIFFERS,
    LineOutcome.OTHER_MODEL,
    LineOutcome.DUPLICATE,
    LineOutcome.THEIRS_ONLY,
    LineOutcome.OURS_ONLY,
)
"""What can be taken into costs: there is a difference, and somebody may say that it is right."""


def _price_the_rest(session: WriteSession, statement: VendorStatement, rates: _Rates) -> None:
    """Say in rupiah what those lines come to that were matched with nothing."""
    rest = (*_open(statement), StatementLine.outcome == LineOutcome.THEIRS_ONLY, StatementLine.amount_idr.is_(None))
    lines = _in_parts(session, select(*_LINE).where(*rest), (StatementLine.id,), lambda row: (row[0],))
    _write(session, statement, (Match(Billed(*row), LineOutcome.THEIRS_ONLY) for row in lines), rates)


def _ours_only(session: WriteSession, statement: VendorStatement) -> None:
    """A row for each clip that should have a line and has none; one that was accepted goes once there is a line."""
    lacking = select(
        StatementClip.generation_id,
        StatementClip.model_id,
        StatementClip.job_id,
        StatementClip.sent_at,
        StatementClip.cost_idr,
    ).where(
        StatementClip.statement_id == statement.id,
        StatementClip.is_expected,
        ~StatementClip.is_taken,
        StatementClip.line_id.is_(None),
    )
    order = (StatementClip.generation_id,)
    found = _in_parts(session, lacking, order, lambda row: (row[0],))
    while some := list(islice(found, ROWS_AT_ONCE)):
        session.execute(
            insert(StatementLine),
            [
                {
                    "id": new_id(),
                    "statement_id": statement.id,
                    "outcome": LineOutcome.OURS_ONLY,
                    "generation_id": row.generation_id,
                    "model_id": row.model_id,
                    "job_id": row.job_id,
                    "begins_at": row.sent_at,
                    "ends_at": row.sent_at,
                    "cost_idr": row.cost_idr,
                    "difference_idr": -(row.cost_idr or 0),
                }
                for row in some
            ],
        )
    has_line = exists().where(
        StatementClip.statement_id == statement.id,
        StatementClip.generation_id == StatementLine.generation_id,
        StatementClip.line_id.is_not(None),
    )
    accepted = update(StatementLine).where(
        StatementLine.statement_id == statement.id, StatementLine.number.is_(None), StatementLine.turn % 2 == 1
    )
    session.execute(accepted.values(is_present=~has_line).execution_options(synchronize_session=False))

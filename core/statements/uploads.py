"""Takes a vendor's statement in: kept, read and compared in one transaction, so that a kill leaves all or nothing.

The same file read the same way is the statement that there is. Another one for the same month takes its place, but for
what was accepted of it: that stays, and is undone by a person only.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, exists, func, insert, select, update
from sqlalchemy.orm import aliased

from core import audit_log, db, errors
from core.audit_log import Act
from core.billing import months
from core.catalog_changes import current
from core.db import ReadSession, WriteSession, types
from core.db.enums import LineOutcome
from core.db.tables import CostAdjustment, StatementLine, VendorStatement
from core.generations.sheets.columns import key
from core.ids import new_id
from core.messages import message
from core.providers import registry
from core.statements import comparing
from core.statements.columns import Settings
from core.statements.reading import ReadLine, StatementFile
from core.workspaces.access import Member
from core.workspaces.permissions import Action

LINES_AT_ONCE = 500
NAME_CHARS = 200


def upload(
    session: WriteSession,
    member: Member,
    file: StatementFile,
    *,
    provider: str,
    month: str,
    settings: Settings,
    name: str = "",
) -> VendorStatement:
    """The statement of a provider and month, read from a file and compared; for administrators.

    Raises Forbidden, InvalidRequest for a provider, month or settings that cannot be, Conflict for a file that is
    another month's.
    """
    member.require(Action.CHECK_STATEMENTS)
    _check(session, file, provider, month)
    settings.places(file.heads)
    values: dict[str, Any] = {"file_name": name[:NAME_CHARS], "sha256": file.sha256, "heads": list(file.heads)}
    values |= {"settings": settings.to_json(), "uploaded_by": member.email, "uploaded_at": db.now(session)}
    made = types.insert(session, VendorStatement).values(
        id=new_id(), provider=provider, month=month, line_count=0, version=1, **values
    )
    session.execute(made.on_conflict_do_nothing(index_elements=["provider", "month"]))
    statement = locked(session, VendorStatement.provider == provider, VendorStatement.month == month)
    is_new = statement.compared_at is None
    if not is_new and (statement.sha256, statement.settings) == (file.sha256, values["settings"]):
        return statement
    if not is_new:
        for column, value in values.items():
            setattr(statement, column, value)
        statement.version += 1
    statement.line_count = _replace_lines(session, statement, file.lines(settings))
    session.flush()
    comparing.compare(session, statement)
    told = {"month": month, "lines": statement.line_count, "provider": provider, "sha256": file.sha256}
    target = registry.provider_class(provider).display_name
    audit_log.record(session, member.user, Act.STATEMENT_UPLOADED, target=target, target_id=statement.id, after=told)
    return statement


def compare_again(session: WriteSession, member: Member, statement_id: str) -> VendorStatement:
    """Compare a statement with the clips as they are now; what was accepted stays. Forbidden, NotFound."""
    member.require(Action.CHECK_STATEMENTS)
    statement = locked(session, VendorStatement.id == statement_id)
    comparing.compare(session, statement)
    return statement


def discard(session: WriteSession, member: Member, statement_id: str) -> None:
    """Take a statement away of which nothing was ever accepted. Forbidden, NotFound, Conflict."""
    member.require(Action.CHECK_STATEMENTS)
    statement = locked(session, VendorStatement.id == statement_id)
    if session.scalar(select(exists().where(CostAdjustment.statement_id == statement.id))):
        raise errors.Conflict(message("statement_was_accepted"))
    session.execute(delete(StatementLine).where(StatementLine.statement_id == statement.id))
    session.execute(delete(VendorStatement).where(VendorStatement.id == statement.id))
    target = registry.provider_class(statement.provider).display_name
    told = {"month": statement.month}
    audit_log.record(session, member.user, Act.STATEMENT_DISCARDED, target=target, target_id=statement_id, after=told)


def last_settings(session: ReadSession, member: Member, provider: str) -> Settings | None:
    """How the newest statement of a provider was read; None before there is one. Forbidden for others than analysts."""
    member.require(Action.SEE_ALL_USAGE)
    newest = select(VendorStatement.settings).where(VendorStatement.provider == provider)
    kept = session.scalar(newest.order_by(VendorStatement.uploaded_at.desc()).limit(1))
    return None if kept is None else Settings.from_json(kept)


def locked(session: WriteSession, *which: ColumnElement[bool]) -> VendorStatement:
    """A statement that nobody else changes until the end of this transaction. NotFound."""
    found = session.scalar(
        select(VendorStatement).where(*which).with_for_update().execution_options(populate_existing=True)
    )
    if found is None:
        raise errors.NotFound(message("statement_not_found"))
    return found


def _check(session: ReadSession, file: StatementFile, provider: str, month: str) -> None:
    begins_at = months.bounds(month)[0]
    if not registry.is_registered(provider):
        raise errors.InvalidRequest(fields={"provider": message("statement_of_no_provider", name=provider[:40])})
    if begins_at > db.now(session):
        raise errors.InvalidRequest(fields={"month": message("statement_of_coming_month", month=month)})
    elsewhere = select(VendorStatement.month).where(
        VendorStatement.sha256 == file.sha256, VendorStatement.provider == provider, VendorStatement.month != month
    )
    if (other := session.scalar(elsewhere.limit(1))) is not None:
        raise errors.Conflict(message("statement_of_other_month", month=other))


def _replace_lines(session: WriteSession, statement: VendorStatement, lines: Iterator[ReadLine]) -> int:
    """Put these lines in the place of those that nobody has ever accepted; how many there are now.

    An accepted line that the file has word for word is that line; one that it lacks is kept beside it.
    """
    of_it = StatementLine.statement_id == statement.id
    session.execute(delete(StatementLine).where(of_it, StatementLine.turn == 0))
    session.execute(update(StatementLine).where(of_it, StatementLine.number.is_not(None)).values(is_present=False))
    accepted: dict[str, list[str]] = {}
    was = select(StatementLine.digest, StatementLine.id).where(
        of_it, StatementLine.turn % 2 == 1, StatementLine.number.is_not(None)
    )
    for digest, line_id in session.execute(was.order_by(StatementLine.number.desc(), StatementLine.id)):
        accepted.setdefault(digest, []).append(line_id)
    models = _models(session, statement.provider)
    count = 0
    while some := list(islice(lines, LINES_AT_ONCE)):
        rows = []
        for line in some:
            count += 1
            if known := accepted.get(line.digest):
                again = update(StatementLine).where(StatementLine.id == known.pop())
                session.execute(again.values(is_present=True, number=line.number))
            else:
                rows.append(_row(statement, line, models))
        if rows:
            session.execute(insert(StatementLine), rows)
    _free_duplicates(session, statement)
    return count


def _free_duplicates(session: WriteSession, statement: VendorStatement) -> None:
    """Let a job have its first line again where the file has only lines left that were accepted as billed once more."""
    of_it = and_(StatementLine.statement_id == statement.id, StatementLine.is_present, StatementLine.job_id != "")
    is_again = and_(StatementLine.turn % 2 == 1, StatementLine.outcome == LineOutcome.DUPLICATE)
    elsewhere, others = aliased(StatementLine), func.sum(case((is_again, 0), else_=1))
    taken = exists().where(
        elsewhere.generation_id == StatementLine.generation_id,
        elsewhere.statement_id != statement.id,
        elsewhere.is_present,
        elsewhere.outcome.in_(comparing.PRIMARY),
    )
    without = select(func.min(StatementLine.id)).where(of_it, ~taken).group_by(StatementLine.job_id).having(others == 0)
    columns = [column for column in types.table_of(StatementLine).columns if column.name not in _ANEW]
    found = select(*columns).where(StatementLine.id.in_(without.scalar_subquery()))
    rows = [dict(row._mapping) for row in session.execute(found)]
    kept = update(StatementLine).where(StatementLine.id.in_(without.scalar_subquery()))
    session.execute(kept.values(is_present=False).execution_options(synchronize_session=False))
    if rows:
        session.execute(insert(StatementLine), [row | {"id": new_id()} for row in rows])


_ANEW = ("id", "turn", "generation_id", "cost_idr", "amount_idr", "difference_idr", "matched_by")
"""What a line has no more that is read anew."""


def _row(statement: VendorStatement, line: ReadLine, models: Mapping[str, str]) -> dict[str, Any]:
    problems: Sequence[Any] = [[one.head, one.message.to_json()] for one in line.problems]
    return {
        "id": new_id(),
        "statement_id": statement.id,
        "number": line.number,
        "digest": line.digest,
        "is_present": True,
        "outcome": LineOutcome.UNREADABLE if problems else LineOutcome.THEIRS_ONLY,
        "matched_by": "",
        "job_id": line.job_id,
        "model_name": line.model_name,
        "model_id": models.get(key(line.model_name), ""),
        "begins_at": line.begins_at,
        "ends_at": line.ends_at,
        "currency": line.currency,
        "amount_micro": line.amount_micro,
        "difference_idr": 0,
        "problems": problems,
        "cells": list(line.cells),
        "turn": 0,
    }


def _models(session: ReadSession, provider: str) -> Mapping[str, str]:
    """What a provider or we call a model, as heads are compared -> its id; what two of them are called is none's."""
    names: dict[str, set[str]] = {}
    for entry in current.of(session).entries.values():
        model = entry.model
        if model.provider == provider:
            called = [model.id, model.name, model.upstream_id, *(each.upstream_id for each in entry.vendor_ids)]
            for name in called:
                names.setdefault(key(name), set()).add(model.id)
    return {name: next(iter(ids)) for name, ids in names.items() if name and len(ids) == 1}

"""Removes entries of the log of administrative acts that are older than the setting allows, where that is permitted.

It is the one part of the product that removes any; a database role that may not is left in peace (see
docs/how-to/read-the-audit-log.md), and then whoever owns the table runs `python -m core.admin prune-audit-log`.
"""

from datetime import UTC, timedelta

from sqlalchemy import ColumnElement, delete, func, select

from core import audit_log, db
from core.audit_log import Act
from core.db import ReadSession
from core.db.tables import AuditLogEntry

BATCH = 1000


def may_prune(session: ReadSession) -> bool:
    """Whether this database role may remove entries at all."""
    if session.get_bind().dialect.name != "postgresql":
        return True
    return session.scalar(select(func.has_table_privilege(AuditLogEntry.__tablename__, "DELETE"))) is True


def prune(*, days: int, actor: str | None = None) -> int:
    """Remove what is older than so many days, whole days (UTC) only, and write that down; how many there were.

    In batches, each with its own transaction and its own entry: what is interrupted goes on the next time.
    """
    removed = 0
    while count := _prune_some(days, actor):
        removed += count
    return removed


def old(session: ReadSession, *, days: int) -> int:
    """How many entries `prune` would remove."""
    return session.scalar(select(func.count()).select_from(AuditLogEntry).where(_is_old(session, days))) or 0


def _is_old(session: ReadSession, days: int) -> ColumnElement[bool]:
    today = db.now(session).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return AuditLogEntry.at < today - timedelta(days=days)


def _prune_some(days: int, actor: str | None) -> int:
    with db.read_session() as reading:  # first, so that with nothing to do no write lock is taken
        is_old = _is_old(reading, days)
        if reading.scalar(select(select(AuditLogEntry.id).where(is_old).exists())) is not True:
            return 0
    old = select(AuditLogEntry.id).where(is_old).order_by(AuditLogEntry.at, AuditLogEntry.id).limit(BATCH)
    with db.write_session() as session:
        statement = delete(AuditLogEntry).where(AuditLogEntry.id.in_(old.with_for_update(skip_locked=True)))
        removed = session.scalars(
            statement.returning(AuditLogEntry.id).execution_options(synchronize_session=False)
        ).all()
        if removed:
            details = {"entries": len(removed), "days": days}
            audit_log.record(session, actor, Act.AUDIT_LOG_PRUNED, after=details)
    return len(removed)

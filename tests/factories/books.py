"""The books in tests: which rules are broken, and movements of other times than now."""

from datetime import datetime, timedelta

from sqlalchemy import update

from core import db
from core.audit import runs
from core.billing import months
from core.db import Database
from core.db.tables import Generation, LedgerEntry, UsageDay


def broken_rules(database: Database | None = None) -> list[str]:
    """Codes of the rules that do not hold, in the installation's own database unless another one is given."""
    with (database or db.default()).read_session() as session:
        return [result.code for result in runs.run(session) if not result.holds]


def booked_at(key: str, at: datetime, database: Database | None = None) -> None:
    """Let the movement of a key have been at another moment."""
    with (database or db.default()).write_session() as session:
        session.execute(update(LedgerEntry).where(LedgerEntry.key == key).values(created_at=at))


def set_back(month: str, database: Database | None = None) -> None:
    """Let everything that has moved and ended so far have done so in the middle of a month."""
    at = months.bounds(month)[0] + timedelta(days=14, hours=3, microseconds=123_456)
    with (database or db.default()).write_session() as session:
        session.execute(update(LedgerEntry).values(created_at=at))
        session.execute(update(Generation).where(Generation.ended_at.is_not(None)).values(ended_at=at))
        session.execute(update(UsageDay).values(day=at.date().isoformat()))

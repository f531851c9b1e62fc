"""What tests see and do in the database of the installation that is set up, past every service."""

from sqlalchemy import update

from core import db
from core.audit import runs
from core.clock import utc_now
from core.db.tables import Generation


def look(generation_id: str) -> Generation:
    """A row as it is now."""
    with db.read_session() as session:
        found = session.get(Generation, generation_id)
        assert found is not None
        return found


def make_due(generation_id: str) -> None:
    """Let a row's time come."""
    with db.write_session() as session:
        session.execute(update(Generation).where(Generation.id == generation_id).values(next_at=utc_now()))


def books_are_right() -> bool:
    """All rules of the audit hold."""
    with db.read_session() as session:
        return all(result.holds for result in runs.run(session))

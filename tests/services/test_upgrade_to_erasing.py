"""A filled database of the schema before people could be erased, brought to this one."""

import pytest
from alembic import command
from sqlalchemy import MetaData, select, text, update

from core import audit_log
from core.audit_log import Act
from core.clock import utc_now
from core.db import Database
from core.db.enums import ErasureState
from core.db.schema import alembic_config
from core.db.tables import AuditLogEntry, Erasure, Generation
from core.workspaces.access import Member
from tests.factories.generations import create_completed
from tests.factories.upgrades import dump, revision_before

pytestmark = pytest.mark.both_databases  # each has its own words for triggers and indexes


def test_upgrade_of_clips_and_log(database: Database, person: Member) -> None:
    """All that was there is as it was, and the log is guarded; there and back and there again."""
    create_completed(database, person)
    with database.write_session() as session:
        audit_log.record(session, person.user, Act.TOKEN_MADE, target="script")
    for _turn in range(2):
        with database.engine.begin() as connection:
            command.downgrade(alembic_config(connection), revision_before(connection, "0044"))
        with database.engine.begin() as connection:
            known = MetaData()
            known.reflect(connection)
            before = dump(connection, known)
        with pytest.raises(Exception, match="never changed"), database.write_session() as session:
            session.execute(text("UPDATE audit_log SET target = 'x'"))

        database.migrate()

        with database.engine.connect() as connection:
            assert dump(connection, known) == before
        with database.read_session() as session:
            [row] = session.scalars(select(Generation))
            assert (row.retained_since, row.leaves_at, row.timeline) == (None, None, None)
        with pytest.raises(Exception, match="never changed"), database.write_session() as session:
            session.execute(text("UPDATE audit_log SET target = 'x'"))
    with database.write_session() as session:
        session.add(Erasure(user_id=person.id, asked_by="root", state=ErasureState.NAMES, next_at=utc_now()))
        session.flush()
        session.execute(update(AuditLogEntry).values(target="x"))
    with pytest.raises(Exception, match="30 days"), database.write_session() as session:
        session.execute(text("DELETE FROM audit_log"))

"""A filled database of the schema before drafts could be set aside, brought to this one."""

import pytest
from alembic import command
from sqlalchemy import MetaData, select

from core.db import Database
from core.db.schema import alembic_config
from core.db.tables import Draft
from core.projects import drafts
from core.workspaces.access import Member

pytestmark = pytest.mark.both_databases  # each has its own way to change a table

BEFORE = "0018"


def test_upgrade_of_what_was_written(database: Database, person: Member) -> None:
    """Drafts of before are as they were, there and back and there again."""
    with database.write_session() as session:
        drafts.save(session, person, "generate", {"prompt": "half written"}, written_by="tab")
    for _turn in range(2):
        with database.engine.begin() as connection:
            command.downgrade(alembic_config(connection), BEFORE)
        with database.engine.connect() as connection:
            known = MetaData()
            known.reflect(connection, only=["drafts"])
            before = [connection.execute(select(table)).all() for table in known.sorted_tables]

        database.migrate()

        with database.engine.connect() as connection:
            assert [connection.execute(select(table)).all() for table in known.sorted_tables] == before
        with database.read_session() as session:
            [draft] = session.scalars(select(Draft))
            assert (draft.content, draft.set_aside, draft.set_aside_at) == ({"prompt": "half written"}, None, None)

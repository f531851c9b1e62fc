"""What a test of a migration asks of a filled database: the revision before one, and all that its tables hold."""

from collections.abc import Callable

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, select

from core.db import Database
from core.db.schema import alembic_config


def revision_before(connection: Connection, revision: str) -> str:
    """The revision that this one follows."""
    found = ScriptDirectory.from_config(alembic_config(connection)).get_revision(revision).down_revision
    assert isinstance(found, str)
    return found


def dump(connection: Connection, known: MetaData) -> dict[str, list[str]]:
    """Every row of the tables that were known before, by the columns of then; none of what migrations note."""
    return {
        name: sorted(str(sorted(row._mapping.items())) for row in connection.execute(select(table)))
        for name, table in known.tables.items()
        if not name.startswith(("generation_words", "alembic_version", "schema_promises"))
    }


def _nothing() -> None:
    """What is looked at where a test says no more."""


def check_there_and_back(
    database: Database,
    before: str,
    *,
    look_before: Callable[[], None] = _nothing,
    look_after: Callable[[], None] = _nothing,
) -> None:
    """Nothing of before changes, whoever goes from that revision to the newest and back, twice; at the newest then.

    `look_before` asserts what else holds at that revision, `look_after` what holds at the newest, each time.
    """
    with database.engine.begin() as connection:
        command.downgrade(alembic_config(connection), before)
    known = MetaData()
    look_before()
    with database.engine.connect() as connection:
        known.reflect(connection)
        kept = dump(connection, known)
    for _turn in range(2):
        database.migrate()
        with database.engine.connect() as connection:
            assert dump(connection, known) == kept
        look_after()
        with database.engine.begin() as connection:
            command.downgrade(alembic_config(connection), before)
    database.migrate()

"""What a test of a migration asks of a filled database: the revision before one, and all that its tables hold."""

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, select

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

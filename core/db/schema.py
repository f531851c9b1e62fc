"""Brings the schema of a database to the newest migration; Alembic is imported only where there is something to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATIONS = Path(__file__).with_name("migrations")
_MIGRATION_LOCK = 7_304_221_118  # any constant: PostgreSQL's advisory lock that lets one process migrate


class UnusableSchema(Exception):
    """The tables are none that this version can work with; its text is what they are."""


def revisions() -> list[str]:
    """The revisions of all migrations, in ascending order; files are named after theirs."""
    return sorted(path.stem.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))


def newest_revision() -> str:
    """The revision of the newest migration."""
    return revisions()[-1]


def is_current(connection: Connection) -> bool:
    """Whether this database is at the newest revision, and whole; raises UnusableSchema."""
    found = set(inspect(connection).get_table_names())
    if "alembic_version" not in found:
        if foreign := expected_tables() & found:
            raise UnusableSchema(f"is of another program: it has a table {min(foreign)!r} that is not ours")
        return False
    marked = connection.scalars(text("SELECT version_num FROM alembic_version")).all()
    if unknown := set(marked) - set(revisions()):
        raise UnusableSchema(
            f"is of a newer version of this application, or of another program (its schema is {min(unknown)!r})"
        )
    if list(marked) != [newest_revision()]:
        return False
    if missing := expected_tables() - found:
        raise UnusableSchema(f"is not whole: it has no table {min(missing)!r}")
    return True


def expected_tables() -> set[str]:
    """The names of all tables of the newest revision."""
    from core.db.tables import User

    return set(User.metadata.tables)


def revision(connection: Connection) -> str | None:
    """The revision that this database is at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def keep_copy(connection: Connection) -> None:
    """Copy a SQLite file beside itself before its schema is changed; an empty one, or one that is current, is not."""
    name, found = connection.engine.url.database, revision(connection)
    if not name or name == ":memory:" or found in (None, newest_revision()):
        return
    from core.db.copies import copy_sqlite

    copy_sqlite(Path(name), Path(f"{name}.before-{newest_revision()}"))


def upgrade(connection: Connection) -> None:
    """Run what is missing inside the connection's transaction; many processes that do so go one after the other."""
    from alembic import command

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
    command.upgrade(alembic_config(connection), "head")


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration; migrations run on the given connection, inside its transaction."""
    from alembic.config import Config

    alembic = Config()
    alembic.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))  # the sign of interpolation
    alembic.attributes["connection"] = connection
    return alembic

"""Which installation a database is of, and whether it lies where it did: a copy says so when it is put to use."""

import os
from pathlib import Path

from sqlalchemy import URL, inspect, or_, select, text
from sqlalchemy.exc import DBAPIError

from core.db.engine import Database
from core.db.sessions import ReadSession, WriteSession, update_where
from core.db.tables import InstallationIdentity

COPY = "a copy"
"""The place of a database that was made to be put back: no real one is called so."""


def of(session: ReadSession) -> str:
    """The name that an installation and every copy of it share."""
    return session.scalars(select(InstallationIdentity.id)).one()


def place(database: Database) -> str:
    """Where this very database lies; a copy of it, wherever it is put, has another place.

    On PostgreSQL the server's own name and the database's number, which no dump carries. On SQLite the moment at which
    a file beside the database was made: no copy of a file carries that moment (its `ctime`) along. Empty: not known.
    """
    if database.engine.dialect.name == "postgresql":
        with database.read_connection() as connection:
            number = connection.scalar(text("SELECT oid FROM pg_database WHERE datname = current_database()"))
            try:
                server = connection.scalar(text("SELECT system_identifier FROM pg_control_system()"))
            except DBAPIError:  # some who run servers for others do not allow it
                server = ""
        return f"{server}/{number}"
    if not (name := database.engine.url.database) or name == ":memory:":
        return ""
    mark = Path(f"{name}-place")
    os.close(os.open(mark, os.O_RDONLY | os.O_CREAT, 0o600))
    return str(mark.stat().st_ctime_ns)


def is_at(session: ReadSession, here: str) -> bool:
    """Whether the database remembers this place; True, too, where places are not known."""
    return not here or session.scalars(select(InstallationIdentity.place)).one() == here


def arrive(session: WriteSession, here: str) -> bool:
    """Remember the place of this database; True, once, when it was another one before: it was put back from a copy."""
    if not here:
        return False
    elsewhere = or_(InstallationIdentity.place.is_(None), InstallationIdentity.place != here)
    before = session.scalars(select(InstallationIdentity.place).with_for_update()).one()
    return update_where(session, InstallationIdentity, elsewhere, place=here) == 1 and before is not None


def mark_as_copy(path: Path) -> None:
    """Let a SQLite file that is no installation's own be known as a copy when it is put to use.

    One of a version that knows no places is left as it is.
    """
    copy = Database(URL.create("sqlite", database=str(path)).render_as_string())
    try:
        with copy.read_connection() as connection:
            knows_places = inspect(connection).has_table(InstallationIdentity.__tablename__)
        if knows_places:
            with copy.write_session() as session:
                update_where(session, InstallationIdentity, place=COPY)
    finally:
        copy.dispose()

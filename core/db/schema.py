"""Which schema a database has, and whether this code can work with it; what changes one stands in `core.db.migrating`.

A migration says in `oldest_head` which head the oldest code knows that still works on the schema that it makes. The
database keeps these promises, so that code may start on a schema that is newer than any it knows (docs/adr/0025).
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).with_name("migrations")
PROMISES_SINCE = "0039"
"""The revision that makes the table of promises; migrations before it have made none."""

_PROMISED = text(
    "SELECT (SELECT oldest_head FROM schema_promises WHERE revision = :revision) AS own, "
    "(SELECT max(oldest_head) FROM schema_promises) AS oldest"
)


class UnusableSchema(Exception):
    """The tables are none that this version can work with; its text is what they are."""


class Standing(Enum):
    """How the schema of a database stands to this code. All but BEHIND can be worked with."""

    BEHIND = "behind"
    CURRENT = "current"
    NEWER = "newer"


def revisions() -> list[str]:
    """The revisions of all migrations, in ascending order; files are named after theirs."""
    return sorted(path.stem.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def newest_revision() -> str:
    """The revision of the newest migration."""
    return revisions()[-1]


def standing(connection: Connection) -> Standing:
    """How this database stands to this code; raises UnusableSchema for one that is not whole, foreign or too new."""
    found = set(inspect(connection).get_table_names())
    if "alembic_version" not in found:
        if foreign := expected_tables() & found:
            raise UnusableSchema(f"is of another program: it has a table {min(foreign)!r} that is not ours")
        return Standing.BEHIND
    marked = connection.scalars(text("SELECT version_num FROM alembic_version")).all()
    if unknown := sorted(set(marked) - set(revisions())):
        _must_be_promised(connection, unknown[-1], has_promises="schema_promises" in found)
    elif list(marked) != [newest_revision()]:
        return Standing.BEHIND
    if missing := expected_tables() - found:
        raise UnusableSchema(f"is not whole: it has no table {min(missing)!r}")
    return Standing.NEWER if unknown else Standing.CURRENT


def _must_be_promised(connection: Connection, unknown: str, *, has_promises: bool) -> None:
    """Raises UnusableSchema unless the migration that made this schema, and all before it, keep our code working."""
    promise = connection.execute(_PROMISED, {"revision": unknown}).one() if has_promises else None
    if promise is None or promise.own is None:
        raise UnusableSchema(
            f"is of a newer version of this application, or of another program (its schema is {unknown!r})"
        )
    if newest_revision() < promise.oldest:
        raise UnusableSchema(
            f"is of a newer version of this application: its schema {unknown} needs a version that knows at least "
            f"{promise.oldest}, and this one knows {newest_revision()}"
        )


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


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration; migrations run on the given connection, inside its transaction if it is in one."""
    from alembic.config import Config

    alembic = Config()
    alembic.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))  # the sign of interpolation
    alembic.attributes["connection"] = connection
    return alembic

"""Writes migrations down as SQL of PostgreSQL, for those who let nobody but themselves change a schema.

No database is needed for it. What is written runs with `psql -v ON_ERROR_STOP=1 -f`, each migration in a transaction
of its own that waits for no lock longer than a moment. What stopped in the middle goes on with what is written anew.
"""

import io
from collections.abc import Iterator, Sequence

from alembic import command
from alembic.script import Script
from sqlalchemy.exc import CompileError

from core.db import migrating, schema

FIRST = "0036"
"""The oldest schema to go on from: migrations up to it read what is there, and cannot be written down."""


class Unwritable(Exception):
    """What was asked for cannot be written as SQL; its text names the migrations in the way, a sentence for people."""


def write(found: str | None) -> Iterator[str]:
    """The lines from a schema to the newest; None is an empty database. Raises Unwritable."""
    if found is not None and found not in schema.revisions():
        raise Unwritable(f"There is no schema {found} in this version; it knows {', '.join(schema.revisions())}.")
    wanted = migrating.pending(found)
    if reads := [script.revision for script in wanted if script.revision <= FIRST]:
        raise Unwritable(
            f"The migrations {reads[0]} to {reads[-1]} look at what is there, so that they cannot be written as SQL. "
            f"Run `migrate` up to here; SQL can be written from {FIRST} on."
        )
    return iter(list(_lines(wanted, found)))  # all or nothing, also where it goes into a file


def _lines(wanted: Sequence[Script], found: str | None) -> Iterator[str]:
    yield f"-- From {found} to {schema.newest_revision()}. Run with psql -v ON_ERROR_STOP=1 -f THIS_FILE"
    is_there = f"(SELECT version_num FROM alembic_version) = '{found}'"  # noqa: S608 -- a revision that we know
    yield _must(is_there, f"this database is not at {found}")
    for script in wanted:
        yield f"SET lock_timeout = '{migrating.LOCK_TIMEOUT}';"
        for name in getattr(script.module, "needs_backfills", ()):
            is_done = f"EXISTS (SELECT 1 FROM backfills WHERE name = '{name}' AND done_at IS NOT NULL)"  # noqa: S608 -- names of ours
            yield _must(is_done, f"{script.revision} needs {name}, which is not filled in yet")
        yield from (f"{statement};" for statement in migrating.beforehand(script))
        yield _written(f"{script.down_revision}:{script.revision}")


def _must(condition: str, else_said: str) -> str:
    return f"DO $$ BEGIN IF ({condition}) IS NOT TRUE THEN RAISE EXCEPTION '{else_said}'; END IF; END $$;"


def _written(span: str) -> str:
    written = io.StringIO()
    config = schema.alembic_config()
    config.output_buffer = written
    try:
        command.upgrade(config, span, sql=True)
    except (AttributeError, NotImplementedError, CompileError) as failure:  # it asks the database, or the like
        raise Unwritable(f"The migration {span.partition(':')[2]} cannot be written as SQL: {failure}") from failure
    return written.getvalue().rstrip()

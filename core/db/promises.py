"""Writes down what a migration promises to older code, in the transaction of the migration itself."""

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert

from core.db.schema import PROMISES_SINCE
from core.db.tables import SchemaPromise

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext, MigrationInfo


def note(ctx: "MigrationContext", step: "MigrationInfo", heads: object, run_args: object) -> None:
    """After each step of Alembic, up or down. One that promises nothing works for code that knows it, and no older."""
    del heads, run_args
    revision = step.up_revision_id
    if revision is None or step.is_stamp or revision < PROMISES_SINCE:
        return
    if step.is_upgrade:
        oldest = getattr(_module(ctx, revision), "oldest_head", revision)
        ctx.execute(insert(SchemaPromise).values(revision=revision, oldest_head=oldest))
    elif revision != PROMISES_SINCE:  # with that one the table is gone
        ctx.execute(delete(SchemaPromise).where(SchemaPromise.revision == revision))


def _module(context: "MigrationContext", revision: str) -> object:
    assert context.script is not None  # noqa: S101 -- migrations are run from scripts
    return context.script.get_revision(revision).module

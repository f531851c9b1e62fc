"""Alembic's entry: runs the migrations on the connection it is handed, or writes them down as SQL of PostgreSQL."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, TypeDecorator, text

from core.db import indexes, promises, tables, views


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write the plain column type into a migration, so that old migrations do not depend on today's models."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}"
    return False


def run_here(connection: Connection) -> None:
    """On a connection; where it is in no transaction yet, each migration is one."""
    context.configure(
        connection=connection,
        target_metadata=tables.User.metadata,
        render_item=render_item,
        compare_type=True,
        transaction_per_migration=True,
        on_version_apply=promises.note,
    )
    with views.out_of_the_way(connection), context.begin_transaction():
        context.run_migrations()


def write_down() -> None:
    """As SQL of PostgreSQL; what is left for afterwards follows the migrations, outside of their transactions."""
    afterwards: list[str] = []
    context.configure(
        dialect_name="postgresql",
        dialect_opts={"paramstyle": "named"},  # else each % is written twice, for a driver that is not there
        target_metadata=tables.User.metadata,
        literal_binds=True,
        transaction_per_migration=True,
        on_version_apply=promises.note,
        afterwards=afterwards,
    )
    with context.begin_transaction():
        context.run_migrations()
    if afterwards:
        context.execute(text(f"SET lock_timeout = '{indexes.WAIT}'"))
    for statement in afterwards:
        context.execute(text(statement))


if context.is_offline_mode():
    write_down()
else:
    run_here(context.config.attributes["connection"])

"""Alembic's entry: runs the migrations on the connection it is handed, inside that connection's transaction."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import TypeDecorator

from core.db import tables, views


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write the plain column type into a migration, so that old migrations do not depend on today's models."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.User.metadata,
    render_item=render_item,
    compare_type=True,
)
with views.out_of_the_way(context.config.attributes["connection"]):
    context.run_migrations()

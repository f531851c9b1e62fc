"""Uploads become a library with names, groups and other files than images; what each clip was made from is noted."""

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from core import normal_form
from core.db import indexes
from core.db.types import UtcDateTime

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_NAME_CHARS = 120
_AT_ONCE = 1000

_INDEXES = {
    "ix_uploads_newest": ["workspace_id", "id"],
    "ix_uploads_kind_newest": ["workspace_id", "kind", "id"],
    "ix_uploads_storage_key": ["storage_key"],
    "ix_uploads_deleted": ["deleted_at"],
}


def _further() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("kind", sa.String(10), nullable=False, server_default="image"),
        sa.Column("name", sa.String(_NAME_CHARS), nullable=False, server_default=""),
        sa.Column("name_key", sa.Text(), nullable=False, server_default=""),
        sa.Column("poster_key", sa.String(200), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        *(
            sa.Column(f"{what}_at", UtcDateTime(), nullable=True)
            for what in ("archived", "deleted", "purging", "purged")
        ),
    )


def upgrade() -> None:
    for column in _further():
        op.add_column("uploads", column)
    for name, columns in _INDEXES.items():
        indexes.create(op, name, "uploads", columns)  # type: ignore[arg-type]  # the module stands for its Operations
    _name_uploads()
    op.create_table(
        "asset_groups",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("workspace_id", sa.String(36), nullable=False),
        sa.Column("user_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("description", sa.String(2000), nullable=False),
        sa.Column("archived_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('character', 'product', 'style')", name=op.f("ck_asset_groups_kind_known")),
        sa.CheckConstraint("length(name) > 0", name=op.f("ck_asset_groups_name_not_empty")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_asset_groups_workspace_id_workspaces")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_asset_groups_user_id_users"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asset_groups")),
        sa.UniqueConstraint("workspace_id", "name_key", name=op.f("uq_asset_groups_workspace_id_name_key")),
    )
    op.create_table(
        "asset_group_items",
        sa.Column("group_id", sa.String(36), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("upload_id", sa.String(36), nullable=False),
        sa.Column("role", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["asset_groups.id"],
            name=op.f("fk_asset_group_items_group_id_asset_groups"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["upload_id"], ["uploads.id"], name=op.f("fk_asset_group_items_upload_id_uploads")),
        sa.PrimaryKeyConstraint("group_id", "place", name=op.f("pk_asset_group_items")),
        sa.UniqueConstraint("group_id", "upload_id", name=op.f("uq_asset_group_items_group_id_upload_id")),
    )
    op.create_index("ix_asset_group_items_upload", "asset_group_items", ["upload_id"])
    op.create_table(
        "generation_uploads",
        sa.Column("storage_key", sa.String(200), nullable=False),
        sa.Column("generation_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(40), nullable=False, server_default=""),
        sa.ForeignKeyConstraint(
            ["generation_id"],
            ["generations.id"],
            name=op.f("fk_generation_uploads_generation_id_generations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("storage_key", "generation_id", name=op.f("pk_generation_uploads")),
    )
    _note_what_clips_use()
    op.create_index("ix_generation_uploads_of", "generation_uploads", ["generation_id"])


def _name_uploads() -> None:
    """What was brought before is called as its file."""
    bind = op.get_bind()
    uploads = sa.table("uploads", *map(sa.column, ("id", "file_name", "name", "name_key")))
    change = (
        sa.update(uploads)
        .where(uploads.c.id == sa.bindparam("which"))
        .values(name=sa.bindparam("called"), name_key=sa.bindparam("key"))
    )
    for rows in _pages(sa.select(uploads.c.id, uploads.c.file_name), uploads.c.id):
        names = [(row.id, row.file_name[:_NAME_CHARS]) for row in rows]
        bind.execute(change, [{"which": each, "called": name, "key": normal_form.normal(name)} for each, name in names])


def _note_what_clips_use() -> None:
    """Start and end images from their columns, references from their lists."""
    bind = op.get_bind()
    columns = ("id", "start_image_key", "end_image_key", "references")
    generations = sa.table("generations", *map(sa.column, columns))
    uses = sa.table("generation_uploads", *map(sa.column, ("storage_key", "generation_id")))
    found = sa.or_(
        generations.c.start_image_key.is_not(None),
        generations.c.end_image_key.is_not(None),
        generations.c.references != "",
    )
    for rows in _pages(sa.select(*generations.c).where(found), generations.c.id):
        noted = {
            (key, row.id)
            for row in rows
            for key in (
                row.start_image_key,
                row.end_image_key,
                *(each[2] for each in json.loads(row.references or "[]")),
            )
            if key
        }
        bind.execute(sa.insert(uses), [{"storage_key": key, "generation_id": each} for key, each in sorted(noted)])


def _pages(query: sa.Select[tuple[str, ...]], place: sa.ColumnElement[str]) -> Iterator[list[sa.Row[tuple[str, ...]]]]:
    """The rows of a query in pages, by the order of their ids."""
    last = ""
    while rows := list(op.get_bind().execute(query.where(place > last).order_by(place).limit(_AT_ONCE))):
        yield rows
        last = str(rows[-1].id)


def downgrade() -> None:
    """The files stay, as images that were uploaded; videos and sounds, which the version before cannot use, go."""
    op.drop_table("generation_uploads")
    op.drop_table("asset_group_items")
    op.drop_table("asset_groups")
    op.execute(
        "UPDATE workspaces SET storage_bytes = storage_bytes - (SELECT coalesce(sum(size_bytes), 0) FROM uploads "
        "WHERE uploads.workspace_id = workspaces.id AND kind <> 'image' AND purged_at IS NULL)"
    )
    op.execute("DELETE FROM uploads WHERE kind <> 'image' OR purged_at IS NOT NULL")
    for name in _INDEXES:
        op.drop_index(name, "uploads", if_exists=True)
    for column in reversed(_further()):
        op.drop_column("uploads", column.name)

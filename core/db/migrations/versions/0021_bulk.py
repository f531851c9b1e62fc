"""Bulk jobs, saved filters, how people name what they fetch, and from which clip a clip was made.

Of clips that go on from another one's last picture, the image knows its clip from here on, too.
"""

import hashlib

import sqlalchemy as sa
from alembic import op

from core.db import indexes

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_RELATIONS = {"retries": "retry_of_id", "extensions": "extends_id", "made_from": "source_id"}
_JSON = sa.JSON()
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("users", sa.Column("clip_names", sa.String(200), nullable=True))
    op.add_column("uploads", sa.Column("source_generation_id", sa.String(36), nullable=True))
    op.add_column("generations", sa.Column("source_id", sa.String(36), nullable=True))
    op.add_column("generations", sa.Column("source_kind", sa.String(8), nullable=True))
    for name, column in _RELATIONS.items():
        indexes.create(
            op,  # type: ignore[arg-type]  # the module stands for its Operations
            f"ix_generations_{name}",
            "generations",
            [column, "id"],
            where=f"{column} IS NOT NULL",
        )
    _make_saved_filters()
    _make_bulk_jobs()
    _find_sources()


def _make_saved_filters() -> None:
    op.create_table(
        "saved_filters",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("workspace_id", sa.String(36), nullable=False),
        sa.Column("user_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("asked", _JSON, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_saved_filters_workspace_id_workspaces")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_saved_filters_user_id_users"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_filters")),
        sa.UniqueConstraint("workspace_id", "user_id", "name", name=op.f("uq_saved_filters_workspace_id_user_id_name")),
    )
    _index("ix_saved_filters_shared", "saved_filters", ["workspace_id", "name"], where="shared")


def _make_bulk_jobs() -> None:
    op.create_table(
        "bulk_jobs",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("workspace_id", sa.String(36), nullable=False),
        sa.Column("user_id", sa.String(36), nullable=False),
        sa.Column("token_id", sa.String(36), nullable=True),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("asked", _JSON, nullable=False),
        sa.Column("details", _JSON, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("matched_count", "done_count", "left_count", "under_way_count")
        ),
        sa.Column("matched_bytes", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("next_at", _TIME, nullable=True),
        sa.Column("error", _JSON, nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.Column("expires_at", _TIME, nullable=True),
        sa.CheckConstraint(
            "kind IN ('tag', 'untag', 'move', 'keep', 'reject', 'undecide', 'favourite', 'unfavourite', 'delete', "
            "'fetch')",
            name=op.f("ck_bulk_jobs_kind_known"),
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed', 'cancelled')", name=op.f("ck_bulk_jobs_state_known")
        ),
        sa.CheckConstraint(
            "(next_at IS NULL) = (state NOT IN ('waiting', 'running'))", name=op.f("ck_bulk_jobs_live_has_next_at")
        ),
        sa.CheckConstraint("done_count + left_count <= matched_count", name=op.f("ck_bulk_jobs_no_more_than_matched")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_bulk_jobs_workspace_id_workspaces")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_bulk_jobs_user_id_users"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_jobs")),
    )
    _index("ix_bulk_jobs_own", "bulk_jobs", ["workspace_id", "user_id", "id"])
    _index("ix_bulk_jobs_due", "bulk_jobs", ["next_at"], where="next_at IS NOT NULL")
    _index("ix_bulk_jobs_expiring", "bulk_jobs", ["expires_at"], where="expires_at IS NOT NULL")
    op.create_table(
        "bulk_items",
        sa.Column("job_id", sa.String(36), nullable=False),
        sa.Column("generation_id", sa.String(36), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["bulk_jobs.id"], name=op.f("fk_bulk_items_job_id_bulk_jobs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "generation_id", name=op.f("pk_bulk_items")),
    )
    op.create_table(
        "bulk_files",
        sa.Column("job_id", sa.String(36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("storage_key", sa.String(200), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("clip_count", sa.Integer(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["bulk_jobs.id"], name=op.f("fk_bulk_files_job_id_bulk_jobs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "number", name=op.f("pk_bulk_files")),
    )


def _index(name: str, table: str, columns: list[str], *, where: str | None = None) -> None:
    condition = None if where is None else sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)


def _find_sources() -> None:
    """An image is known by the file of the clip whose last picture it is, which stands in for its bytes."""
    found = sa.text(
        "SELECT DISTINCT uploads.id, uploads.original_sha256, source.id AS source_id, source.output_key "
        "FROM generations AS made JOIN uploads ON uploads.storage_key = made.start_image_key "
        "AND uploads.workspace_id = made.workspace_id JOIN generations AS source ON source.id = made.extends_id "
        "WHERE made.extends_id IS NOT NULL AND source.output_key IS NOT NULL"
    )
    known = sa.text("UPDATE uploads SET source_generation_id = :source_id WHERE id = :id")
    bind = op.get_bind()
    for row in bind.execute(found).all():
        identity = f"last frame, as shown, of {row.output_key}".encode()
        if hashlib.sha256(identity).hexdigest() == row.original_sha256:
            bind.execute(known, {"id": row.id, "source_id": row.source_id})


def downgrade() -> None:
    """Jobs and saved filters are forgotten; what was done to clips stays."""
    for table in ("bulk_files", "bulk_items", "bulk_jobs", "saved_filters"):
        op.drop_table(table)
    for name in _RELATIONS:
        op.drop_index(f"ix_generations_{name}", "generations", if_exists=True)
    for table, column in (
        ("generations", "source_kind"),
        ("generations", "source_id"),
        ("uploads", "source_generation_id"),
        ("users", "clip_names"),
    ):
        op.drop_column(table, column)

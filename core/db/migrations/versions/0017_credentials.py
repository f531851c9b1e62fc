"""Clips are signed and may be marked: what with, on whose wish, and why one was not."""

import sqlalchemy as sa
from alembic import op

from core.db import indexes

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_UNSIGNED = "unsigned_reason IS NOT NULL"


def upgrade() -> None:
    op.create_table(
        "signing_certificates",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("certificates_pem", sa.Text(), nullable=False),
        sa.Column("sealed_key", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_signing_certificates")),
    )
    op.add_column("workspaces", sa.Column("visible_mark", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("generations", sa.Column("visible_mark", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("generations", sa.Column("credentials", sa.JSON(), nullable=True))
    op.add_column("generations", sa.Column("unsigned_reason", sa.String(length=40), nullable=True))
    indexes.create(op, "ix_generations_unsigned", "generations", ["ended_at"], where=_UNSIGNED)  # type: ignore[arg-type]  # the module stands for its Operations


def downgrade() -> None:
    op.drop_index("ix_generations_unsigned", "generations", if_exists=True)
    for column in ("unsigned_reason", "credentials", "visible_mark"):
        op.drop_column("generations", column)
    op.drop_column("workspaces", "visible_mark")
    op.drop_table("signing_certificates")

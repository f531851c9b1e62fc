"""Which clips were ordered with one press is looked up by its index."""

from alembic import op

from core.db import indexes

revision = "0025"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    indexes.create(
        op,  # type: ignore[arg-type]  # the module stands for its Operations
        "ix_generations_batch",
        "generations",
        ["batch_id", "id"],
        where="batch_id IS NOT NULL",
    )


def downgrade() -> None:
    """Clips stay; only the index goes."""
    op.drop_index("ix_generations_batch", "generations", if_exists=True)

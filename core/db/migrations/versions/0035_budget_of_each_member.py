"""A monthly budget for each member of a workspace who has none of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("workspaces", sa.Column("member_budget_credits", sa.BigInteger(), nullable=True))
    op.add_column("workspaces", sa.Column("member_budget_mode", sa.String(8), nullable=True))


def downgrade() -> None:
    """What each member may spend is forgotten; budgets of their own stay."""
    op.drop_column("workspaces", "member_budget_mode")
    op.drop_column("workspaces", "member_budget_credits")

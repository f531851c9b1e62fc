"""What is told to people is kept as a code with parameters, beside its English text; older rows have the text alone."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("generation_events", "message"),
    ("generations", "error"),
    ("ledger_entries", "message"),
    ("webhook_deliveries", "error"),
)


def upgrade() -> None:
    for table, column in _COLUMNS:
        op.add_column(table, sa.Column(column, sa.JSON(), nullable=True))


def downgrade() -> None:
    for table, column in reversed(_COLUMNS):
        op.drop_column(table, column)

"""An installation has a name that its copies share, and remembers where its database lies, which they do not."""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    made = op.create_table(
        "installation",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    # Of what no copy differs in, where there is anything: two copies of one installation are named alike.
    oldest_person = op.get_bind().scalar(sa.text("SELECT min(id) FROM users"))
    name = uuid.uuid5(uuid.NAMESPACE_OID, oldest_person) if oldest_person else uuid.uuid4()
    op.bulk_insert(made, [{"id": str(name), "place": None}])


def downgrade() -> None:
    op.drop_table("installation")

"""Administrators change the catalogue without a release, and vendors' own lists of models are read."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_OPEN = sa.text("dismissed_at IS NULL")

_KEEP_SQLITE = tuple(
    f"CREATE TRIGGER catalogue_changes_stay_{verb.lower()} BEFORE {verb} ON catalogue_changes "
    "BEGIN SELECT RAISE(ABORT, 'a change of the catalogue stays as it is'); END"
    for verb in ("UPDATE", "DELETE")
)
_KEEP_POSTGRESQL = (
    """
    CREATE FUNCTION keep_catalogue_changes() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'a change of the catalogue stays as it is';
    END $$
    """,
    "CREATE TRIGGER catalogue_changes_stay BEFORE UPDATE OR DELETE ON catalogue_changes "
    "FOR EACH ROW EXECUTE FUNCTION keep_catalogue_changes()",
)


def upgrade() -> None:
    op.create_table(
        "catalogue_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("model_id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author_id", sa.String(length=36), nullable=False),
        sa.Column("author", sa.String(length=254), nullable=False),
        sa.CheckConstraint(
            "kind IN ('life', 'price', 'cost', 'vendor_id', 'position', 'record', 'taken_back')",
            name=op.f("ck_catalogue_changes_kind_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_changes")),
    )
    op.create_index("ix_catalogue_changes_model", "catalogue_changes", ["model_id", "id"], unique=False)
    for statement in _KEEP_SQLITE if op.get_bind().dialect.name == "sqlite" else _KEEP_POSTGRESQL:
        op.get_bind().exec_driver_sql(statement)
    op.create_table(
        "model_lists",
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("models", sa.JSON(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("provider", name=op.f("pk_model_lists")),
    )
    op.create_table(
        "model_notes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("vendor_id", sa.String(length=300), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("model_id", sa.String(length=80), nullable=True),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dismissed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('appeared', 'vanished', 'not_listed')", name=op.f("ck_model_notes_kind_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_notes")),
    )
    op.create_index(
        "uq_model_notes_open",
        "model_notes",
        ["provider", "kind", "vendor_id"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )


def downgrade() -> None:
    op.drop_table("model_notes")
    op.drop_table("model_lists")
    op.drop_table("catalogue_changes")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION keep_catalogue_changes()")

"""How long clips and their steps are kept, and people who are erased: what is to be done for each, and how far it is.

Entries of the audit log and changes of the catalogue stay as they were written, but for one thing: while somebody is
being erased, the database lets a name in them be replaced, and nothing else.
"""

import sqlalchemy as sa
from alembic import op

from core.db import indexes
from core.db.types import UtcDateTime

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

oldest_head = "0037"

_OF_CLIPS = ("retained_since", "leaves_at")
_UNKEPT = "status = 'completed' AND deleted_at IS NULL AND leaves_at IS NULL"
_LEAVING = "leaves_at IS NOT NULL AND deleted_at IS NULL"

_LOG_STAYS = ("id", "at", "actor_id", "noun", "action", "target_id", "workspace_id", "request_id")
_CATALOGUE_STAYS = ("id", "model_id", "kind", "since", "made_at", "author_id")
_ERASING = "EXISTS (SELECT 1 FROM erasures WHERE state = 'names')"
_SAID_OF_LOG = "an entry of the audit log is never changed"
_SAID_OF_CATALOGUE = "a change of the catalogue stays as it is"


def upgrade() -> None:
    for name in _OF_CLIPS:
        op.add_column("generations", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("generations", sa.Column("timeline", sa.JSON(), nullable=True))
    op.add_column("users", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("prompts_gone_at", sa.DateTime(timezone=True), nullable=True))
    indexes.create(op, "ix_generations_unkept", "generations", ["kept", "ended_at", "id"], where=_UNKEPT)  # type: ignore[arg-type]  # the module stands for its Operations
    indexes.create(op, "ix_generations_leaving", "generations", ["leaves_at", "id"], where=_LEAVING)  # type: ignore[arg-type]  # as above
    _make_erasures()
    _make_exports()
    _let_names_go()


def _make_erasures() -> None:
    op.create_table(
        "erasures",
        sa.Column("user_id", sa.String(36), nullable=False),
        sa.Column("asked_by_id", sa.String(36), nullable=True),
        sa.Column("asked_by", sa.String(254), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'files', 'words', 'names', 'books', 'done')", name=op.f("ck_erasures_state_known")
        ),
        sa.CheckConstraint("(state = 'done') = (next_at IS NULL)", name=op.f("ck_erasures_live_has_next_at")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_erasures")),
    )


def _make_exports() -> None:
    op.create_table(
        "person_exports",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("user_id", sa.String(36), nullable=False),
        sa.Column("asked_by_id", sa.String(36), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.Column("after_id", sa.String(50), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed', 'cancelled')", name=op.f("ck_person_exports_state_known")
        ),
        sa.CheckConstraint(
            "(next_at IS NULL) = (state NOT IN ('waiting', 'running'))", name=op.f("ck_person_exports_live_has_next_at")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_exports")),
    )
    op.create_index("ix_person_exports_of", "person_exports", ["user_id", "id"])
    op.create_index("ix_person_exports_due", "person_exports", ["next_at"])


def _let_names_go() -> None:
    bind = op.get_bind()
    if bind.dialect.name == "sqlite":
        for statement in (
            "DROP TRIGGER audit_log_never_changes",
            _trigger("audit_log_never_changes", "audit_log", _LOG_STAYS, _SAID_OF_LOG),
            "DROP TRIGGER catalogue_changes_stay_update",
            _trigger("catalogue_changes_stay_update", "catalogue_changes", _CATALOGUE_STAYS, _SAID_OF_CATALOGUE),
        ):
            op.execute(statement)
        return
    op.execute(_log_function(_may_change(_LOG_STAYS)))
    op.execute(_catalogue_function(_may_change(_CATALOGUE_STAYS)))


def _trigger(name: str, table: str, stays: tuple[str, ...], said: str) -> str:
    same = " AND ".join(f'NEW."{column}" IS OLD."{column}"' for column in stays)
    return (
        f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} WHEN NOT ({same} AND {_ERASING}) "
        f"BEGIN SELECT RAISE(ABORT, '{said}'); END"
    )


def _may_change(stays: tuple[str, ...]) -> str:
    same = " AND ".join(f'NEW."{column}" IS NOT DISTINCT FROM OLD."{column}"' for column in stays)
    return f"IF {same} AND {_ERASING} THEN RETURN NEW; END IF;"


def _log_function(exception: str) -> str:
    return f"""
    CREATE OR REPLACE FUNCTION keep_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            {exception}
            RAISE EXCEPTION '{_SAID_OF_LOG}';
        ELSIF OLD.at > now() - interval '30 days' THEN
            RAISE EXCEPTION 'an entry of the audit log is kept for 30 days at least';
        END IF;
        RETURN OLD;
    END $$
    """


def _catalogue_function(exception: str) -> str:
    return f"""
    CREATE OR REPLACE FUNCTION keep_catalogue_changes() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            {exception}
        END IF;
        RAISE EXCEPTION '{_SAID_OF_CATALOGUE}';
    END $$
    """


def downgrade() -> None:
    """Steps that were folded into their clips are lost; who was erased stays so."""
    bind = op.get_bind()
    if bind.dialect.name == "sqlite":
        for name, table, said in (
            ("audit_log_never_changes", "audit_log", _SAID_OF_LOG),
            ("catalogue_changes_stay_update", "catalogue_changes", _SAID_OF_CATALOGUE),
        ):
            op.execute(f"DROP TRIGGER {name}")
            op.execute(f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, '{said}'); END")
    else:
        op.execute(_log_function(""))
        op.execute(_catalogue_function(""))
    op.drop_table("person_exports")
    op.drop_table("erasures")
    for name in ("ix_generations_leaving", "ix_generations_unkept"):
        op.drop_index(name, "generations", if_exists=True)
    op.drop_column("users", "prompts_gone_at")
    op.drop_column("users", "erased_at")
    for column in ("timeline", *_OF_CLIPS):
        op.drop_column("generations", column)

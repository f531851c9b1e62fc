"""People sign in, are invited and removed, share clips and write about them; administrative acts are written down."""

import sqlalchemy as sa
from alembic import op

from core.db import indexes

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_TOKENS = "fk_api_tokens_workspace_id_workspaces"
_TOKENS_REFERENCE = f" CONSTRAINT {_TOKENS} REFERENCES workspaces (id)"

_CHECKS = (
    (
        "ledger_entries",
        ("ck_ledger_entries_kind_known", "kind IN ('grant', 'hold', 'settle', 'release', 'adjust')"),
        ("ck_ledger_entries_kind_known", "kind IN ('grant', 'hold', 'settle', 'release', 'adjust', 'transfer')"),
    ),
    (
        "ledger_entries",
        ("ck_ledger_entries_only_adjust_is_negative", "amount_credits > 0 OR kind = 'adjust'"),
        ("ck_ledger_entries_sign_fits_kind", "amount_credits > 0 OR kind IN ('adjust', 'transfer')"),
    ),
    (
        "webhook_endpoints",
        ("ck_webhook_endpoints_disabled_reason_known", "disabled_reason IN ('person', 'gone', 'failing')"),
        ("ck_webhook_endpoints_disabled_reason_known", "disabled_reason IN ('person', 'gone', 'failing', 'departed')"),
    ),
)
"""Table, and a constraint as it was and as it is: credits move between workspaces, webhooks end with their people."""

_GIVEN = sa.text("kind IN ('grant', 'adjust')")
_CREDITED = "kind IN ('grant', 'adjust', 'transfer')"

# An entry of the audit log is never changed, and not removed before 30 days are over; whoever owns the table could
# take this away, so it holds against mistakes, and what a role may not do holds against the rest.
_KEEP_SQLITE = (
    "CREATE TRIGGER audit_log_never_changes BEFORE UPDATE ON audit_log "
    "BEGIN SELECT RAISE(ABORT, 'an entry of the audit log is never changed'); END",
    "CREATE TRIGGER audit_log_is_kept BEFORE DELETE ON audit_log WHEN OLD.at > datetime('now', '-30 days') "
    "BEGIN SELECT RAISE(ABORT, 'an entry of the audit log is kept for 30 days at least'); END",
)
_KEEP_POSTGRESQL = (
    """
    CREATE FUNCTION keep_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            RAISE EXCEPTION 'an entry of the audit log is never changed';
        ELSIF OLD.at > now() - interval '30 days' THEN
            RAISE EXCEPTION 'an entry of the audit log is kept for 30 days at least';
        END IF;
        RETURN OLD;
    END $$
    """,
    "CREATE TRIGGER audit_log_is_kept BEFORE UPDATE OR DELETE ON audit_log "
    "FOR EACH ROW EXECUTE FUNCTION keep_audit_log()",
)


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.String(length=36), nullable=True),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("noun", sa.String(length=30), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("target", sa.String(length=300), nullable=False),
        sa.Column("target_id", sa.String(length=80), nullable=True),
        sa.Column("workspace_id", sa.String(length=36), nullable=True),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("search_key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_index("ix_audit_log_at", "audit_log", ["at", "id"], unique=False)
    op.create_index("ix_audit_log_noun", "audit_log", ["noun", "at", "id"], unique=False)
    op.create_index("ix_audit_log_action", "audit_log", ["action", "at", "id"], unique=False)
    op.create_index("ix_audit_log_actor", "audit_log", ["actor", "at", "id"], unique=False)
    op.create_index("ix_audit_log_actor_id", "audit_log", ["actor_id", "at", "id"], unique=False)
    op.create_index("ix_audit_log_workspace", "audit_log", ["workspace_id", "at", "id"], unique=False)
    op.create_index("ix_audit_log_target", "audit_log", ["target_id", "at", "id"], unique=False)
    for statement in _KEEP_SQLITE if op.get_bind().dialect.name == "sqlite" else _KEEP_POSTGRESQL:
        op.get_bind().exec_driver_sql(statement)
    op.create_table(
        "failed_attempts",
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_failed_attempts")),
    )
    op.create_table(
        "browser_sessions",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("issuer", sa.String(length=300), nullable=True),
        sa.Column("subject", sa.String(length=255), nullable=True),
        sa.Column("sid", sa.String(length=255), nullable=True),
        sa.Column("id_token", sa.Text(), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_browser_sessions_user_id_users"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_browser_sessions")),
    )
    op.create_index("ix_browser_sessions_sid", "browser_sessions", ["issuer", "sid"], unique=False)
    op.create_index(op.f("ix_browser_sessions_user_id"), "browser_sessions", ["user_id"], unique=False)
    op.create_table(
        "identities",
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_identities_user_id_users"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_identities")),
    )
    op.create_index(op.f("ix_identities_user_id"), "identities", ["user_id"], unique=False)
    op.create_table(
        "invitations",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=True),
        sa.Column("workspace_role", sa.String(length=8), nullable=True),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("invited_by_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_by_id", sa.String(length=36), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('user', 'analyst', 'admin')", name=op.f("ck_invitations_role_known")),
        sa.CheckConstraint(
            "workspace_role IN ('viewer', 'maker', 'manager')", name=op.f("ck_invitations_workspace_role_known")
        ),
        sa.CheckConstraint(
            "(workspace_id IS NULL) = (workspace_role IS NULL)", name=op.f("ck_invitations_workspace_has_role")
        ),
        sa.ForeignKeyConstraint(
            ["accepted_by_id"], ["users.id"], name=op.f("fk_invitations_accepted_by_id_users"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["invited_by_id"], ["users.id"], name=op.f("fk_invitations_invited_by_id_users"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_invitations_workspace_id_workspaces"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitations_token_hash")),
    )
    op.create_index("ix_invitations_workspace", "invitations", ["workspace_id", "id"], unique=False)
    op.create_table(
        "share_links",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("allow_download", sa.Boolean(), nullable=False),
        sa.Column("show_prompt", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("view_count", sa.Integer(), nullable=False),
        sa.Column("last_viewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_share_links_user_id_users"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_share_links_workspace_id_workspaces"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_share_links_token_hash")),
    )
    op.create_index("ix_share_links_workspace", "share_links", ["workspace_id", "id"], unique=False)
    op.create_table(
        "sign_in_links",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_sign_in_links_user_id_users"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sign_in_links")),
    )
    op.create_table(
        "share_link_visits",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("link_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("generation_id", sa.String(length=36), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('view', 'download', 'refused')", name=op.f("ck_share_link_visits_kind_known")),
        sa.ForeignKeyConstraint(
            ["link_id"], ["share_links.id"], name=op.f("fk_share_link_visits_link_id_share_links"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share_link_visits")),
    )
    op.create_index("ix_share_link_visits_of", "share_link_visits", ["link_id", "id"], unique=False)
    op.create_table(
        "clip_notes",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("generation_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at_seconds", sa.Double(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("at_seconds IS NULL OR at_seconds >= 0", name=op.f("ck_clip_notes_moment_not_negative")),
        sa.ForeignKeyConstraint(
            ["generation_id"],
            ["generations.id"],
            name=op.f("fk_clip_notes_generation_id_generations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_clip_notes_user_id_users"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clip_notes")),
    )
    op.create_index("ix_clip_notes_of", "clip_notes", ["generation_id", "id"], unique=False)
    op.create_table(
        "share_link_clips",
        sa.Column("link_id", sa.String(length=36), nullable=False),
        sa.Column("generation_id", sa.String(length=36), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["generation_id"],
            ["generations.id"],
            name=op.f("fk_share_link_clips_generation_id_generations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["link_id"], ["share_links.id"], name=op.f("fk_share_link_clips_link_id_share_links"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("link_id", "generation_id", name=op.f("pk_share_link_clips")),
    )
    op.create_index("ix_share_link_clips_of", "share_link_clips", ["generation_id"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "ALTER TABLE api_tokens ADD COLUMN workspace_id VARCHAR(36) "
            f"CONSTRAINT {_TOKENS} REFERENCES workspaces (id)"
        )
    else:
        op.add_column("api_tokens", sa.Column("workspace_id", sa.String(36), nullable=True))
        op.create_foreign_key(op.f(_TOKENS), "api_tokens", "workspaces", ["workspace_id"], ["id"])
    op.add_column("api_tokens", sa.Column("cap_credits", sa.BigInteger(), nullable=True))
    op.add_column("api_tokens", sa.Column("spent_credits", sa.BigInteger(), nullable=False, server_default="0"))
    for table, old, new in _CHECKS:
        _replace_check(table, old, new)
    op.drop_index("ix_ledger_entries_given", "ledger_entries")
    credited = ["account_id", "amount_credits"]
    indexes.create(op, "ix_ledger_entries_credited", "ledger_entries", credited, where=_CREDITED)  # type: ignore[arg-type]  # the module stands for its Operations
    indexes.create(op, "ix_ledger_entries_booked", "ledger_entries", ["id"], where=_CREDITED)  # type: ignore[arg-type]  # same


def _replace_check(table: str, old: tuple[str, str], new: tuple[str, str]) -> None:
    if op.get_bind().dialect.name == "sqlite":
        _edit(table, *(f"CONSTRAINT {name} CHECK ({words})" for name, words in (old, new)))
        return
    op.drop_constraint(op.f(old[0]), table, type_="check")
    op.create_check_constraint(op.f(new[0]), table, new[1], postgresql_not_valid=True)
    op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {new[0]}")


def downgrade() -> None:
    """What only this version knows goes: sessions, invitations, links, notes and the log of acts.

    A transfer is two corrections that cancel each other out, a webhook whose person has left one that was stopped.
    """
    op.drop_index("ix_ledger_entries_booked", "ledger_entries", if_exists=True)
    op.drop_index("ix_ledger_entries_credited", "ledger_entries", if_exists=True)
    op.execute("UPDATE ledger_entries SET kind = 'adjust' WHERE kind = 'transfer'")
    op.execute("UPDATE webhook_endpoints SET disabled_reason = 'person' WHERE disabled_reason = 'departed'")
    for table, old, new in _CHECKS:
        _replace_check(table, new, old)
    op.create_index(
        "ix_ledger_entries_given",
        "ledger_entries",
        ["account_id", "amount_credits"],
        sqlite_where=_GIVEN,
        postgresql_where=_GIVEN,
    )
    op.drop_column("api_tokens", "spent_credits")
    op.drop_column("api_tokens", "cap_credits")
    if op.get_bind().dialect.name == "sqlite":
        _edit("api_tokens", _TOKENS_REFERENCE, "")
    op.drop_column("api_tokens", "workspace_id")
    for table in (
        "share_link_clips",
        "clip_notes",
        "share_link_visits",
        "sign_in_links",
        "share_links",
        "invitations",
        "identities",
        "browser_sessions",
        "failed_attempts",
        "audit_log",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.get_bind().exec_driver_sql("DROP FUNCTION keep_audit_log()")


def _edit(table: str, old: str, new: str) -> None:
    """SQLite has no ALTER for constraints, and drops no column that refers to another table; see `_edit` of 0012."""
    bind = op.get_bind()
    written = str(bind.scalar(sa.text("SELECT sql FROM sqlite_schema WHERE name = :name"), {"name": table}))
    if old not in written:
        raise RuntimeError(f"the table {table} has no '{old}'")
    version = bind.scalar(sa.text("PRAGMA schema_version"))
    bind.execute(sa.text("PRAGMA writable_schema = ON"))
    bind.execute(
        sa.text("UPDATE sqlite_schema SET sql = :sql WHERE type = 'table' AND name = :name"),
        {"sql": written.replace(old, new), "name": table},
    )
    bind.execute(sa.text(f"PRAGMA schema_version = {version + 1}"))
    bind.execute(sa.text("PRAGMA writable_schema = OFF"))

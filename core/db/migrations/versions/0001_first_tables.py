"""First tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_runs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("broken", sa.Integer(), nullable=False),
        sa.Column("results", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_runs")),
    )
    op.create_table(
        "provider_health",
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_code", sa.String(length=60), nullable=True),
        sa.Column("error_detail", sa.Text(), nullable=True),
        sa.Column("error_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("key_works", sa.Boolean(), nullable=True),
        sa.Column("key_checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("provider", name=op.f("pk_provider_health")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("storage_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("role IN ('user', 'admin')", name=op.f("ck_users_role_known")),
        sa.CheckConstraint("storage_bytes >= 0", name=op.f("ck_users_storage_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("available_credits", sa.BigInteger(), nullable=False),
        sa.Column("held_credits", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("available_credits >= 0", name=op.f("ck_accounts_available_not_negative")),
        sa.CheckConstraint("held_credits >= 0", name=op.f("ck_accounts_held_not_negative")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_accounts_user_id_users"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("user_id", name=op.f("uq_accounts_user_id")),
    )
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_api_tokens_user_id_users"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_tokens_token_hash")),
    )
    op.create_index(op.f("ix_api_tokens_user_id"), "api_tokens", ["user_id"], unique=False)
    op.create_table(
        "projects",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("generation_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(name) > 0", name=op.f("ck_projects_name_not_empty")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_projects_user_id_users"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
    )
    op.create_index("ix_projects_user_newest", "projects", ["user_id", "updated_at", "id"], unique=False)
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("storage_key", sa.String(length=200), nullable=False),
        sa.Column("original_sha256", sa.String(length=64), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_uploads_user_id_users"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
        sa.UniqueConstraint("user_id", "original_sha256", name=op.f("uq_uploads_user_id_original_sha256")),
    )
    op.create_table(
        "generations",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("retry_of_id", sa.String(length=36), nullable=True),
        sa.Column("idempotency_key", sa.String(length=200), nullable=True),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("model_id", sa.String(length=80), nullable=False),
        sa.Column("model_name", sa.String(length=120), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("negative_prompt", sa.Text(), nullable=False),
        sa.Column("start_image_key", sa.String(length=200), nullable=True),
        sa.Column("end_image_key", sa.String(length=200), nullable=True),
        sa.Column("resolution", sa.String(length=10), nullable=False),
        sa.Column("duration_seconds", sa.Integer(), nullable=False),
        sa.Column("aspect_ratio", sa.String(length=10), nullable=False),
        sa.Column("generate_audio", sa.Boolean(), nullable=False),
        sa.Column("enhance_prompt", sa.Boolean(), nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.Column("quote", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("stage", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("collect_attempt", sa.Integer(), nullable=False),
        sa.Column("cancel_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("progress_is_estimate", sa.Boolean(), nullable=False),
        sa.Column("provider_job_id", sa.String(length=200), nullable=True),
        sa.Column("provider_base_url", sa.String(length=300), nullable=True),
        sa.Column("provider_response", sa.JSON(), nullable=True),
        sa.Column("provider_video_url", sa.Text(), nullable=True),
        sa.Column("provider_cost", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("provider_cost_currency", sa.String(length=3), nullable=True),
        sa.Column("provider_cost_is_estimate", sa.Boolean(), nullable=False),
        sa.Column("error_code", sa.String(length=60), nullable=True),
        sa.Column("error_message", sa.String(length=1000), nullable=True),
        sa.Column("error_detail", sa.Text(), nullable=True),
        sa.Column("output_key", sa.String(length=200), nullable=True),
        sa.Column("thumbnail_key", sa.String(length=200), nullable=True),
        sa.Column("preview_key", sa.String(length=200), nullable=True),
        sa.Column("stored_bytes", sa.BigInteger(), nullable=False),
        sa.Column("output_facts", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("purged_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(stage = 'ended') = (status IN ('completed', 'failed', 'cancelled'))", name=op.f("ck_generations_ended")
        ),
        sa.CheckConstraint("stage = 'ended' OR next_at IS NOT NULL", name=op.f("ck_generations_live_has_next_at")),
        sa.CheckConstraint(
            "stage IN ('queued', 'handed', 'submitting', 'waiting', 'ready', 'downloading', 'ended')",
            name=op.f("ck_generations_stage_known"),
        ),
        sa.CheckConstraint(
            "status <> 'completed' OR output_key IS NOT NULL", name=op.f("ck_generations_completed_has_file")
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'processing', 'uncertain', 'completed', 'failed', 'cancelled')",
            name=op.f("ck_generations_status_known"),
        ),
        sa.CheckConstraint("credits > 0", name=op.f("ck_generations_credits_positive")),
        sa.CheckConstraint("duration_seconds > 0", name=op.f("ck_generations_duration_positive")),
        sa.CheckConstraint("progress >= 0 AND progress <= 1", name=op.f("ck_generations_progress_range")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_generations_project_id_projects"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["retry_of_id"],
            ["generations.id"],
            name=op.f("fk_generations_retry_of_id_generations"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_generations_user_id_users"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_generations")),
        sa.UniqueConstraint("user_id", "idempotency_key", name=op.f("uq_generations_user_id_idempotency_key")),
    )
    op.create_index(
        "ix_generations_cover",
        "generations",
        ["project_id", "id"],
        unique=False,
        sqlite_where=sa.text("thumbnail_key IS NOT NULL AND deleted_at IS NULL"),
        postgresql_where=sa.text("thumbnail_key IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "ix_generations_due",
        "generations",
        ["stage", "next_at"],
        unique=False,
        sqlite_where=sa.text("stage <> 'ended'"),
        postgresql_where=sa.text("stage <> 'ended'"),
    )
    op.create_index(
        "ix_generations_live",
        "generations",
        ["user_id", "id"],
        unique=False,
        sqlite_where=sa.text("stage <> 'ended'"),
        postgresql_where=sa.text("stage <> 'ended'"),
    )
    op.create_index("ix_generations_model_ended", "generations", ["model_id", "ended_at"], unique=False)
    op.create_index("ix_generations_project_newest", "generations", ["project_id", "id"], unique=False)
    op.create_index(
        "ix_generations_to_purge",
        "generations",
        ["deleted_at"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NOT NULL AND purged_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NOT NULL AND purged_at IS NULL"),
    )
    op.create_index("ix_generations_user_newest", "generations", ["user_id", "id"], unique=False)
    op.create_table(
        "usage_days",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("model_id", sa.String(length=80), nullable=False),
        sa.Column("completed", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("cancelled", sa.Integer(), nullable=False),
        sa.Column("settled_credits", sa.BigInteger(), nullable=False),
        sa.Column("released_credits", sa.BigInteger(), nullable=False),
        sa.Column("video_seconds", sa.BigInteger(), nullable=False),
        sa.Column("estimated_cost_idr", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_usage_days_project_id_projects"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_usage_days_user_id_users"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("day", "user_id", "project_id", "provider", "model_id", name=op.f("pk_usage_days")),
    )
    op.create_index("ix_usage_days_user_day", "usage_days", ["user_id", "day"], unique=False)
    op.create_table(
        "generation_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("generation_id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("stage", sa.String(length=12), nullable=False),
        sa.Column("what", sa.String(length=300), nullable=False),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.ForeignKeyConstraint(
            ["generation_id"],
            ["generations.id"],
            name=op.f("fk_generation_events_generation_id_generations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_generation_events")),
    )
    op.create_index("ix_generation_events_of", "generation_events", ["generation_id", "id"], unique=False)
    op.create_table(
        "ledger_entries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("amount_credits", sa.BigInteger(), nullable=False),
        sa.Column("generation_id", sa.String(length=36), nullable=True),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("available_after", sa.BigInteger(), nullable=False),
        sa.Column("held_after", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "amount_credits > 0 OR kind = 'adjust'", name=op.f("ck_ledger_entries_only_adjust_is_negative")
        ),
        sa.CheckConstraint(
            "kind IN ('grant', 'hold', 'settle', 'release', 'adjust')", name=op.f("ck_ledger_entries_kind_known")
        ),
        sa.CheckConstraint("amount_credits <> 0", name=op.f("ck_ledger_entries_amount_not_zero")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_ledger_entries_account_id_accounts"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["generation_id"],
            ["generations.id"],
            name=op.f("fk_ledger_entries_generation_id_generations"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entries")),
        sa.UniqueConstraint("key", name=op.f("uq_ledger_entries_key")),
    )
    op.create_index("ix_ledger_entries_account_newest", "ledger_entries", ["account_id", "id"], unique=False)
    op.create_index(op.f("ix_ledger_entries_generation_id"), "ledger_entries", ["generation_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_ledger_entries_generation_id"), table_name="ledger_entries")
    op.drop_index("ix_ledger_entries_account_newest", table_name="ledger_entries")
    op.drop_table("ledger_entries")
    op.drop_index("ix_generation_events_of", table_name="generation_events")
    op.drop_table("generation_events")
    op.drop_index("ix_usage_days_user_day", table_name="usage_days")
    op.drop_table("usage_days")
    op.drop_index("ix_generations_user_newest", table_name="generations")
    op.drop_index(
        "ix_generations_to_purge",
        table_name="generations",
        sqlite_where=sa.text("deleted_at IS NOT NULL AND purged_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NOT NULL AND purged_at IS NULL"),
    )
    op.drop_index("ix_generations_project_newest", table_name="generations")
    op.drop_index("ix_generations_model_ended", table_name="generations")
    op.drop_index(
        "ix_generations_live",
        table_name="generations",
        sqlite_where=sa.text("stage <> 'ended'"),
        postgresql_where=sa.text("stage <> 'ended'"),
    )
    op.drop_index(
        "ix_generations_due",
        table_name="generations",
        sqlite_where=sa.text("stage <> 'ended'"),
        postgresql_where=sa.text("stage <> 'ended'"),
    )
    op.drop_index(
        "ix_generations_cover",
        table_name="generations",
        sqlite_where=sa.text("thumbnail_key IS NOT NULL AND deleted_at IS NULL"),
        postgresql_where=sa.text("thumbnail_key IS NOT NULL AND deleted_at IS NULL"),
    )
    op.drop_table("generations")
    op.drop_table("uploads")
    op.drop_index("ix_projects_user_newest", table_name="projects")
    op.drop_table("projects")
    op.drop_index(op.f("ix_api_tokens_user_id"), table_name="api_tokens")
    op.drop_table("api_tokens")
    op.drop_table("accounts")
    op.drop_table("users")
    op.drop_table("provider_health")
    op.drop_table("audit_runs")

"""Verdicts, tags, presets, token scopes, webhooks out, real costs, words to search by."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    op.add_column("users", sa.Column("language", sa.String(length=8), nullable=True))
    op.add_column("users", sa.Column("monthly_budget_credits", sa.BigInteger(), nullable=True))
    op.add_column("users", sa.Column("usage_version", sa.BigInteger(), server_default="0", nullable=False))

    op.add_column("api_tokens", sa.Column("prefix", sa.String(length=12), server_default="", nullable=False))
    op.add_column("api_tokens", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    # A token made before there were scopes could do everything its person may. SQLite adds a constraint only this way.
    op.execute(
        "ALTER TABLE api_tokens ADD COLUMN scope VARCHAR(8) DEFAULT 'generate' NOT NULL "
        "CONSTRAINT ck_api_tokens_scope_known CHECK (scope IN ('read', 'generate', 'admin'))"
    )
    op.execute("UPDATE api_tokens SET scope = 'admin'")

    op.add_column("projects", sa.Column("spent_credits", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("projects", sa.Column("monthly_budget_credits", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE projects SET spent_credits = COALESCE("
        "(SELECT SUM(settled_credits) FROM usage_days WHERE usage_days.project_id = projects.id), 0)"
    )

    op.execute(
        "ALTER TABLE generations ADD COLUMN extends_id VARCHAR(36) "
        "CONSTRAINT fk_generations_extends_id_generations REFERENCES generations (id)"
    )
    op.execute(
        "ALTER TABLE generations ADD COLUMN charged_project_id VARCHAR(36) "
        "CONSTRAINT fk_generations_charged_project_id_projects REFERENCES projects (id)"
    )
    op.add_column("generations", sa.Column("batch_id", sa.String(length=36), nullable=True))
    op.add_column("generations", sa.Column("recipe_hash", sa.String(length=64), nullable=True))
    op.add_column("generations", sa.Column("favourite", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("generations", sa.Column("kept", sa.Boolean(), nullable=True))
    op.add_column("generations", sa.Column("preview_attempt", sa.Integer(), server_default="0", nullable=False))
    preview_due = sa.text("status = 'completed' AND next_at IS NOT NULL AND deleted_at IS NULL")
    op.create_index(
        "ix_generations_preview_due",
        "generations",
        ["next_at"],
        unique=False,
        sqlite_where=preview_due,
        postgresql_where=preview_due,
    )
    op.create_index("ix_generations_recipe", "generations", ["user_id", "recipe_hash", "id"], unique=False)
    op.create_index("ix_generations_user_model_ended", "generations", ["user_id", "model_id", "ended_at"], unique=False)
    favourite = sa.text("favourite AND deleted_at IS NULL")
    op.create_index(
        "ix_generations_favourite",
        "generations",
        ["user_id", "id"],
        unique=False,
        sqlite_where=favourite,
        postgresql_where=favourite,
    )

    judged = sa.text("kept IS NOT NULL AND deleted_at IS NULL")
    op.create_index(
        "ix_generations_judged",
        "generations",
        ["user_id", "kept", "id"],
        unique=False,
        sqlite_where=judged,
        postgresql_where=judged,
    )
    op.create_index("ix_generations_status", "generations", ["user_id", "status", "id"], unique=False)
    op.create_index("ix_generations_user_model", "generations", ["user_id", "model_id", "id"], unique=False)
    op.create_index("ix_generations_user_provider", "generations", ["user_id", "provider", "id"], unique=False)
    uncertain = sa.text("status = 'uncertain'")
    op.create_index(
        "ix_generations_uncertain",
        "generations",
        ["id"],
        unique=False,
        sqlite_where=uncertain,
        postgresql_where=uncertain,
    )
    given = sa.text("kind IN ('grant', 'adjust')")
    op.create_index(
        "ix_ledger_entries_given",
        "ledger_entries",
        ["account_id", "amount_credits"],
        unique=False,
        sqlite_where=given,
        postgresql_where=given,
    )

    for name in ("estimate_replaced_idr", "reported_cost_microusd", "kept_seconds"):
        op.add_column("usage_days", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    for name in ("kept_count", "rejected_count"):
        op.add_column("usage_days", sa.Column(name, sa.Integer(), server_default="0", nullable=False))

    _tags_and_presets()
    _webhooks()
    _live_again()
    if is_postgresql:
        op.execute("CREATE INDEX ix_generations_words ON generations USING gin (to_tsvector('simple', prompt))")
    else:
        _words_of_sqlite()


def _live_again() -> None:
    """SQLite took an index of all of a person's generations for those under way: on a tie it takes the younger one."""
    live = sa.text("stage <> 'ended'")
    op.drop_index("ix_generations_live", "generations")
    op.create_index(
        "ix_generations_live",
        "generations",
        ["user_id", "id", "stage"],
        unique=False,
        sqlite_where=live,
        postgresql_where=live,
    )


def _tags_and_presets() -> None:
    op.create_table(
        "generation_tags",
        sa.Column("generation_id", sa.String(length=36), nullable=False),
        sa.Column("tag", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["generation_id"],
            ["generations.id"],
            name="fk_generation_tags_generation_id_generations",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_generation_tags_user_id_users", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("generation_id", "tag", name="pk_generation_tags"),
    )
    op.create_index("ix_generation_tags_of", "generation_tags", ["user_id", "tag", "generation_id"], unique=False)
    op.create_table(
        "presets",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_presets_user_id_users", ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name="pk_presets"),
        sa.UniqueConstraint("user_id", "name", name="uq_presets_user_id_name"),
    )
    shared = sa.text("shared")
    op.create_index(
        "ix_presets_shared", "presets", ["name"], unique=False, sqlite_where=shared, postgresql_where=shared
    )


def _webhooks() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("secret_version", sa.Integer(), nullable=False),
        sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_reason", sa.String(length=8), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "disabled_reason IN ('person', 'gone', 'failing')", name=op.f("ck_webhook_endpoints_disabled_reason_known")
        ),
        sa.CheckConstraint(
            "(disabled_at IS NULL) = (disabled_reason IS NULL)", name=op.f("ck_webhook_endpoints_disabled_has_reason")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_webhook_endpoints_user_id_users", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_endpoints"),
    )
    op.create_index("ix_webhook_endpoints_user_id", "webhook_endpoints", ["user_id"], unique=False)
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("endpoint_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("generation_id", sa.String(length=36), nullable=True),
        sa.Column("event", sa.String(length=60), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.String(length=500), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('due', 'delivered', 'given_up')", name=op.f("ck_webhook_deliveries_state_known")),
        sa.CheckConstraint(
            "(state = 'due') = (next_at IS NOT NULL)", name=op.f("ck_webhook_deliveries_due_has_next_at")
        ),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["webhook_endpoints.id"],
            name="fk_webhook_deliveries_endpoint_id_webhook_endpoints",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_webhook_deliveries_user_id_users", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["generation_id"],
            ["generations.id"],
            name="fk_webhook_deliveries_generation_id_generations",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_deliveries"),
    )
    op.create_index("ix_webhook_deliveries_generation_id", "webhook_deliveries", ["generation_id"], unique=False)
    op.create_index("ix_webhook_deliveries_newest", "webhook_deliveries", ["endpoint_id", "id"], unique=False)
    due = sa.text("state = 'due'")
    op.create_index(
        "ix_webhook_deliveries_due",
        "webhook_deliveries",
        ["next_at", "endpoint_id"],
        unique=False,
        sqlite_where=due,
        postgresql_where=due,
    )


def _words_of_sqlite() -> None:
    """An index of the words of prompts, which never change once they are written.

    `keys` are what else a person narrows by, as words: the ids of clip, person, project, model and provider without
    dashes, how it ended, whether it is a favourite, kept or rejected. So the index itself intersects all of it. Short
    beginnings of words have an index of their own, so that those of a million prompts are walked, not collected.
    """
    keys = (
        "replace(new.id || ' ' || new.user_id || ' ' || new.project_id "
        "|| ' xm' || replace(replace(new.model_id, '.', ''), '_', '') "
        "|| ' xp' || replace(replace(new.provider, '.', ''), '_', ''), '-', '') "
        "|| CASE new.stage WHEN 'ended' THEN ' x' || new.status ELSE '' END "
        "|| CASE WHEN new.favourite THEN ' xfavourite' ELSE '' END "
        "|| CASE new.kept WHEN 1 THEN ' xkept' WHEN 0 THEN ' xrejected' ELSE '' END"
    )
    op.execute(
        "CREATE VIRTUAL TABLE generation_words USING fts5(generation_id UNINDEXED, prompt, keys, detail = column, "
        "prefix = '1 2 3 4', tokenize = 'unicode61 remove_diacritics 2')"
    )
    op.execute(
        "INSERT INTO generation_words (generation_id, prompt, keys) "  # noqa: S608 -- keys stand above
        f"SELECT id, prompt, {keys} FROM generations AS new ORDER BY id"
    )
    op.execute(
        "CREATE TRIGGER generation_words_insert AFTER INSERT ON generations BEGIN "  # noqa: S608 -- keys stand above
        f"INSERT INTO generation_words (generation_id, prompt, keys) VALUES (new.id, new.prompt, {keys}); END"
    )
    op.execute(
        "CREATE TRIGGER generation_words_change "  # noqa: S608 -- keys stand above
        "AFTER UPDATE OF project_id, stage, favourite, kept ON generations "
        "WHEN old.project_id IS NOT new.project_id OR (new.stage = 'ended') IS NOT (old.stage = 'ended') "
        "OR old.favourite IS NOT new.favourite OR old.kept IS NOT new.kept BEGIN "
        f"UPDATE generation_words SET keys = {keys} WHERE rowid = (SELECT rowid FROM generation_words "
        "WHERE generation_words MATCH 'keys : \"' || replace(new.id, '-', '') || '\"'); END"
    )


def downgrade() -> None:
    raise NotImplementedError("verdicts, tokens and deliveries would be lost; restore the backup made before it")

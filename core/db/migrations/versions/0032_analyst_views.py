"""Views for analysts' tools with stable columns, and the packs of files that are made of them in the background.

No view has a secret, a hash or a prompt. The file has its own words of all of them, since it stays as it is.
"""

import sqlalchemy as sa
from alembic import op

from core.db.types import UtcDateTime

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

PERSON = """
CASE WHEN {u}.name = '' OR EXISTS (SELECT 1 FROM users n WHERE n.name = {u}.name AND n.id <> {u}.id)
THEN {u}.email ELSE {u}.name END
"""
PLACE = """
(SELECT count(*) + 1 FROM workspaces older
WHERE older.name_key = w.name_key AND older.id < w.id AND older.kind = 'team')
"""
WORKSPACE = """
CASE WHEN w.kind = 'personal'
THEN coalesce((SELECT {owner} FROM users o WHERE o.id = w.id), w.name)
WHEN {place} > 1 THEN w.name || ' (' || CAST({place} AS VARCHAR) || ')' ELSE w.name END
"""
PARTS = {
    "person": PERSON.format(u="u"),
    "judge": PERSON.format(u="j"),
    "workspace": WORKSPACE.format(owner=PERSON.format(u="o"), place=PLACE),
    "clip_project": "coalesce(g.charged_project_id, g.project_id)",
}

VIEWS = {
    "analyst_people": """
SELECT u.id AS person_id, {person} AS person, u.email AS email,
(u.deactivated_at IS NULL) AS is_active, u.created_at AS joined_at
FROM users u
""",
    "analyst_projects": """
SELECT p.id AS project_id, p.name AS project, w.id AS workspace_id, {workspace} AS workspace,
p.cost_centre AS cost_centre, (p.archived_at IS NOT NULL) AS is_archived, p.created_at AS made_at
FROM projects p JOIN workspaces w ON w.id = p.workspace_id
""",
    "analyst_accounts": """
SELECT w.id AS workspace_id, {workspace} AS workspace, w.kind AS kind, w.is_sample AS is_sample,
a.available_credits AS available_credits, a.held_credits AS held_credits
FROM accounts a JOIN workspaces w ON w.id = a.workspace_id
""",
    "analyst_clips": """
SELECT g.id AS clip_id, w.id AS workspace_id, {workspace} AS workspace, u.id AS person_id,
{person} AS person, p.id AS project_id, p.name AS project, p.cost_centre AS cost_centre,
g.project_id AS present_project_id, g.batch_id AS press_id, g.provider AS provider, g.model_id AS model_id,
g.model_name AS model, g.resolution AS resolution, CAST(g.duration_seconds AS BIGINT) AS seconds,
g.aspect_ratio AS aspect_ratio, g.generate_audio AS has_sound, g.enhance_prompt AS is_enhanced,
(g.token_id IS NOT NULL) AS by_token, g.status AS status, g.error_code AS error_code, g.credits AS credits,
g.budget_month AS budget_month, g.estimated_cost_microusd AS estimated_cost_microusd,
CASE WHEN g.provider_cost_currency = 'USD' THEN CAST(round(g.provider_cost * 1000000) AS BIGINT) END AS cost_microusd,
CASE WHEN g.provider_cost IS NOT NULL THEN g.provider_cost_is_estimate END AS is_cost_estimate,
CAST(g.idr_per_usd AS BIGINT) AS idr_per_usd, g.stored_bytes AS stored_bytes, g.created_at AS ordered_at,
g.ended_at AS ended_at, g.submitted_at AS submitted_at, g.deleted_at AS deleted_at
FROM generations g JOIN workspaces w ON w.id = g.workspace_id JOIN users u ON u.id = g.user_id
JOIN projects p ON p.id = {clip_project}
""",
    "analyst_ledger": """
SELECT e.id AS entry_id, e.created_at AS booked_at, w.id AS workspace_id, {workspace} AS workspace, e.kind AS kind,
e.amount_credits AS amount_credits,
CASE e.kind WHEN 'hold' THEN -e.amount_credits WHEN 'settle' THEN 0 ELSE e.amount_credits END AS available_change,
CASE e.kind WHEN 'hold' THEN e.amount_credits WHEN 'settle' THEN -e.amount_credits
WHEN 'release' THEN -e.amount_credits ELSE 0 END AS held_change,
e.available_after AS available_after, e.held_after AS held_after, e.generation_id AS clip_id,
u.id AS person_id, CASE WHEN u.id IS NOT NULL THEN {person} END AS person,
p.id AS project_id, p.name AS project, p.cost_centre AS cost_centre, g.provider AS provider, g.model_id AS model_id,
m.id AS actor_id, e.actor AS actor, e.reason AS reason
FROM ledger_entries e JOIN accounts a ON a.id = e.account_id JOIN workspaces w ON w.id = a.workspace_id
LEFT JOIN generations g ON g.id = e.generation_id LEFT JOIN users u ON u.id = g.user_id
LEFT JOIN projects p ON p.id = {clip_project} LEFT JOIN users m ON m.email = e.actor
""",
    "analyst_usage_days": """
SELECT {day} AS day, d.workspace_id AS workspace_id, {workspace} AS workspace, d.user_id AS person_id,
{person} AS person, d.project_id AS project_id, p.name AS project, p.cost_centre AS cost_centre,
d.provider AS provider, d.model_id AS model_id,
CAST(d.completed AS BIGINT) AS completed, CAST(d.failed AS BIGINT) AS failed, CAST(d.cancelled AS BIGINT) AS cancelled,
d.settled_credits AS settled_credits, d.released_credits AS released_credits, d.settled_credits * 50 AS settled_idr,
d.video_seconds AS video_seconds,
d.reported_cost_idr + d.estimated_cost_idr - d.estimate_replaced_idr AS cost_idr,
d.reported_cost_microusd AS reported_cost_microusd, d.reported_cost_idr AS reported_cost_idr,
d.estimated_cost_idr - d.estimate_replaced_idr AS still_estimated_cost_idr, d.wasted_cost_idr AS wasted_cost_idr,
CAST(d.cost_unknown_count AS BIGINT) AS cost_unknown_count, CAST(d.kept_count AS BIGINT) AS kept_count,
d.kept_seconds AS kept_seconds, CAST(d.rejected_count AS BIGINT) AS rejected_count
FROM usage_days d JOIN workspaces w ON w.id = d.workspace_id JOIN users u ON u.id = d.user_id
JOIN projects p ON p.id = d.project_id
""",
    "analyst_budgets": """
SELECT w.id AS workspace_id, {workspace} AS workspace, c.month AS month, c.scope AS scope, c.subject_id AS subject_id,
CASE c.scope WHEN 'workspace' THEN {workspace} WHEN 'project' THEN p.name ELSE {person} END AS subject,
b.limit_credits AS limit_credits, b.mode AS mode, c.taken_credits AS taken_credits
FROM (
SELECT workspace_id, month, scope, subject_id, taken_credits FROM budget_months
UNION ALL
SELECT s.workspace_id, {set_in}, s.scope, s.subject_id, 0 FROM budgets s
WHERE NOT EXISTS (SELECT 1 FROM budget_months t
WHERE t.workspace_id = s.workspace_id AND t.scope = s.scope AND t.subject_id = s.subject_id)
) c JOIN workspaces w ON w.id = c.workspace_id
LEFT JOIN budgets b ON b.workspace_id = c.workspace_id AND b.scope = c.scope AND b.subject_id = c.subject_id
LEFT JOIN projects p ON c.scope = 'project' AND p.id = c.subject_id
LEFT JOIN users u ON c.scope = 'member' AND u.id = c.subject_id
""",
    "analyst_judgements": """
SELECT g.id AS clip_id, w.id AS workspace_id, {workspace} AS workspace, u.id AS person_id,
{person} AS person, p.id AS project_id, p.name AS project, p.cost_centre AS cost_centre,
g.provider AS provider, g.model_id AS model_id,
CASE WHEN g.kept IS NULL THEN 'undecided' WHEN g.kept THEN 'kept' ELSE 'rejected' END AS verdict,
g.reject_reason AS reject_reason, g.judged_by_id AS judged_by_id,
CASE WHEN j.id IS NOT NULL THEN {judge} END AS judged_by, g.favourite AS is_favourite,
(SELECT count(*) FROM clip_notes c WHERE c.generation_id = g.id AND c.deleted_at IS NULL) AS comment_count,
g.created_at AS ordered_at, g.ended_at AS ended_at
FROM generations g JOIN workspaces w ON w.id = g.workspace_id JOIN users u ON u.id = g.user_id
JOIN projects p ON p.id = {clip_project} LEFT JOIN users j ON j.id = g.judged_by_id
WHERE g.kept IS NOT NULL OR g.favourite
OR EXISTS (SELECT 1 FROM clip_notes c WHERE c.generation_id = g.id AND c.deleted_at IS NULL)
""",
}
WORDS: dict[str, dict[str, str]] = {
    "sqlite": {"day": "d.day", "set_in": "strftime('%Y-%m', s.updated_at)"},
    "postgresql": {
        "day": "CAST(d.day AS DATE)",
        "set_in": "CAST(to_char(timezone('UTC', s.updated_at), 'YYYY-MM') AS VARCHAR(7))",
    },
}
"""What each database has its own words for."""


def upgrade() -> None:
    op.create_table(
        "analyst_packs",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("workspace_id", sa.String(36), nullable=True),
        sa.Column("user_id", sa.String(36), nullable=True),
        sa.Column("token_id", sa.String(36), nullable=True),
        sa.Column("night", sa.String(10), nullable=True),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("done_count", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.Column("error", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("prompts_of", sa.JSON(), nullable=False),
        sa.Column("storage_key", sa.String(200), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_analyst_packs"),
        sa.UniqueConstraint("night", name="uq_analyst_packs_night"),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed', 'cancelled')", name="ck_analyst_packs_state_known"
        ),
        sa.CheckConstraint(
            "(next_at IS NULL) = (state NOT IN ('waiting', 'running'))", name="ck_analyst_packs_live_has_next_at"
        ),
        sa.CheckConstraint("(state = 'done') = (storage_key IS NOT NULL)", name="ck_analyst_packs_done_has_file"),
    )
    op.create_index("ix_analyst_packs_own", "analyst_packs", ["user_id", "id"])
    op.create_index("ix_analyst_packs_due", "analyst_packs", ["next_at"])
    op.create_index("ix_analyst_packs_ended", "analyst_packs", ["ended_at"])
    words = PARTS | WORDS[op.get_bind().dialect.name]
    for name, query in VIEWS.items():
        op.execute(sa.text(f"CREATE VIEW {name} AS {query.format_map(words)}"))


def downgrade() -> None:
    for name in reversed(VIEWS):
        op.execute(sa.text(f"DROP VIEW IF EXISTS {name}"))
    op.drop_index("ix_analyst_packs_ended", "analyst_packs")
    op.drop_index("ix_analyst_packs_due", "analyst_packs")
    op.drop_index("ix_analyst_packs_own", "analyst_packs")
    op.drop_table("analyst_packs")

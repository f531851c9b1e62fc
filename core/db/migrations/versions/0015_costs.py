"""What providers take is kept with each order, the dollar is a dated setting, and days tell reports from estimates.

What was estimated before, as a share of our own price, stays as it is and is told apart. What was reported before gets
the rupiah of the one rate that there was.
"""

from collections import Counter
from datetime import UTC

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

IDR_PER_USD = 16_500
"""The one rate before this."""

_OF_ORDERS = (
    ("cost_basis", sa.String(10)),
    ("estimated_cost_microusd", sa.BigInteger()),
    ("cost_since", sa.DateTime(timezone=True)),
    ("idr_per_usd", sa.Integer()),
)
_OF_DAYS = (
    ("reported_cost_idr", sa.BigInteger()),
    ("estimate_from_price_idr", sa.BigInteger()),
    ("wasted_cost_idr", sa.BigInteger()),
    ("cost_unknown_count", sa.Integer()),
)
_KEYS = ("day", "workspace_id", "user_id", "project_id", "provider", "model_id")


def upgrade() -> None:
    for name, kind in _OF_ORDERS:
        op.add_column("generations", sa.Column(name, kind, nullable=True))
    for name, kind in _OF_DAYS:
        op.add_column("usage_days", sa.Column(name, kind, nullable=False, server_default="0"))
    op.create_table(
        "exchange_rates",
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idr_per_usd", sa.Integer(), nullable=False),
        sa.CheckConstraint("idr_per_usd > 0", name=op.f("ck_exchange_rates_rate_positive")),
        sa.PrimaryKeyConstraint("since", name=op.f("pk_exchange_rates")),
    )
    op.create_table(
        "cost_drifts",
        sa.Column("model_id", sa.String(80), nullable=False),
        sa.Column("cost_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("off_in_a_row", sa.Integer(), nullable=False),
        sa.Column("newest_percent", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("model_id", name=op.f("pk_cost_drifts")),
    )
    op.execute(
        "UPDATE usage_days SET estimate_from_price_idr = estimated_cost_idr - estimate_replaced_idr, "
        # of the whole dollars and of the rest, since the product of all may be more than a column holds
        "reported_cost_idr = reported_cost_microusd / 1000000 * 16500"
        " + (reported_cost_microusd % 1000000 * 16500 + 500000) / 1000000"
    )
    _count_what_gave_no_clip()


def _count_what_gave_no_clip() -> None:
    """Days know what such jobs cost only in sum with the others; they are few."""
    database = op.get_bind()
    ended = sa.table("generations", *map(sa.column, (*_KEYS[1:], "status", "provider_cost_currency")))
    amount, at = sa.column("provider_cost", sa.Numeric(18, 6)), sa.column("ended_at", sa.DateTime(timezone=True))
    charged_in: sa.ColumnElement[str] = sa.func.coalesce(sa.column("charged_project_id"), ended.c.project_id)
    found = database.execute(
        sa.select(
            at, ended.c.workspace_id, ended.c.user_id, charged_in, ended.c.provider, ended.c.model_id, amount,
            ended.c.provider_cost_currency,
        )
        .select_from(ended)
        .where(
            ended.c.status.in_(("failed", "cancelled")),
            amount.is_not(None),
            ended.c.provider_cost_currency.in_(("USD", "IDR")),
        )
    )  # fmt: skip
    wasted = Counter[tuple[str, ...]]()
    for ended_at, *of, cost, currency in found:
        idr = int(cost) if currency == "IDR" else (round(cost * 1_000_000) * IDR_PER_USD + 500_000) // 1_000_000
        day = (ended_at.astimezone(UTC) if ended_at.tzinfo else ended_at).date().isoformat()  # SQLite keeps no zone
        wasted[(day, *of)] += idr
    days = sa.table("usage_days", *map(sa.column, (*_KEYS, "wasted_cost_idr")))
    for key, idr in wasted.items():
        where = (days.c[name] == value for name, value in zip(_KEYS, key, strict=True))
        database.execute(sa.update(days).where(*where).values(wasted_cost_idr=idr))


def downgrade() -> None:
    op.drop_table("cost_drifts")
    op.drop_table("exchange_rates")
    for table, columns in (("usage_days", _OF_DAYS), ("generations", _OF_ORDERS)):
        for name, _ in reversed(columns):
            op.drop_column(table, name)

"""Which budgets, storages and balances of workspaces are used up or nearly so; it only looks.

Each is one statement over small tables, whatever was ever ordered, and knows whom it is asked for by its `Charge`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Float, and_, cast, func, select

from core.db import Reader
from core.db.enums import BudgetMode, BudgetScope
from core.db.tables import Account, Budget, BudgetMonth, Generation, Project, User, Workspace
from core.notices.causes import NEARLY_FULL_PERCENT
from core.workspaces import months
from core.workspaces.access import Charge

BUDGET_NEAR_PERCENT = 80
BUDGET_OVER_PERCENT = 100
IN_USE = timedelta(days=30)
"""A workspace in which nothing was ordered for so long has enough credits, however few they are."""
MOST = 200
"""So many of each are told of, the fullest first."""

_EAST, _WEST = timedelta(hours=14), timedelta(hours=12)
"""How far the clocks of the world are ahead of UTC and behind it: at a month's end it is two months."""


@dataclass(frozen=True, slots=True)
class BudgetNear:
    """A budget of the month under way of which much is taken; `name` is that of its project or person, else empty."""

    workspace_id: str
    scope: BudgetScope
    subject_id: str
    name: str
    mode: BudgetMode
    limit_credits: int
    taken_credits: int

    @property
    def percent(self) -> int:
        """How much of it is taken."""
        return self.taken_credits * 100 // self.limit_credits

    @property
    def is_stopped(self) -> bool:
        """Whether it refuses every order that costs something."""
        return self.mode is BudgetMode.STOP and self.taken_credits >= self.limit_credits


@dataclass(frozen=True, slots=True)
class StorageNear:
    """A workspace that keeps nearly as much as it may."""

    workspace_id: str
    used_bytes: int
    quota_bytes: int

    @property
    def percent(self) -> int:
        """How much of its room is taken."""
        return self.used_bytes * 100 // self.quota_bytes


@dataclass(frozen=True, slots=True)
class FewCredits:
    """A workspace that is worked in and has few credits left."""

    workspace_id: str
    available_credits: int


def budgets(reader: Reader, charge: Charge, now: datetime, *, percent: int) -> Sequence[BudgetNear]:
    """Those of which at least so much is taken, each by the month of its workspace's own time zone."""
    is_of = and_(
        BudgetMonth.workspace_id == Budget.workspace_id,
        BudgetMonth.scope == Budget.scope,
        BudgetMonth.subject_id == Budget.subject_id,
        BudgetMonth.month.in_({(now - _WEST).strftime("%Y-%m"), (now + _EAST).strftime("%Y-%m")}),
    )
    query = (
        select(
            Budget.workspace_id,
            Budget.scope,
            Budget.subject_id,
            func.coalesce(Project.name, func.nullif(User.name, ""), User.email, "").label("name"),
            Budget.mode,
            Budget.limit_credits,
            BudgetMonth.taken_credits,
            BudgetMonth.month,
            Workspace.time_zone,
        )
        .join(BudgetMonth, is_of)
        .join(Workspace, Workspace.id == Budget.workspace_id)
        .outerjoin(Project, and_(Budget.scope == BudgetScope.PROJECT, Project.id == Budget.subject_id))
        .outerjoin(User, and_(Budget.scope == BudgetScope.MEMBER, User.id == Budget.subject_id))
        .where(
            charge.covers(Budget.workspace_id),
            Workspace.archived_at.is_(None),
            BudgetMonth.taken_credits * 100 >= Budget.limit_credits * percent,
        )
        .order_by((cast(BudgetMonth.taken_credits, Float) / Budget.limit_credits).desc(), Budget.subject_id)
        .limit(MOST)
    )
    rows = [row for row in reader.execute(query) if row.month == months.month_of(now, ZoneInfo(row.time_zone))]
    return [BudgetNear(*row[:7]) for row in rows]


def storages(reader: Reader, charge: Charge, *, quota_bytes: int) -> Sequence[StorageNear]:
    """Workspaces that are nearly full, the fullest first; `quota_bytes` is what each may keep."""
    if not quota_bytes:
        return []
    query = (
        select(Workspace.id, Workspace.storage_bytes)
        .where(
            charge.covers(Workspace.id),
            Workspace.archived_at.is_(None),
            Workspace.storage_bytes >= quota_bytes * NEARLY_FULL_PERCENT // 100,
        )
        .order_by(Workspace.storage_bytes.desc(), Workspace.id)
        .limit(MOST)
    )
    return [StorageNear(row.id, row.storage_bytes, quota_bytes) for row in reader.execute(query)]


def few_credits(reader: Reader, charge: Charge, now: datetime, *, low_credits: int) -> Sequence[FewCredits]:
    """Workspaces in which something was ordered lately and fewer than `low_credits` are left, the poorest first."""
    newest = (
        select(Generation.created_at)
        .where(Generation.workspace_id == Account.workspace_id)
        .order_by(Generation.id.desc())
        .limit(1)
        .correlate(Account)
        .scalar_subquery()
    )
    query = (
        select(Account.workspace_id, Account.available_credits)
        .join(Workspace, Workspace.id == Account.workspace_id)
        .where(
            charge.covers(Account.workspace_id),
            Workspace.archived_at.is_(None),
            Account.available_credits < low_credits,
            newest > now - IN_USE,
        )
        .order_by(Account.available_credits, Account.workspace_id)
        .limit(MOST)
    )
    return [FewCredits(*row) for row in reader.execute(query)]

"""Who was charged most in each project this month, for cards of projects."""

from collections.abc import Collection, Mapping

from sqlalchemy import func, select

from core.clock import utc_now
from core.db import ReadSession
from core.db.tables import UsageDay
from core.workspaces.access import Member, in_workspace

Spenders = Mapping[str, tuple[str, ...]]
"""Project id -> person ids, who was charged most first."""


def first_day() -> str:
    """The first of this month (UTC), such as `2026-11-01`: usage is counted by days of UTC."""
    return utc_now().date().replace(day=1).isoformat()


def spenders(session: ReadSession, member: Member, project_ids: Collection[str], *, since_day: str) -> Spenders:
    """Who was charged in these projects of the present workspace from a day on, the most first."""
    if not project_ids:
        return {}
    credits = func.sum(UsageDay.settled_credits)
    query = (
        select(UsageDay.project_id, UsageDay.user_id)
        .where(in_workspace(UsageDay, member), UsageDay.day >= since_day, UsageDay.project_id.in_(project_ids))
        .group_by(UsageDay.project_id, UsageDay.user_id)
        .order_by(credits.desc(), UsageDay.user_id)
    )
    found: dict[str, tuple[str, ...]] = {}
    for project_id, user_id in session.execute(query):
        found[project_id] = (*found.get(project_id, ()), user_id)
    return found
